"""How many mails each recipient got in an hour, in the table `sendcounts`, guarded by ETags.

A row for each recipient, which holds the latest hour only: nothing has to be cleared away. Mails of
one process to a recipient are counted one after the other, so that only processes are rivals.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.tables import (
    CONFLICT,
    NOT_FOUND,
    PRECONDITION_FAILED,
    Table,
)
from shared.domain.errors import StorageUnavailable

ROUNDS = 12
"""How often a count is tried while other workers count the same recipient."""

LONGEST_PAUSE = 2.0
"""Seconds between two tries, at most."""

_SOMEBODY_WAS_FASTER = {CONFLICT, PRECONDITION_FAILED}


class TableSendCounts:
    """Fulfils :class:`~shared.outbound_ports.SendCounts`."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = Table(clients, "sendcounts")
        # a lock lives as long as somebody holds or wants it
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def add(self, recipient: str, hour: datetime, most: int) -> bool:
        """Counts one mail more, unless there were `most` already."""
        return await self._changed(recipient, hour, 1, range(most))

    async def take_back(self, recipient: str, hour: datetime) -> None:
        """Counts one mail less, if it still is that hour's count."""
        await self._changed(recipient, hour, -1, range(1, sys.maxsize))

    async def _changed(self, recipient: str, hour: datetime, by: int, counts: range) -> bool:
        """Changes the count of an hour, if it is one of `counts`; gives whether it was."""
        # half a surrogate is no address, but Graph may give one
        plain = recipient.lower().encode("utf-8", "surrogatepass")
        identity = hashlib.sha256(plain).hexdigest()
        keys = {"PartitionKey": identity[:2], "RowKey": identity[:40]}
        stamp = hour.astimezone(UTC).strftime("%Y-%m-%dT%H")
        async with self._locks.setdefault(identity, asyncio.Lock()):
            for round_ in range(ROUNDS):
                row, version = await self._read(keys)
                count = row.get("count", 0) if row.get("hour") == stamp else 0
                if count not in counts:
                    return False
                if await self._write({**keys, "hour": stamp, "count": count + by}, version):
                    return True
                longest = min(0.02 * 2**round_, LONGEST_PAUSE)
                await asyncio.sleep(random.uniform(0, longest))  # noqa: S311
        raise StorageUnavailable("table sendcounts: a recipient is counted by too many at once")

    async def _read(self, keys: dict[str, str]) -> tuple[dict[str, Any], str]:
        """The row of a recipient and its ETag; empty where there is none."""

        async def get(client: TableClient) -> tuple[dict[str, Any], str]:
            entity = await client.get_entity(keys["PartitionKey"], keys["RowKey"])
            return dict(entity), str(entity.metadata["etag"])

        try:
            return await self._table.run(get)
        except StorageUnavailable as error:
            if error.status == NOT_FOUND:
                return {}, ""
            raise

    async def _write(self, row: dict[str, Any], version: str) -> bool:
        """Writes a row; gives whether nobody was faster."""

        async def put(client: TableClient) -> None:
            if version:
                await client.update_entity(
                    row,
                    mode=UpdateMode.REPLACE,
                    etag=version,
                    match_condition=MatchConditions.IfNotModified,
                )
            else:
                await client.create_entity(row)

        try:
            await self._table.run(put)
        except StorageUnavailable as error:
            if error.status in _SOMEBODY_WAS_FASTER:
                return False
            raise
        return True
