from datetime import timedelta

from shared.domain.errors import StorageUnavailable
from shared.domain.source import SourceState
from tests.builders import NOW
from tests.fakes.tables import FakeSourceStates
from tests.unit.workflows.world import LIMITS, World


class UnstableStates(FakeSourceStates):
    """States that cannot be written some of the time."""

    def __init__(self, states: dict[str, SourceState], fails: set[int]) -> None:
        super().__init__(states)
        self.fails = fails
        self.writes = 0

    async def write(self, state: SourceState) -> SourceState | None:
        """Fails at the writes of the given numbers, counted from 1."""
        self.writes += 1
        if self.writes in self.fails:
            raise StorageUnavailable("table sources: answered 503", 503)
        return await super().write(state)


async def test_a_source_is_polled_by_one_worker_at_a_time() -> None:
    """Another one that comes meanwhile finds it taken, and asks Graph for nothing."""
    world = World()
    world.deliver_many(3)

    async def another_comes() -> None:
        assert not await world.worker().poll()
        assert world.ledger.rows == {}

    world.mailboxes.meanwhile = another_comes
    await world.worker().poll()

    assert world.mailboxes.asked == {"find_folder": 1, "list_messages": 1}
    assert len(world.emails.take()) == 3


async def test_of_two_workers_that_start_together_one_polls() -> None:
    """The one whose state is stored first; the other has read an older one."""
    world = World()
    slow = world.worker()
    source = await slow.source()
    stale = await world.states.read(source.id)
    await world.worker().poll()

    assert await world.states.write(stale) is None
    assert world.mailboxes.asked["list_messages"] == 1


async def test_a_worker_that_lost_its_lease_stops() -> None:
    """It was too slow, and another one goes on: no page more, and no state overwritten."""
    world = World()
    world.deliver_many(35)

    async def too_long() -> None:
        world.later(minutes=3)
        await world.worker().poll()

    world.mailboxes.meanwhile = too_long
    unfinished = await world.worker().poll()

    assert not unfinished
    # the other worker's look-up and four pages, and the one page that was under way
    assert world.mailboxes.asked["list_messages"] == 5
    assert len(world.emails.take()) == 35
    assert world.state().error == ""
    assert world.state().next_poll_at == NOW + timedelta(minutes=3, seconds=30)


async def test_a_lease_is_kept_while_pages_come() -> None:
    """A long list takes longer than one lease; each page is a sign of life."""
    world = World()
    world.deliver_many(35)
    leases = []

    class Watched(FakeSourceStates):
        async def write(self, state: SourceState) -> SourceState | None:
            leases.append(state.lease_until - world.clock.now())
            world.later(minutes=1)
            return await super().write(state)

    world.states = Watched()
    await world.worker().poll()

    assert leases[:-1] == [LIMITS.lease_time] * 4
    assert leases[-1] < timedelta(0)


async def test_the_lease_of_a_dead_worker_ends_by_itself() -> None:
    """The source is polled again when it has run out."""
    world = World()
    world.deliver(1)
    worker = world.worker()
    source = await worker.source()
    await world.states.write(SourceState(id=source.id, lease_until=NOW + LIMITS.lease_time))

    await worker.poll()
    early = len(world.ledger.rows)
    world.clock.advance(LIMITS.lease_time)
    await worker.poll()

    assert (early, len(world.ledger.rows)) == (0, 1)


async def test_a_poll_whose_start_cannot_be_stored_does_nothing() -> None:
    """Without a lease no mail is listed; the next tick tries again."""
    world = World()
    world.deliver(1)
    world.states = UnstableStates({}, fails={1, 2})

    await world.worker().poll()

    assert world.mailboxes.asked == {}
    assert world.states.states == {}


async def test_a_poll_whose_end_cannot_be_stored_is_repeated() -> None:
    """The mail was taken in already, and is taken in once."""
    world = World()
    world.deliver(1)
    world.states = UnstableStates({}, fails={2, 3})

    await world.worker().poll()
    world.clock.advance(LIMITS.lease_time)
    await world.worker().poll()

    assert len(world.emails.take()) == 1
    assert world.state().error == ""
