"""The sends in the table `outbox`, guarded by ETags: partition by mailbox, row by key."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableClient

from shared.adapters.coalescing import Coalescer
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.outbox_rows import CHANGE, changes, item_of, new_row, partition
from shared.adapters.storage.tables import (
    CONFLICT,
    NOT_FOUND,
    PRECONDITION_FAILED,
    Table,
    any_of,
    moment,
)
from shared.adapters.storage.transactions import TRANSACTION_LIMIT, Operation, insert, merge
from shared.domain.errors import StorageUnavailable
from shared.domain.outbound.outbox import OutboxItem, SendId, SendState

PURGED_AT_ONCE = 16
LARGEST_REQUEST = 1_000_000
"""Bytes of a transaction: Azure takes 4 MiB, and more than 1 MiB in one piece would hold up the
event loop."""

ROW_BYTES = 4096
"""What a row takes beside its content, at the most that is usual."""

LINGER = 0.01
"""Seconds that a write waits for others of its mailbox: one request for several costs less."""

_NO_ENTRY = {401, 403}
_SOMEBODY_WAS_FASTER = {CONFLICT, PRECONDITION_FAILED, NOT_FOUND}
_OPEN = any_of("state", (state for state in SendState if not state.is_final))
_FINAL = any_of("state", (state for state in SendState if state.is_final))
_WITHOUT_CONTENT = [
    *("PartitionKey", "RowKey", "Timestamp", "mailbox", "credential", "fingerprint", "draftKey"),
    *("state", "acceptedAt", "updatedAt", "dueAt", "attempts", "counted", "askedAt", "draftId"),
    *("internetMessageId", "conversationId", "reason", "blob", "size"),
]


class TableOutbox:
    """Fulfils :class:`~shared.outbox_ports.OutboxTable`.

    Writes for one mailbox that concurrent tasks ask for travel together. Close it, before the
    clients.
    """

    def __init__(self, clients: StorageClients) -> None:
        self._table = Table(clients, "outbox")
        self._writes: Coalescer[str, OutboxItem, OutboxItem | None] = Coalescer(
            self._write_together, limit=TRANSACTION_LIMIT, linger=LINGER
        )

    async def add(self, item: OutboxItem) -> OutboxItem | None:
        """Stores a new send; None where its key is known already."""
        return await self._writes.submit(partition(item.id), replace(item, version=""))

    async def read(self, identity: SendId) -> OutboxItem | None:
        """One send; None where it is not known."""
        row = await self._row(identity)
        return None if row is None else item_of(row, row.metadata["etag"])

    async def write(self, item: OutboxItem) -> OutboxItem | None:
        """Stores what changes, if nobody has changed it since it was read; else gives None."""
        return await self._writes.submit(partition(item.id), item)

    async def overdue(self, before: datetime) -> AsyncIterator[OutboxItem]:
        """Sends not at their end whose `due_at` lies before a time; without their content."""
        condition = f"{_OPEN} and dueAt lt {moment(before)}"
        async for row in self._table.query(condition, _WITHOUT_CONTENT):
            yield item_of(row, row.metadata["etag"])

    async def purge(self, before: datetime) -> int:
        """Forgets sends that ended before a time. Gives how many."""
        condition = f"{_FINAL} and updatedAt lt {moment(before)}"
        purged, rows = 0, []
        async for row in self._table.query(condition, ["PartitionKey", "RowKey", "Timestamp"]):
            rows.append(row)
            if len(rows) == PURGED_AT_ONCE:
                purged += await self._forget(rows)
                rows = []
        return purged + await self._forget(rows)

    async def close(self) -> None:
        """Returns when all writes are done."""
        await self._writes.close()

    async def _write_together(
        self, _partition: str, items: Sequence[OutboxItem]
    ) -> Sequence[OutboxItem | Exception | None]:
        """Stores them in as few transactions as their bytes allow."""
        stored = [await self._write_some(some) for some in _together(items)]
        return [one for some in stored for one in some]

    async def _write_some(
        self, items: Sequence[OutboxItem]
    ) -> Sequence[OutboxItem | Exception | None]:
        """Stores all in one transaction; if one of them cannot be stored, each by itself."""
        writes = [(item, secrets.token_hex(8)) for item in items]
        if len(writes) > 1:
            try:
                return await self._transaction(writes)
            except StorageUnavailable as error:
                if error.retryable or error.status in _NO_ENTRY:
                    raise
        return await asyncio.gather(*(self._write_alone(*write) for write in writes))

    async def _transaction(self, writes: Sequence[tuple[OutboxItem, str]]) -> list[OutboxItem]:
        operations = [_operation(item, change) for item, change in writes]
        versions = await self._table.commit(operations, may_repeat=False)
        return [
            replace(item, version=version)
            for (item, _), version in zip(writes, versions, strict=True)
        ]

    async def _write_alone(
        self, item: OutboxItem, change: str
    ) -> OutboxItem | StorageUnavailable | None:
        async def put(client: TableClient) -> Mapping[str, Any]:
            if not item.version:
                return await client.create_entity(new_row(item, change))
            return await client.update_entity(
                changes(item, change),
                mode=UpdateMode.MERGE,
                etag=item.version,
                match_condition=MatchConditions.IfNotModified,
            )

        try:
            answer = await self._table.run(put)
            return replace(item, version=str(answer["etag"]))
        except StorageUnavailable as error:
            if error.status not in _SOMEBODY_WAS_FASTER:
                return error
        # it may have been ourselves: the library repeats what was not answered
        try:
            row = await self._row(item.id)
        except StorageUnavailable as error:
            return error
        if row is None or row.get(CHANGE) != change:
            return None
        return replace(item, version=str(row.metadata["etag"]))

    async def _row(self, identity: SendId) -> TableEntity | None:
        try:
            return await self._table.run(
                lambda client: client.get_entity(partition(identity), identity.key)
            )
        except StorageUnavailable as error:
            if error.status == NOT_FOUND:
                return None
            raise

    async def _forget(self, rows: Sequence[TableEntity]) -> int:
        return sum(await asyncio.gather(*(self._forget_one(row) for row in rows)))

    async def _forget_one(self, row: TableEntity) -> bool:
        """Deletes a row, unless it was changed since it was read, or is gone."""

        async def delete(client: TableClient) -> None:
            await client.delete_entity(
                row,
                etag=row.metadata["etag"],
                match_condition=MatchConditions.IfNotModified,
            )

        try:
            await self._table.run(delete)
        except StorageUnavailable as error:
            if error.status not in {NOT_FOUND, PRECONDITION_FAILED}:
                raise
            return False
        return True


def _together(items: Sequence[OutboxItem]) -> list[list[OutboxItem]]:
    """Items that go in one request, in their order."""
    groups: list[list[OutboxItem]] = [[]]
    size = 0
    for item in items:
        weight = 2 * len(item.content) + ROW_BYTES
        if groups[-1] and size + weight > LARGEST_REQUEST:
            groups.append([])
            size = 0
        groups[-1].append(item)
        size += weight
    return groups


def _operation(item: OutboxItem, change: str) -> Operation:
    if not item.version:
        return insert(new_row(item, change))
    return merge(changes(item, change), item.version)
