"""The states of the sources in the table `sources`, guarded by ETags."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.guarded import write_unchanged
from shared.adapters.storage.lookup import find
from shared.adapters.storage.tables import (
    Table,
    plain,
    stored,
)
from shared.domain.source import SourceState

ERROR_CHARACTERS = 4000

_TIMES = {
    "watermark": "watermark",
    "sweptAt": "swept_at",
    "sweepPosition": "sweep_position",
    "purgedAt": "purged_at",
    "nextPollAt": "next_poll_at",
    "leaseUntil": "lease_until",
    "polledAt": "polled_at",
}


class TableSourceStates:
    """Fulfils :class:`~shared.ports.SourceStates`."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = Table(clients, "sources")

    async def all(self) -> dict[str, SourceState]:
        """Every stored state, by source id."""
        states = [_state(row, row.metadata["etag"]) async for row in self._table.query()]
        return {state.id: state for state in states}

    async def read(self, source_id: str) -> SourceState:
        """The state of one source; a fresh one where none is stored."""
        rows = await find(self._table, _partition(source_id), [source_id])
        if not rows:
            return SourceState(id=source_id)
        return _state(rows[0], rows[0].metadata["etag"])

    async def write(self, state: SourceState) -> SourceState | None:
        """Stores a state if nobody stored another since it was read (ETag).

        Returns:
            the state with its new version, or None where somebody else was faster.
        """
        version = await write_unchanged(self._table, _row(state), state.version)
        return None if version is None else replace(state, version=version)


def _partition(source_id: str) -> str:
    """One of 16 partitions, so that no server of the storage serves all sources alone."""
    return hashlib.sha256(source_id.encode()).hexdigest()[0]


def _row(state: SourceState) -> dict[str, Any]:
    times = {column: stored(getattr(state, field)) for column, field in _TIMES.items()}
    return {
        "PartitionKey": _partition(state.id),
        "RowKey": state.id,
        **times,
        "folderId": state.folder_id,
        "mailbox": state.mailbox,
        "subscriptions": json.dumps(state.subscriptions),
        "predecessors": json.dumps(state.predecessors),
        "failures": state.failures,
        "error": state.error[:ERROR_CHARACTERS],
    }


def _state(row: dict[str, Any], version: str | None) -> SourceState:
    # a column that a later version adds is absent from a row that an earlier one wrote
    times = {field: plain(row[column]) for column, field in _TIMES.items() if column in row}
    return SourceState(
        id=row["RowKey"],
        **times,
        folder_id=row.get("folderId", ""),
        mailbox=row.get("mailbox", ""),
        subscriptions=tuple(json.loads(row.get("subscriptions", "[]"))),
        predecessors=tuple(json.loads(row.get("predecessors", "[]"))),
        failures=row.get("failures", 0),
        error=row.get("error", ""),
        version=version or "",
    )
