from collections.abc import AsyncIterator
from datetime import timedelta

from shared.domain.columns import Row
from shared.domain.errors import StorageUnavailable
from shared.domain.subscription import InvalidSubscription, Subscription
from shared.ports import SubscriptionStatus
from shared.workflows.registry import FRESH_FOR, Registry
from tests.builders import row
from tests.fakes.tables import FakeSubscriptionTable
from tests.unit.workflows.world import World


class CountingTable(FakeSubscriptionTable):
    """A table that counts how often it is read and written."""

    reads = 0
    reports = 0

    async def rows(self) -> AsyncIterator[Row]:
        """Counts."""
        self.reads += 1
        async for one in super().rows():
            yield one

    async def report(self, *arguments: object) -> None:
        """Counts."""
        self.reports += 1
        await super().report(*arguments)  # type: ignore[arg-type]


def counting(world: World) -> tuple[Registry, CountingTable]:
    """A registry, and its table."""
    table = CountingTable(world.table.by_name, world.table.reported)
    return Registry(table, world.states, world.clock, ()), table


async def test_rows_become_subscriptions_and_sources() -> None:
    """Valid ones that are enabled are polled; all are known by name."""
    world = World(row("a"), row("b"), row("off", enabled=False), row("bad", userId=None))

    configuration = await world.worker().registry.current()

    [source] = configuration.sources.values()
    assert source.subscriptions == ("team/a", "team/b")
    assert set(configuration.subscriptions) == {"team/a", "team/b", "team/off", "team/bad"}
    assert isinstance(configuration.subscriptions["team/bad"], InvalidSubscription)


async def test_each_row_has_a_status_that_an_operator_reads() -> None:
    """What it is, which source feeds it, what is wrong, what is probably not meant."""
    world = World(
        row("ok"), row("off", enabled=False), row("bad", userId=None), row("all", onlyUnread=False)
    )

    configuration = await world.worker().registry.current()

    reported = world.table.reported
    fed_by = {one.subscriptions: one.id for one in configuration.sources.values()}
    assert reported["team/ok"] == SubscriptionStatus("team/ok", "ok", fed_by["team/ok",])
    assert reported["team/off"] == SubscriptionStatus("team/off", "disabled")
    assert reported["team/bad"].state == "invalid"
    assert "column userId: missing" in reported["team/bad"].problems[0]
    assert reported["team/all"].state == "ok"
    assert len(reported["team/all"].warnings) == 1


async def test_a_bad_row_stops_no_other() -> None:
    """It is reported on that row alone."""
    world = World(row("a"), row("bad", target="fax", retry="long", colour="red"))

    configuration = await world.worker().registry.current()

    assert isinstance(configuration.subscriptions["team/a"], Subscription)
    assert len(world.table.reported["team/bad"].problems) == 3
    assert world.table.reported["team/a"].state == "ok"


async def test_contradictions_are_reported_on_each_row() -> None:
    """One deduplicationId, two mailboxes: neither is polled."""
    world = World(
        row("a", deduplicationId="x"), row("b", deduplicationId="x", userId="other@a.example")
    )

    configuration = await world.worker().registry.current()

    assert configuration.sources == {}
    assert [one.state for one in world.table.reported.values()] == ["invalid", "invalid"]


async def test_the_table_is_read_when_what_is_known_is_old() -> None:
    """Many invocations share one reading."""
    world = World()
    registry, table = counting(world)

    await registry.current()
    world.clock.advance(FRESH_FOR - timedelta(seconds=1))
    await registry.current()
    fresh = table.reads
    world.later(seconds=1)
    await registry.current()

    assert (fresh, table.reads) == (1, 2)


async def test_a_change_is_seen() -> None:
    """A corrected row works, a removed one is gone with its status."""
    world = World(row("a", userId=None), row("b"))
    worker = world.worker()
    await worker.registry.current()

    world.table.write(row("a"))
    del world.table.by_name["team/b"]
    world.clock.advance(FRESH_FOR)
    configuration = await worker.registry.current()

    assert isinstance(configuration.subscriptions["team/a"], Subscription)
    assert {name: one.state for name, one in world.table.reported.items()} == {"team/a": "ok"}


async def test_statuses_are_written_only_where_they_change() -> None:
    """Also by a worker that has just started."""
    world = World(row("a"), row("b"))
    first, _ = counting(world)
    await first.current()

    second, table = counting(world)
    await second.current()
    world.clock.advance(FRESH_FOR)
    await second.current()

    assert (table.reads, table.reports) == (2, 0)


async def test_rows_that_did_not_change_are_not_read_anew() -> None:
    """Ten thousand rows cost their parsing once."""
    world = World(row("a"), row("b"))
    worker = world.worker()
    before = (await worker.registry.current()).subscriptions

    world.table.write(row("b", folder="archive"))
    world.clock.advance(FRESH_FOR)
    after = (await worker.registry.current()).subscriptions

    assert after["team/a"] is before["team/a"]
    assert after["team/b"] != before["team/b"]


async def test_a_row_that_breaks_the_reader_stops_no_other() -> None:
    """Whatever a person or a tool has written into it."""
    nested = '{"signing": ' + "[" * 100_000
    world = World(row("ok"), row("bad", targetAuth=nested))

    configuration = await world.worker().registry.current()

    assert isinstance(configuration.subscriptions["team/bad"], InvalidSubscription)
    assert len(configuration.sources) == 1


class UnsteadyTable(FakeSubscriptionTable):
    """A table that can be out of reach."""

    away = False

    async def rows(self) -> AsyncIterator[Row]:
        """Fails while it is away."""
        if self.away:
            raise StorageUnavailable("table subscriptions: answered 503", 503)
        async for one in super().rows():
            yield one


async def test_what_the_table_said_last_holds_while_it_cannot_be_read() -> None:
    """Mail that waits is not to suffer for it."""
    world = World()
    table = UnsteadyTable(world.table.by_name, world.table.reported)
    registry = Registry(table, world.states, world.clock, ())
    before = await registry.current()

    table.away = True
    world.clock.advance(2 * FRESH_FOR)

    assert await registry.current() == before
