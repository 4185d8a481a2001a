"""One storage and its workers: fakes, or the real adapters on Azurite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.envelopes import StorageEnvelopeQueue
from shared.adapters.storage.ledger import TableLedger
from shared.adapters.storage.polls import StoragePollQueue
from shared.adapters.storage.sources import TableSourceStates
from shared.adapters.storage.subscriptions import TableSubscriptions
from shared.domain.columns import Row
from shared.domain.delivery import Delivery, DeliveryKey
from shared.domain.source import SourceState
from shared.ports import (
    EnvelopeQueue,
    Ledger,
    PollQueue,
    SourceStates,
    SubscriptionStatus,
    SubscriptionTable,
)
from tests.fakes.ledger import FakeLedger
from tests.fakes.queues import FakeEnvelopeQueue, FakePollQueue, FakeQueue
from tests.fakes.tables import FakeSourceStates, FakeSubscriptionTable


class World(Protocol):
    """Each adapter that it gives stands for another worker on the same storage."""

    def ledger(self) -> Ledger: ...
    def sources(self) -> SourceStates: ...
    def subscriptions(self) -> SubscriptionTable: ...
    def emails(self) -> EnvelopeQueue: ...
    def polls(self) -> PollQueue: ...

    async def write_row(self, row: Mapping[str, Any]) -> None:
        """Does what a person does who edits the table `subscriptions`."""

    async def messages(self, queue: str) -> list[str]:
        """Takes all messages that can be seen."""
        ...

    async def blobs(self) -> list[str]:
        """The names of all blobs."""
        ...

    async def close(self) -> None:
        """Leaves the storage empty."""


class FakeWorld:
    def __init__(self) -> None:
        self._deliveries: dict[DeliveryKey, Delivery] = {}
        self._states: dict[str, SourceState] = {}
        self._rows: dict[str, Row] = {}
        self._reported: dict[str, SubscriptionStatus] = {}
        self._queues = {"emails": FakeQueue(), "polls": FakeQueue()}
        self._blobs: dict[str, bytes] = {}

    def ledger(self) -> Ledger:
        return FakeLedger(self._deliveries)

    def sources(self) -> SourceStates:
        return FakeSourceStates(self._states)

    def subscriptions(self) -> SubscriptionTable:
        return FakeSubscriptionTable(self._rows, self._reported)

    def emails(self) -> EnvelopeQueue:
        return FakeEnvelopeQueue(self._queues["emails"], self._blobs)

    def polls(self) -> PollQueue:
        return FakePollQueue(self._queues["polls"])

    async def write_row(self, row: Mapping[str, Any]) -> None:
        FakeSubscriptionTable(self._rows).write(row)

    async def messages(self, queue: str) -> list[str]:
        return self._queues[queue].take()

    async def blobs(self) -> list[str]:
        return sorted(self._blobs)

    async def close(self) -> None:
        """Nothing is shared with other tests."""


class AzuriteWorld:
    def __init__(self, connection_string: str) -> None:
        self.clients = StorageClients({"AzureWebJobsStorage": connection_string})
        self._ledgers: list[TableLedger] = []

    def ledger(self) -> TableLedger:
        self._ledgers.append(TableLedger(self.clients))
        return self._ledgers[-1]

    def sources(self) -> SourceStates:
        return TableSourceStates(self.clients)

    def subscriptions(self) -> SubscriptionTable:
        return TableSubscriptions(self.clients)

    def emails(self) -> EnvelopeQueue:
        return StorageEnvelopeQueue(self.clients)

    def polls(self) -> PollQueue:
        return StoragePollQueue(self.clients)

    async def write_row(self, row: Mapping[str, Any]) -> None:
        table = await self.clients.tables.create_table_if_not_exists("subscriptions")
        await table.upsert_entity(row, mode="replace")

    async def messages(self, queue: str) -> list[str]:
        client = self.clients.queues.get_queue_client(queue)
        return [message.content async for message in client.receive_messages()]

    async def blobs(self) -> list[str]:
        container = self.clients.blobs.get_container_client("envelopes")
        return [blob.name async for blob in container.list_blobs()]

    async def close(self) -> None:
        for ledger in self._ledgers:
            await ledger.close()
        async for table in self.clients.tables.list_tables():
            await self.clients.tables.delete_table(table.name)
        async for queue in self.clients.queues.list_queues():
            await self.clients.queues.delete_queue(queue)
        async for container in self.clients.blobs.list_containers():
            await self.clients.blobs.delete_container(container)
        await self.clients.close()
