"""The subscriptions and sources as the table has them now, each row read once for each change."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.columns import Row, read_row
from shared.domain.errors import ConnectorError
from shared.domain.rivals import split_rivals
from shared.domain.source import Source, group_sources
from shared.domain.subscription import InvalidSubscription, ReadSubscription, Subscription
from shared.ports import Clock, SourceStates, SubscriptionStatus, SubscriptionTable
from shared.telemetry import frames, logger

ADOPTION_ATTEMPTS = 5
FRESH_FOR = timedelta(seconds=15)
"""A change in the table is seen after this time and one tick at most."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the table says.

    Args:
        subscriptions: every row by name, valid or not.
        sources: what is to be polled, by id.
    """

    subscriptions: Mapping[str, ReadSubscription]
    sources: Mapping[str, Source]


def configured(rows: Mapping[str, ReadSubscription]) -> Configuration:
    """What rows come to together: those that contradict others are invalid, the rest has sources.

    Args:
        rows: each row by itself, by name.
    """
    valid = [one for one in rows.values() if isinstance(one, Subscription)]
    grouped, contradicting = group_sources(valid)
    sources, rivals = split_rivals(grouped)
    refused = {one.name: one for one in (*contradicting, *rivals)}
    return Configuration({**rows, **refused}, {source.id: source for source in sources})


class Registry:
    """Reads the table when what it knows is older than :data:`FRESH_FOR`.

    Rows whose ETag is unchanged are not parsed again; statuses are written only where they change.

    Attributes:
        known_since: when this process first saw each source, by id.
    """

    def __init__(
        self,
        table: SubscriptionTable,
        states: SourceStates,
        clock: Clock,
        plain_http_hosts: Collection[str],
    ) -> None:
        self._table = table
        self._states = states
        self._clock = clock
        self._plain_http_hosts = frozenset(plain_http_hosts)
        self._parsed: dict[str, tuple[str, ReadSubscription]] = {}
        self._reported: dict[str, SubscriptionStatus] | None = None
        self._known: tuple[datetime, Configuration] | None = None
        self.known_since: Mapping[str, datetime] = {}
        self._reading = asyncio.Lock()

    async def current(self) -> Configuration:
        """The configuration, at most :data:`FRESH_FOR` old."""
        async with self._reading:
            if self._known is None or self._known[0] + FRESH_FOR <= self._clock.now():
                self._known = self._clock.now(), await self._read_or_keep()
            return self._known[1]

    async def _read_or_keep(self) -> Configuration:
        """What the table says; where it cannot be read, what it said last."""
        try:
            return await self._read()
        except ConnectorError as error:
            if self._known is None:
                raise
            logger().warning("subscriptions.not_read", reason=str(error))
            return self._known[1]

    async def _read(self) -> Configuration:
        parsed: dict[str, tuple[str, ReadSubscription]] = {}
        async for row in self._table.rows():
            name, etag = f"{row['PartitionKey']}/{row['RowKey']}", str(row.get("etag", ""))
            known = self._parsed.get(name)
            if known is not None and etag and known[0] == etag:
                parsed[name] = known
            else:
                parsed[name] = etag, self._parse(name, row)
        self._parsed = parsed
        configuration = configured({name: read for name, (_, read) in parsed.items()})
        sources = configuration.sources.values()
        if self._reported is None:
            self._reported = await self._table.statuses()
        for source in sources:
            await self._adopt(source, self._reported)
        self._reported = await self._report(configuration, self._reported)
        now = self._clock.now()
        self.known_since = {one.id: self.known_since.get(one.id, now) for one in sources}
        return configuration

    def _parse(self, name: str, row: Row) -> ReadSubscription:
        try:
            return read_row(row, self._plain_http_hosts)
        except Exception as error:  # noqa: BLE001 - one row never stops another
            logger().error("subscription.unreadable", subscription=name, frames=frames(error))
            return InvalidSubscription(name, (f"cannot be read ({type(error).__name__}).",))

    async def _adopt(self, source: Source, reported: Mapping[str, SubscriptionStatus]) -> None:
        """Lets a source know what fed its subscriptions before a change of their properties.

        Mail that is still in the mailbox would be new to it, and delivered a second time.

        Raises:
            ConnectorError: other workers kept on changing the source's state.
        """
        fed = {reported[name].source for name in source.subscriptions if name in reported}
        former = fed - {"", source.id}
        if not former:
            return
        inherited = [(await self._states.read(one)).predecessors for one in sorted(former)]
        wanted = former.union(*inherited) - {source.id}
        for _ in range(ADOPTION_ATTEMPTS):
            state = await self._states.read(source.id)
            if wanted <= set(state.predecessors):
                return
            known = tuple(sorted(wanted.union(state.predecessors)))
            if await self._states.write(replace(state, predecessors=known)) is not None:
                return
        raise ConnectorError(f"source {source.id}: its state is being changed by other workers")

    async def _report(
        self, configuration: Configuration, reported: Mapping[str, SubscriptionStatus]
    ) -> dict[str, SubscriptionStatus]:
        """Keeps on the status rows what an operator wants to know, and logs what is new."""
        fed_by = {
            name: source.id
            for source in configuration.sources.values()
            for name in source.subscriptions
        }
        statuses = {
            name: _status(subscription, fed_by.get(name) or _last_source(name, reported))
            for name, subscription in configuration.subscriptions.items()
        }
        changed = [one for name, one in statuses.items() if reported.get(name) != one]
        gone = [name for name in reported if name not in statuses]
        if changed or gone:
            await self._table.report(changed, gone, self._clock.now())
            for status in changed:
                if status.problems:
                    logger().warning(
                        "subscription.invalid",
                        subscription=status.name,
                        problems=list(status.problems),
                    )
        return statuses


def _last_source(name: str, reported: Mapping[str, SubscriptionStatus]) -> str:
    return reported[name].source if name in reported else ""


def _status(subscription: ReadSubscription, source: str) -> SubscriptionStatus:
    if isinstance(subscription, InvalidSubscription):
        return SubscriptionStatus(subscription.name, "invalid", source, subscription.problems)
    state = "ok" if subscription.enabled else "disabled"
    return SubscriptionStatus(subscription.name, state, source, (), subscription.warnings)
