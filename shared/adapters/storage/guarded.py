"""Storing a row unless somebody else has stored it since it was read (ETag)."""

from __future__ import annotations

from uuid import uuid4

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from shared.adapters.storage.lookup import find
from shared.adapters.storage.tables import (
    CONFLICT,
    NOT_FOUND,
    PRECONDITION_FAILED,
    Table,
)
from shared.adapters.storage.transactions import Entity
from shared.domain.errors import StorageUnavailable

WRITE = "write"
"""The column that says which call stored the row."""

_SOMEBODY_WAS_FASTER = {CONFLICT, PRECONDITION_FAILED, NOT_FOUND}


async def write_unchanged(table: Table, row: Entity, version: str) -> str | None:
    """Stores a row in place of the one that was read.

    Args:
        table: where.
        row: whole, with its keys.
        version: ETag of what was read; empty where there was nothing.

    Returns:
        the new ETag; None where somebody else was faster.
    """
    # a repetition of a write whose answer was lost collides with the first try, which is ours
    token = uuid4().hex
    marked = {**row, WRITE: token}

    async def put(client: TableClient) -> str:
        if not version:
            return str((await client.create_entity(marked))["etag"])
        answer = await client.update_entity(
            marked,
            mode=UpdateMode.REPLACE,
            etag=version,
            match_condition=MatchConditions.IfNotModified,
        )
        return str(answer["etag"])

    try:
        return await table.run(put)
    except StorageUnavailable as error:
        if error.status not in _SOMEBODY_WAS_FASTER:
            raise
    rows = await find(table, row["PartitionKey"], [row["RowKey"]])
    if not rows or rows[0].get(WRITE) != token:
        return None
    return rows[0].metadata["etag"] or ""
