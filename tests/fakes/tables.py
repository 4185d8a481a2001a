"""The tables of subscriptions and sources, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Generator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

from shared.domain.columns import Row
from shared.domain.errors import StorageUnavailable
from shared.domain.source import SourceState
from shared.ports import SubscriptionStatus

_versions = count(1)


class _Done(Coroutine[Any, Any, None]):
    """Something that is done already, whether or not somebody awaits it."""

    def __await__(self) -> Generator[Any, None, None]:
        yield from ()

    def send(self, value: Any, /) -> Any:
        raise StopIteration(value)

    def throw(self, *_: Any) -> Any:
        raise StopIteration

    def close(self) -> None:
        """There is nothing to end."""


class FakeSubscriptionTable:
    """Fulfils :class:`~shared.ports.SubscriptionTable`.

    Args:
        rows: the rows by name, shared by tables that stand for workers on one storage.
        reported: the statuses by name, shared likewise.
    """

    def __init__(
        self,
        rows: dict[str, Row] | None = None,
        reported: dict[str, SubscriptionStatus] | None = None,
    ) -> None:
        self.by_name = {} if rows is None else rows
        self.reported = {} if reported is None else reported
        self.reported_at: datetime | None = None

    def write(self, row: Mapping[str, Any], known: str | None = None) -> _Done:
        """Writes a row with a new ETag, at once: a test need not await it."""
        name = f"{row['PartitionKey']}/{row['RowKey']}"
        there = self.by_name.get(name)
        if known is not None and known != (there["etag"] if there else ""):
            status = (412 if there else 404) if known else 409
            raise StorageUnavailable(f"table subscriptions: answered {status}", status)
        self.by_name[name] = {**row, "etag": f"v{next(_versions)}"}
        return _Done()

    async def remove(self, name: str) -> bool:
        """Removes a row; gives whether it was there."""
        return self.by_name.pop(name, None) is not None

    async def rows(self) -> AsyncIterator[Row]:
        """All rows, as they are."""
        for row in list(self.by_name.values()):
            yield row

    async def statuses(self) -> dict[str, SubscriptionStatus]:
        """What was reported last, by name."""
        return dict(self.reported)

    async def report(
        self, changed: Sequence[SubscriptionStatus], gone: Sequence[str], now: datetime
    ) -> None:
        """Writes statuses that changed, and removes those whose row is gone."""
        for name in gone:
            self.reported.pop(name, None)
        self.reported.update((status.name, status) for status in changed)
        self.reported_at = now


class FakeSourceStates:
    """Fulfils :class:`~shared.ports.SourceStates`.

    Args:
        states: the states by id, shared by those that stand for workers on one storage.
    """

    def __init__(self, states: dict[str, SourceState] | None = None) -> None:
        self.states = {} if states is None else states

    async def all(self) -> dict[str, SourceState]:
        """Every stored state, by source id."""
        return dict(self.states)

    async def read(self, source_id: str) -> SourceState:
        """The state of one source; a fresh one where none is stored."""
        return self.states.get(source_id) or SourceState(id=source_id)

    async def write(self, state: SourceState) -> SourceState | None:
        """Stores a state if nobody stored another since it was read."""
        known = self.states.get(state.id)
        if state.version != (known.version if known else ""):
            return None
        stored = replace(state, version=f"v{next(_versions)}")
        self.states[state.id] = stored
        return stored
