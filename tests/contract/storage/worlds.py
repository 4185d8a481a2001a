"""One storage and its workers: fakes, or the real adapters on Azurite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.documents import BlobDocuments
from shared.adapters.storage.envelopes import StorageEnvelopeQueue
from shared.adapters.storage.ledger import TableLedger
from shared.adapters.storage.polls import StoragePollQueue
from shared.adapters.storage.sources import TableSourceStates
from shared.adapters.storage.subscriptions import TableSubscriptions
from shared.domain.columns import Row
from shared.domain.delivery import Delivery, DeliveryKey
from shared.domain.document import Document
from shared.domain.source import SourceState
from shared.ports import (
    Documents,
    EnvelopeQueue,
    Ledger,
    PollQueue,
    SourceStates,
    SubscriptionStatus,
    SubscriptionTable,
)
from tests.fakes.documents import FakeDocuments
from tests.fakes.ledger import FakeLedger
from tests.fakes.queues import FakeEnvelopeQueue, FakePollQueue, FakeQueue
from tests.fakes.tables import FakeSourceStates, FakeSubscriptionTable


@dataclass(frozen=True)
class World:
    """A storage with nothing in it.

    Args:
        ledger: gives a ledger; each stands for another worker on this storage. So do the next five.
        write_row: does what a person does who edits the table `subscriptions`.
        messages: takes all messages off a queue that can be seen.
        blobs: names all blobs.
    """

    ledger: Callable[[], Ledger]
    sources: Callable[[], SourceStates]
    subscriptions: Callable[[], SubscriptionTable]
    emails: Callable[[], EnvelopeQueue]
    polls: Callable[[], PollQueue]
    documents: Callable[[], Documents]
    write_row: Callable[[Mapping[str, Any]], Awaitable[None]]
    messages: Callable[[str], Awaitable[list[str]]]
    blobs: Callable[[], Awaitable[list[str]]]


def fake_world() -> World:
    deliveries: dict[DeliveryKey, Delivery] = {}
    states: dict[str, SourceState] = {}
    rows: dict[str, Row] = {}
    reported: dict[str, SubscriptionStatus] = {}
    queues = {"emails": FakeQueue(), "polls": FakeQueue()}
    contents: dict[str, bytes] = {}
    documents: dict[str, tuple[Document, bytes]] = {}

    async def write_row(row: Mapping[str, Any]) -> None:
        FakeSubscriptionTable(rows).write(row)

    async def messages(queue: str) -> list[str]:
        return queues[queue].take()

    async def blobs() -> list[str]:
        return sorted(contents)

    return World(
        ledger=lambda: FakeLedger(deliveries),
        sources=lambda: FakeSourceStates(states),
        subscriptions=lambda: FakeSubscriptionTable(rows, reported),
        emails=lambda: FakeEnvelopeQueue(queues["emails"], contents),
        polls=lambda: FakePollQueue(queues["polls"]),
        documents=lambda: FakeDocuments(documents),
        write_row=write_row,
        messages=messages,
        blobs=blobs,
    )


def real_world(clients: StorageClients) -> World:
    async def write_row(row: Mapping[str, Any]) -> None:
        table = await clients.tables.create_table_if_not_exists("subscriptions")
        await table.upsert_entity(row, mode="replace")

    async def messages(queue: str) -> list[str]:
        client = clients.queues.get_queue_client(queue)
        return [message.content async for message in client.receive_messages()]

    async def blobs() -> list[str]:
        container = clients.blobs.get_container_client("envelopes")
        return [blob.name async for blob in container.list_blobs()]

    return World(
        ledger=lambda: TableLedger(clients),
        sources=lambda: TableSourceStates(clients),
        subscriptions=lambda: TableSubscriptions(clients),
        emails=lambda: StorageEnvelopeQueue(clients),
        polls=lambda: StoragePollQueue(clients),
        documents=lambda: BlobDocuments(clients),
        write_row=write_row,
        messages=messages,
        blobs=blobs,
    )


async def clear(clients: StorageClients) -> None:
    async for table in clients.tables.list_tables():
        await clients.tables.delete_table(table.name)
    async for queue in clients.queues.list_queues():
        await clients.queues.delete_queue(queue)
    async for container in clients.blobs.list_containers():
        await clients.blobs.delete_container(container)
