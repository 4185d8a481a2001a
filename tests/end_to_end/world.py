"""The app in a process of its own, what is around it, and what tests ask of both."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient

from localdev.app_process import AppProcess
from localdev.callback_receiver import CallbackReceiver
from localdev.graph_simulator import GraphSimulator
from localdev.stack import LocalStack, local_stack, new_signing_secret

DEADLINE = 60.0
"""Seconds that anything may take before a test fails."""

LOOK_EVERY = 0.1
LISTENING = re.compile(r"Listening at (\S+)")
ENDED = {"done", "dead", "unmatched", "discarded"}

Row = dict[str, Any]


@dataclass
class World:
    """A stack, and the app on it.

    Args:
        directory: for certificates and the log.
        settings: app settings beside those of the stack.
    """

    stack: LocalStack
    directory: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def simulator(self) -> GraphSimulator:
        """The mailboxes."""
        return self.stack.simulator

    @property
    def receiver(self) -> CallbackReceiver:
        """The target."""
        return self.stack.receiver

    @property
    def log(self) -> str:
        """All that the app has logged so far."""
        file = self.directory / "app.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def deliver(self, mailbox: str, *mails: bytes, folder: str = "inbox") -> list[str]:
        """Puts mails into a mailbox, which is made if it is missing, a second apart; gives ids."""
        self.simulator.add_mailbox(mailbox)
        start = datetime.now(UTC) - timedelta(seconds=len(mails))
        return [
            self.simulator.deliver(
                mailbox, mail, folder=folder, received=start + timedelta(seconds=number)
            )
            for number, mail in enumerate(mails)
        ]

    @asynccontextmanager
    async def app(self, *options: str) -> AsyncIterator[AppProcess]:
        """Runs the app inside the block, on the embedded host."""
        settings = {**self.stack.app_settings, "POLL_SCHEDULE": "* * * * * *", **self.settings}
        async with AppProcess(settings, self.directory / "app.log", options=options) as app:
            yield app

    async def accepted(self, subscription: str, count: int = 1) -> None:
        """Waits until the target has accepted so many mails of a subscription."""
        await until(
            lambda: len(self.accepted_of(subscription)) >= count,
            f"{count} mails accepted of {subscription}",
        )

    def accepted_of(self, subscription: str) -> list[str | None]:
        """The ids of the mails of a subscription that the target has accepted, in order."""
        accepted = sorted(self.receiver.accepted.values(), key=lambda mail: mail.order)
        return [mail.mail_id for mail in accepted if mail.subscription == subscription]

    async def ended(self, count: int) -> None:
        """Waits until so many deliveries have come to their end."""

        async def enough() -> bool:
            rows = await self.rows("deliveries")
            return sum(row["state"] in ENDED for row in rows) >= count

        await until(enough, f"{count} deliveries at their end")

    async def postponed(self, subscription: str, count: int) -> None:
        """Waits until so many deliveries of a subscription have been tried in vain."""

        async def enough() -> bool:
            tried = [row for row in await self.deliveries(subscription) if row["attempts"]]
            return len(tried) >= count

        await until(enough, f"{count} deliveries of {subscription} tried in vain")

    async def deliveries(self, subscription: str) -> list[Row]:
        """What the ledger holds of a subscription, in the order of receipt."""
        rows = await self.rows("deliveries")
        return [row for row in rows if subscription in json.loads(row["subscriptions"])]

    async def status(self, subscription: str) -> Row:
        """What the operator is told about a row, once it was read."""
        partition, _, name = subscription.partition("/")

        def is_it(row: Row) -> bool:
            return bool(row["PartitionKey"] == partition and row["RowKey"] == name)

        return await self._row("subscriptionstatus", is_it)

    async def source(self, subscription: str, where: Callable[[Row], bool] = bool) -> Row:
        """The state of the source that feeds a subscription, once it meets a condition."""

        def is_it(row: Row) -> bool:
            return subscription in json.loads(row["subscriptions"]) and bool(where(row))

        return await self._row("sources", is_it)

    async def poll_failed(self, subscription: str) -> str:
        """Why the last poll of a subscription failed, once one did."""
        row = await self.source(subscription, lambda row: bool(row["error"]))
        return str(row["error"])

    async def failed_polls(self, subscription: str, count: int) -> None:
        """Waits until so many polls of a subscription have failed in a row."""
        await self.source(subscription, lambda row: row["failures"] == count)

    async def poll_now(self, subscription: str) -> None:
        """Makes a source due, as an operator may who does not want to wait for its interval."""
        row = await self.source(subscription, lambda row: row["leaseUntil"].year < 2000)
        keys = {"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]}
        async with TableServiceClient.from_connection_string(self.stack.storage) as service:
            await service.get_table_client("sources").update_entity(
                {**keys, "nextPollAt": datetime.now(UTC)}, mode=UpdateMode.MERGE
            )

    async def health(self) -> tuple[int, Row]:
        """What `/api/health` answers: status and body."""
        await until(lambda: bool(LISTENING.search(self.log)), "the app listens")
        url = LISTENING.findall(self.log)[-1]
        async with aiohttp.ClientSession() as http, http.get(f"{url}/api/health") as answer:
            return answer.status, await answer.json()

    async def rows(self, table: str) -> list[Row]:
        """All rows of a table; none where it was not made yet."""
        async with TableServiceClient.from_connection_string(self.stack.storage) as service:
            try:
                return [dict(row) async for row in service.get_table_client(table).list_entities()]
            except ResourceNotFoundError:
                return []

    async def forget(self, *tables: str) -> None:
        """Empties tables, as if an accident had happened to the storage."""
        async with TableServiceClient.from_connection_string(self.stack.storage) as service:
            for table in tables:
                for row in await self.rows(table):
                    await service.get_table_client(table).delete_entity(row)

    async def blobs(self, container: str) -> list[str]:
        """The names of all blobs of a container that the app has made."""
        async with BlobServiceClient.from_connection_string(self.stack.storage) as service:
            client = service.get_container_client(container)
            return [name async for name in client.list_blob_names()]

    async def _row(self, table: str, is_it: Callable[[Row], bool]) -> Row:
        found: list[Row] = []

        async def look() -> bool:
            found[:] = [row for row in await self.rows(table) if is_it(row)]
            return bool(found)

        await until(look, f"a row of {table}")
        return found[0]


@asynccontextmanager
async def new_world(
    directory: Path,
    simulator: GraphSimulator | None = None,
    make_receiver: Callable[[str], CallbackReceiver] = CallbackReceiver,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[World]:
    """Everything but the app, empty.

    Args:
        directory: for certificates and the log.
        simulator: instead of one without latency and faults.
        make_receiver: makes the target, given the signing secret.
        settings: app settings beside those of the stack.
    """
    secret = new_signing_secret()
    stack = local_stack(simulator or GraphSimulator(), make_receiver(secret), secret, directory)
    async with stack as running:
        yield World(running, directory, dict(settings or {}))


async def until(
    condition: Callable[[], bool | Awaitable[bool]], what: str, seconds: float = DEADLINE
) -> None:
    """Waits until a condition holds.

    Raises:
        TimeoutError: it did not in time; names it.
    """
    try:
        async with asyncio.timeout(seconds):
            while True:
                holds = condition()
                if holds if isinstance(holds, bool) else await holds:
                    return
                await asyncio.sleep(LOOK_EVERY)
    except TimeoutError as error:
        raise TimeoutError(f"waited {seconds:g} s in vain for: {what}") from error


def states(rows: Sequence[Row]) -> list[str]:
    """The states of deliveries."""
    return [row["state"] for row in rows]
