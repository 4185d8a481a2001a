"""The table `subscriptions`, which people write, and `subscriptionstatus`, which answers them."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import EntityProperty, TableEntity, UpdateMode
from azure.data.tables.aio import TableClient

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.tables import NOT_FOUND, Table, stored
from shared.adapters.storage.transactions import (
    TRANSACTION_LIMIT,
    Entity,
    Operation,
    delete,
    upsert,
)
from shared.domain.columns import Row
from shared.domain.errors import StorageUnavailable
from shared.ports import SubscriptionStatus

TEXTS, CHARACTERS = 20, 800
"""Problems of a row that are kept, and characters of each: a column takes 32,768 characters."""


class TableSubscriptions:
    """Fulfils :class:`~shared.ports.SubscriptionTable`.

    A row that it gives has a key ``etag`` as well, which changes whenever somebody writes the row.
    """

    def __init__(self, clients: StorageClients) -> None:
        self._table = Table(clients, "subscriptions")
        self._statuses = Table(clients, "subscriptionstatus")

    async def rows(self) -> AsyncIterator[Row]:
        """All rows, as they are."""
        async for row in self._table.query():
            yield _plain_row(row)

    async def statuses(self) -> dict[str, SubscriptionStatus]:
        """What was reported last, by name."""
        found = [_status(row) async for row in self._statuses.query()]
        return {status.name: status for status in found}

    async def write(self, row: Row, known: str | None = None) -> None:
        """Writes a row, in place of one of the same keys.

        Args:
            row: the entity.
            known: ETag that the row must still have; empty: it must not be there yet; None:
                whatever it has.
        """
        entity = {column: value for column, value in row.items() if column != "etag"}

        async def put(client: TableClient) -> None:
            if known is None:
                await client.upsert_entity(entity, mode=UpdateMode.REPLACE)
            elif not known:
                await client.create_entity(entity)
            else:
                await client.update_entity(
                    entity,
                    mode=UpdateMode.REPLACE,
                    etag=known,
                    match_condition=MatchConditions.IfNotModified,
                )

        await self._table.run(put)

    async def remove(self, name: str) -> bool:
        """Removes a row; gives whether it was there."""
        try:
            # a transaction, for alone the library passes over that the row is not there
            await self._table.commit([delete(_keys(name))])
        except StorageUnavailable as error:
            if error.status != NOT_FOUND:
                raise
            return False
        return True

    async def report(
        self, changed: Sequence[SubscriptionStatus], gone: Sequence[str], now: datetime
    ) -> None:
        """Writes statuses that changed, and removes those whose row is gone."""
        operations = {name: delete(_keys(name)) for name in gone}
        for status in changed:
            operations[status.name] = upsert(_row(status, now))
        partitions: defaultdict[str, list[Operation]] = defaultdict(list)
        for operation in operations.values():
            partitions[operation.row["PartitionKey"]].append(operation)
        for some in partitions.values():
            for start in range(0, len(some), TRANSACTION_LIMIT):
                await self._write(some[start : start + TRANSACTION_LIMIT])

    async def _write(self, operations: Sequence[Operation]) -> None:
        """Does operations on one partition; what is to be removed may be gone already."""
        try:
            await self._statuses.commit(operations)
        except StorageUnavailable as error:
            if error.status != NOT_FOUND:
                raise
            if len(operations) > 1:
                await asyncio.gather(*(self._write([operation]) for operation in operations))


def _plain_row(row: TableEntity) -> dict[str, Any]:
    plain = {
        column: value.value if isinstance(value, EntityProperty) else value
        for column, value in row.items()
    }
    return {**plain, "etag": row.metadata["etag"] or ""}


def _keys(name: str) -> dict[str, Any]:
    partition, _, row = name.partition("/")
    return {"PartitionKey": partition, "RowKey": row}


def _row(status: SubscriptionStatus, now: datetime) -> dict[str, Any]:
    problems, warnings = _fitting(status.problems), _fitting(status.warnings)
    return {
        **_keys(status.name),
        "state": status.state,
        "source": status.source,
        "problems": "\n".join(problems),
        "warnings": "\n".join(warnings),
        "problemsJson": json.dumps(problems, ensure_ascii=False),
        "warningsJson": json.dumps(warnings, ensure_ascii=False),
        "checkedAt": stored(now),
    }


def _fitting(texts: Sequence[str]) -> list[str]:
    return [text[:CHARACTERS] for text in texts[:TEXTS]]


def _status(row: Entity) -> SubscriptionStatus:
    return SubscriptionStatus(
        name=f"{row['PartitionKey']}/{row['RowKey']}",
        state=row.get("state", ""),
        source=row.get("source", ""),
        problems=tuple(json.loads(row.get("problemsJson", "[]"))),
        warnings=tuple(json.loads(row.get("warningsJson", "[]"))),
    )
