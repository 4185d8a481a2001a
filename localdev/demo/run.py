"""Runs a demo: puts mail into a simulated mailbox and watches what the app makes of it."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableClient

from localdev.app_process import AppProcess, HostKind
from localdev.callback_receiver import AcceptedMail, CallbackReceiver
from localdev.demo.report import Report
from localdev.graph_simulator import Faults, GraphError, GraphSimulator, Message
from localdev.stack import LocalStack, local_stack, new_signing_secret
from shared.domain.columns import read_row
from shared.domain.subscription import InvalidSubscription, Operation

MAILBOX = "support@contoso.example"
MOVED_TO = "Processed"
LABEL = "Processed"
LOOK_EVERY = 0.25
STALLED_AFTER = 180.0
"""Seconds without any progress after which a run is given up; longer than the longest pause."""


class BadOption(Exception):
    """Options that cannot be run with; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """How to run.

    Args:
        latency: seconds that each Graph request takes.
        fault_rate: share of Graph requests and callbacks that fail, 0 to 1.
        seed: what faults are drawn from.
        more_columns: beside those that post-processing asks for.
    """

    post_process: str = "move"
    latency: float = 0.0
    fault_rate: float = 0.0
    seed: int = 0
    host: HostKind = "embedded"
    more_columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, object]:
        """The columns of the subscription that post-processing asks for."""
        chosen = {word.strip().lower() for word in self.post_process.split(",")}
        columns: dict[str, object] = {"userId": MAILBOX, "postProcess": self.post_process}
        columns |= self.more_columns
        if "move" in chosen:
            columns |= {"moveTo": MOVED_TO, "createFolder": True}
        if "categorize" in chosen:
            columns |= {"categories": LABEL}
        return columns

    @property
    def operations(self) -> frozenset[Operation]:
        """What post-processing does to a mail.

        Raises:
            BadOption: the connector would refuse such a subscription.
        """
        target = {"target": "webhook", "targetUrl": "https://target.example"}
        row = read_row({"PartitionKey": "demo", "RowKey": "support", **target, **self.columns})
        if isinstance(row, InvalidSubscription):
            raise BadOption(" ".join(row.problems))
        return frozenset(row.polling.post_process.operations)


@dataclass(slots=True)
class Progress:
    """Where a run stands."""

    found: int = 0
    callbacks: int = 0
    accepted: int = 0
    post_processed: int = 0
    requests: int = 0
    dead: int = 0
    states: Counter[str] = field(default_factory=Counter)


class DemoRun:
    """One run, inside an `async with` block; :meth:`watch` drives it to its end.

    Args:
        mails: MIME of each mail.
    """

    def __init__(self, mails: list[bytes], options: DemoOptions) -> None:
        self.stack: LocalStack
        self.app: AppProcess
        self.log: Path
        self.progress = Progress()
        self._mails = mails
        self._options = options
        self._operations = options.operations
        self._too_early = 0
        self._started = self._ended = time.monotonic()
        self._exit = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as starting:
            await self._start(starting)
            self._exit = starting.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    async def _start(self, running: contextlib.AsyncExitStack) -> None:
        options, secret = self._options, new_signing_secret()
        simulator = GraphSimulator(
            faults=Faults(
                latency=options.latency,
                rate=options.fault_rate,
                seed=options.seed,
                after_effect=0.5,
            )
        )
        receiver = CallbackReceiver(
            secret, fault_rate=options.fault_rate, seed=options.seed, on_accept=self._on_accept
        )
        directory = Path(running.enter_context(tempfile.TemporaryDirectory()))
        self.log = directory / "app.log"
        self.stack = await running.enter_async_context(
            local_stack(simulator, receiver, secret, directory)
        )
        await asyncio.to_thread(self._fill_mailbox, simulator)
        await self.stack.subscribe("demo/support", **options.columns)
        simulator.metrics.reset()
        self._started = time.monotonic()
        self.app = await running.enter_async_context(
            AppProcess(self.stack.app_settings, self.log, host=options.host)
        )

    def _fill_mailbox(self, simulator: GraphSimulator) -> None:
        simulator.add_mailbox(MAILBOX)
        start = datetime.now(UTC) - timedelta(seconds=len(self._mails))
        for number, mail in enumerate(self._mails):
            simulator.deliver(MAILBOX, mail, received=start + timedelta(seconds=number))

    def _on_accept(self, mail: AcceptedMail) -> None:
        """Counts a mail that was acted upon before this, its acceptance."""
        try:
            message = self.stack.simulator.message(MAILBOX, mail.mail_id or "")
        except GraphError:
            self._too_early += 1  # it is gone
        else:
            self._too_early += any(self._done_to(message))

    def _done_to(self, message: Message) -> list[bool]:
        """For each thing that can be seen of what was asked for, whether it was done to a mail."""
        if self._operations & {Operation.MOVE, Operation.DELETE, Operation.FORCE_DELETE}:
            return [message.folder is None or message.folder.path != "Inbox"]
        seen = {
            Operation.MARK_AS_READ: message.is_read,
            Operation.CATEGORIZE: LABEL in message.categories,
        }
        return [seen[operation] for operation in self._operations]

    async def watch(self, show: Callable[[Progress], None]) -> bool:
        """Looks at the run until every mail has come to its end; gives whether each did.

        Args:
            show: is given the progress after each look.
        """
        last, moved_at = "", time.monotonic()
        while True:
            await self._look()
            self._ended = time.monotonic()
            show(self.progress)
            if self._is_complete():
                return True
            if (now := repr(self.progress)) != last:
                last, moved_at = now, time.monotonic()
            if time.monotonic() - moved_at > STALLED_AFTER or not self.app.is_running:
                return False
            await asyncio.sleep(LOOK_EVERY)

    def _is_complete(self) -> bool:
        progress, states = self.progress, self.progress.states
        ended = states["done"] + states["dead"] + states["unmatched"]
        return progress.found >= len(self._mails) and ended >= len(self._mails)

    async def _look(self) -> None:
        metrics, counters = self.stack.simulator.metrics, self.stack.receiver.counters
        progress = self.progress
        progress.requests = metrics.requests
        progress.callbacks, progress.accepted = counters.received, counters.accepted
        progress.post_processed = self._count_post_processed()
        # reading the ledger costs the storage emulator more than a look may; near the end it counts
        if progress.post_processed + progress.dead >= len(self._mails) or not progress.found:
            await self._read_ledger()
        else:
            progress.found = max(progress.found, progress.callbacks)
            if time.monotonic() - self._ledger_read_at > 2.0:  # noqa: PLR2004 - seconds
                await self._read_ledger()

    _ledger_read_at = 0.0

    async def _read_ledger(self) -> None:
        self._ledger_read_at = time.monotonic()
        states: Counter[str] = Counter()
        table = TableClient.from_connection_string(self.stack.storage, "deliveries")
        async with table:
            try:
                async for row in table.list_entities(select=["state"]):
                    states[row["state"]] += 1
            except ResourceNotFoundError:
                return  # the app has not made it yet
        self.progress.states = states
        self.progress.found = states.total()
        self.progress.dead = states["dead"]

    def _count_post_processed(self) -> int:
        simulator = self.stack.simulator
        remaining = simulator.messages(MAILBOX, "inbox")
        still = sum(not all(self._done_to(message)) for message in remaining)
        return len(self._mails) - still

    def report(self, *, finished: bool) -> Report:
        """The figures; what the app's process used is known once it has stopped."""
        stack, states = self.stack, self.progress.states
        metrics, counters = stack.simulator.metrics, stack.receiver.counters
        post_processed = self._count_post_processed()
        return Report(
            mails=len(self._mails),
            delivered=counters.accepted,
            dead=states["dead"],
            unmatched=states["unmatched"],
            callbacks=counters.received,
            duplicate_callbacks=counters.duplicates,
            post_processed=post_processed,
            left_in_folder=len(self._mails) - post_processed,
            graph_requests=metrics.requests,
            graph_round_trips=metrics.round_trips,
            graph_429s=metrics.by_status[429],
            seconds=round(self._ended - self._started, 2),
            worker_cpu_seconds=self.app.usage.cpu_seconds,
            worker_peak_rss_mb=self.app.usage.peak_rss_mb,
            lost_answers=counters.lost_answers,
            too_early=self._too_early,
            finished=finished,
        )
