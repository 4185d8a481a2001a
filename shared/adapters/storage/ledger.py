"""The ledger in the table `deliveries`: partition by source, row by mail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime

from azure.data.tables import TableEntity, UpdateMode

from shared.adapters.coalescing import Coalescer
from shared.adapters.storage.claims import claim
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.delivery_rows import changes, delivery_of
from shared.adapters.storage.lookup import find
from shared.adapters.storage.tables import (
    NOT_FOUND,
    PRECONDITION_FAILED,
    Table,
    any_of,
    moment,
)
from shared.adapters.storage.transactions import TRANSACTION_LIMIT, delete, merge
from shared.domain.delivery import Delivery, DeliveryKey, State
from shared.domain.errors import ConnectorError, DeliveryNotFound, StorageUnavailable
from shared.domain.odata import quoted

READS_TOGETHER = 48
READS_IN_FLIGHT = 2
LINGER = 0.03
"""Seconds that a read or save waits for others: one request for several halves their cost."""

_NO_ENTRY = {401, 403}
_OPEN = any_of("state", (state for state in State if not state.is_final))
_FINAL = any_of("state", (state for state in State if state.is_final))


class TableLedger:
    """Fulfils :class:`~shared.ports.Ledger`.

    Reads and saves that concurrent tasks ask for travel together. Close it, before the clients.
    """

    def __init__(self, clients: StorageClients) -> None:
        self._table = Table(clients, "deliveries")
        self._reads: Coalescer[str, str, Delivery | None] = Coalescer(
            self._read_together, limit=READS_TOGETHER, in_flight=READS_IN_FLIGHT, linger=LINGER
        )
        # one at a time, so that a later save of a delivery never comes before an earlier one
        self._saves: Coalescer[str, Delivery, None] = Coalescer(
            self._save_together, limit=TRANSACTION_LIMIT, linger=LINGER
        )

    async def claim(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Stores those that are not known yet, and gives them, in order. All of one source."""
        return await claim(self._table, deliveries)

    async def read(self, key: DeliveryKey) -> Delivery | None:
        """One delivery, or None where it is not known."""
        return await self._reads.submit(key.source, key.mail)

    async def save(self, delivery: Delivery) -> None:
        """Stores what changes in the course of a delivery that was claimed.

        Raises:
            DeliveryNotFound: the ledger does not know it.
        """
        await self._saves.submit(delivery.key.source, delivery)

    async def overdue(self, before: datetime) -> AsyncIterator[Delivery]:
        """Deliveries not at their end whose `due_at` lies before a time."""
        async for row in self._table.query(f"{_OPEN} and dueAt lt {moment(before)}"):
            yield delivery_of(row)

    async def find(
        self, states: Collection[State] = (), source_id: str = ""
    ) -> AsyncIterator[Delivery]:
        """Deliveries in some states, of one source; all of both where not told otherwise."""
        conditions = [f"PartitionKey eq {quoted(source_id)}"] if source_id else []
        if states:
            conditions.append(any_of("state", states))
        async for row in self._table.query(" and ".join(conditions)):
            yield delivery_of(row)

    async def purge(self, source_id: str, before: datetime) -> int:
        """Forgets deliveries of a source that ended before a time. Gives how many."""
        condition = (
            f"PartitionKey eq {quoted(source_id)} and {_FINAL} and updatedAt lt {moment(before)}"
        )
        purged, rows = 0, []
        async for row in self._table.query(condition, ["PartitionKey", "RowKey", "Timestamp"]):
            rows.append(row)
            if len(rows) == TRANSACTION_LIMIT:
                purged += await self._forget(rows)
                rows = []
        return purged + await self._forget(rows)

    async def close(self) -> None:
        """Returns when all reads and saves are done."""
        await asyncio.gather(self._reads.close(), self._saves.close())

    async def _read_together(self, source: str, mails: Sequence[str]) -> list[Delivery | None]:
        rows = await find(self._table, source, mails)
        known = {row["RowKey"]: delivery_of(row) for row in rows}
        return [known.get(mail) for mail in mails]

    async def _save_together(
        self, _source: str, deliveries: Sequence[Delivery]
    ) -> Sequence[Exception | None]:
        """Saves the last state of each delivery; if one cannot be saved the others still are."""
        last = {delivery.key.mail: delivery for delivery in deliveries}
        operations = [merge(changes(one)) for one in last.values()]
        try:
            await self._table.commit(operations)
        except StorageUnavailable as error:
            if error.retryable or error.status in _NO_ENTRY:
                raise
        else:
            return [None] * len(deliveries)
        outcomes = await asyncio.gather(*(self._save_alone(one) for one in last.values()))
        by_mail = dict(zip(last, outcomes, strict=True))
        return [by_mail[delivery.key.mail] for delivery in deliveries]

    async def _save_alone(self, delivery: Delivery) -> ConnectorError | None:
        row = changes(delivery)
        try:
            await self._table.run(lambda client: client.update_entity(row, mode=UpdateMode.MERGE))
        except StorageUnavailable as error:
            if error.status != NOT_FOUND:
                return error
            missing = DeliveryNotFound(delivery.key.source, delivery.key.mail)
            missing.__cause__ = error
            return missing
        return None

    async def _forget(self, rows: Sequence[TableEntity]) -> int:
        """Deletes rows, but for those that were changed since they were read."""
        if not rows:
            return 0
        try:
            await self._table.commit([delete(row, row.metadata["etag"] or "") for row in rows])
        except StorageUnavailable as error:
            if error.status not in {NOT_FOUND, PRECONDITION_FAILED}:
                raise
            if len(rows) == 1:
                return 0
            return sum([await self._forget([row]) for row in rows])
        return len(rows)
