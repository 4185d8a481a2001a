"""How fast does the outbox send, where each Graph request takes its time?

The simulator runs in this process, storage (Azurite) and worker in processes of their own. The
worker runs as many sends at once as one instance does by host.json.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.child import run_module
from benchmarks.figures import Figure
from benchmarks.lab import Lab
from localdev.app_process import ROOT
from localdev.azurite import Azurite
from localdev.graph_simulator import CLIENT_ID, SECRET, TENANT_ID, Faults, GraphSimulator, Metrics
from shared.adapters.accounts.tables import TableAccounts
from shared.adapters.graph.client import GraphClient
from shared.adapters.graph.credentials import build_credential
from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.adapters.graph.outbound import GraphMailOperations
from shared.adapters.secrets import SecretStore
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.documents import BlobDocuments
from shared.adapters.storage.outbox import TableOutbox
from shared.adapters.storage.outbox_queue import BlobOutboxContents, StorageOutboxQueue
from shared.composition import SystemClock
from shared.domain.outbound.outbox import OutboxMessage, SendState, send_id
from shared.domain.subscription import Credential
from shared.outbound_ports import Caller
from shared.settings import Settings
from shared.workflows.concurrency import for_each
from shared.workflows.outbound.sending import Sending
from shared.workflows.outbox.box import Outbox
from shared.workflows.outbox.enqueue import enqueue, read_request
from shared.workflows.outbox.send_queued import send_queued

LATENCY = 0.05
AT_ONCE = 4
BESIDE_THE_IDEAL = 1.25
MAILBOXES = 10
FEW_MAILBOXES = 2
"""As many as leave the processors time between two requests: what is left is our waiting."""

ENOUGH_SENDS = 1000
"""With fewer, the first and the last requests weigh too much for a verdict."""

REQUESTS_A_SEND = 2


@dataclass(frozen=True, slots=True)
class _Run:
    """What a worker did, as it says, and as the simulator saw it.

    Args:
        worker: seconds and CPU of its parts.
        sent: mails that left the mailboxes.
    """

    worker: dict[str, float]
    metrics: Metrics
    sent: int


async def measure(lab: Lab) -> list[Figure]:
    """Compares the time of many durable sends with what four requests at once allow."""
    sends = lab.sizes.mails
    lab.say(
        f"{sends:,} durable sends from {MAILBOXES} mailboxes, {1000 * LATENCY:.0f} ms a request"
    )
    run = await _run(sends, MAILBOXES)
    few = sends * FEW_MAILBOXES // MAILBOXES
    metrics = run.metrics
    return [
        _beside_the_ideal(run, sends, MAILBOXES),
        _beside_the_ideal(await _run(few, FEW_MAILBOXES), few, FEW_MAILBOXES),
        Figure(
            what="Graph requests a durable send",
            value=metrics.requests / sends,
            budget=REQUESTS_A_SEND,
            binding=True,
            how="the same run: create the draft, send it; the simulator's count",
        ),
        Figure(
            what="durable sends that did not go out once",
            value=abs(run.sent - sends) + abs(run.worker["sent"] - sends),
            budget=0,
            binding=True,
            how="the same run; the simulator's count, and the states in the table",
        ),
        Figure(
            what="requests at once on a mailbox, sending",
            value=max(metrics.max_concurrency.values(), default=0),
            budget=AT_ONCE,
            binding=True,
            how="the most of any moment, as the simulator saw them",
        ),
        Figure(
            what="durable sends accepted a second",
            value=sends / run.worker["accepting"],
            unit="/s",
            how="the same run: stored and queued, before any is sent",
        ),
    ]


def _beside_the_ideal(run: _Run, sends: int, mailboxes: int) -> Figure:
    took = run.worker["sending"]
    ideal = run.metrics.requests / mailboxes * LATENCY / AT_ONCE
    return Figure(
        what=f"durable sends from {mailboxes} mailboxes, to what 4 requests at once on each allow",
        value=took / ideal,
        budget=BESIDE_THE_IDEAL,
        binding=sends / mailboxes >= ENOUGH_SENDS / MAILBOXES,
        how=f"{sends} sends, 50 ms a request: {took:.2f} s from the first to the last, to"
        f" {run.metrics.requests} requests x 50 ms / 4 / {mailboxes} = {ideal:.2f} s;"
        f" {run.worker['cpu']:.2f} s of CPU",
    )


async def _run(sends: int, mailboxes: int) -> _Run:
    simulator = GraphSimulator(faults=Faults(latency=LATENCY))
    for mailbox in _mailboxes(mailboxes):
        simulator.add_mailbox(mailbox)
    with tempfile.TemporaryDirectory() as directory:
        async with Azurite() as azurite, simulator.serve(ca_dir=Path(directory)) as graph:
            environment = {
                **graph.environment,
                "AzureWebJobsStorage": azurite.connection_string,
                "M365_TENANT_ID": TENANT_ID,
                "M365_CLIENT_ID": CLIENT_ID,
                "M365_CLIENT_SECRET": SECRET,
                "GRAPH_ENDPOINT": graph.graph_url,
            }
            ended = await run_module("benchmarks.outbox", [str(sends), str(mailboxes)], environment)
    return _Run(ended.lines[-1], simulator.metrics, len(simulator.sent))


def _mailboxes(amount: int) -> list[str]:
    return [f"sender{number}@contoso.example" for number in range(amount)]


class _NoCounts:
    """Counts nothing: the cap on mails a recipient is off."""

    async def add(self, *_: object) -> bool:
        """Any mail may go."""
        return True

    async def take_back(self, *_: object) -> None:
        """Nothing was counted."""


async def _work(sends: int, mailboxes: int) -> dict[str, Any]:
    """What the worker does: accepts all, then sends all."""
    settings = Settings.from_environment(os.environ)
    secrets, storage = SecretStore(settings.secrets), StorageClients(settings.storage)

    async def connect(credential: Credential) -> GraphClient:
        signed_in = await build_credential(credential, settings, secrets)
        return GraphClient(signed_in, settings.graph_endpoint)

    own, table = GraphMailboxes(connect), TableOutbox(storage)
    operations = GraphMailOperations(own, GraphMailboxes(connect))
    box = Outbox(
        table=table,
        queue=StorageOutboxQueue(storage),
        contents=BlobOutboxContents(storage),
        accounts=TableAccounts(storage),
        sending=Sending(
            operations=operations,
            documents=BlobDocuments(storage),
            counts=_NoCounts(),
            clock=SystemClock(),
            most_per_hour=0,
        ),
    )
    names = _mailboxes(mailboxes)
    ids = [(names[number % mailboxes], f"send-{number}") for number in range(sends)]

    async def accept(one: tuple[str, str]) -> None:
        request, written = read_request(
            {"to": ["ada@example.org"], "subject": "Receipt", "body": "Thank you.\n" * 200}
        )
        await enqueue(box, Caller(one[0]), request, one[1], written)

    async def send(message: str) -> None:
        await send_queued(OutboxMessage.decode(message), box, is_first=True)

    began = time.perf_counter()
    await for_each(accept, ids, _at_once())
    accepting = time.perf_counter() - began
    queue = storage.queues.get_queue_client("outbox")
    messages = [one.content async for one in queue.receive_messages(messages_per_page=32)]
    messages.sort(key=_number)  # as they were asked for, and not as concurrent tasks stored them
    await own.token(Credential())  # as a worker has it that has been running
    began, cpu = time.perf_counter(), time.process_time()
    await for_each(send, messages, _at_once())
    figures = {
        "accepting": accepting,
        "sending": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
    }
    figures["sent"] = await _count_sent(table, ids)
    await operations.close()
    await own.close()
    await table.close()
    await storage.close()
    return figures


def _number(message: str) -> int:
    return int(OutboxMessage.decode(message).key.removeprefix("send-"))


async def _count_sent(table: TableOutbox, ids: Iterable[tuple[str, str]]) -> int:
    items = [await table.read(send_id(*one)) for one in ids]
    return sum(item is not None and item.state is SendState.SENT for item in items)


def _at_once() -> int:
    """How many messages of a queue one instance works on at the same time."""
    queues = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]
    return int(queues["batchSize"] + queues["newBatchThreshold"])


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_work(int(sys.argv[2]), int(sys.argv[3])))))
