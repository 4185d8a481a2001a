from dataclasses import replace
from datetime import timedelta

from shared.domain.delivery import Delivery, DeliveryKey, State
from shared.domain.source import SourceState
from tests.builders import NOW, delivery, row
from tests.unit.workflows.world import LIMITS, RETENTION, World

OLD = NOW - RETENTION - timedelta(days=1)
SWEEP_DUE = LIMITS.sweep_interval + timedelta(minutes=1)


async def world_with(*deliveries: Delivery, swept: timedelta) -> World:
    """A world whose ledger holds deliveries of its only source, swept so long ago."""
    world = World()
    source = await world.worker().source()
    world.states.states[source.id] = SourceState(id=source.id, swept_at=NOW - swept, version="v0")
    remember(world, source.id, *deliveries)
    return world


def remember(world: World, source_id: str, *deliveries: Delivery) -> None:
    """Puts deliveries into the ledger."""
    for one in deliveries:
        key = DeliveryKey(source_id, one.key.mail)
        world.ledger.rows[key] = replace(one, key=key)


async def test_what_ended_long_ago_is_forgotten_after_a_sweep() -> None:
    """After the retention: the sweep has shown that nothing of it is listed any more."""
    old = [delivery(n, state, at=OLD) for n, state in enumerate(State, 1) if state.is_final]
    recent = delivery(9, State.DONE, at=NOW - RETENTION / 2)
    world = await world_with(*old, recent, swept=SWEEP_DUE)

    await world.worker().poll()

    assert [one.mail_id for one in world.deliveries()] == [recent.mail_id]


async def test_what_has_not_ended_is_never_forgotten() -> None:
    """However old."""
    world = await world_with(delivery(1, State.ACCEPTED, at=OLD), swept=SWEEP_DUE)

    await world.worker().poll()

    assert len(world.deliveries()) == 1


async def test_memory_is_kept_while_nothing_was_swept() -> None:
    """Mail may be listed again that was handled long ago."""
    world = await world_with(delivery(1, State.DONE, at=OLD), swept=timedelta(0))

    await world.worker().poll()

    assert len(world.deliveries()) == 1


async def test_forgetting_is_done_once_a_day() -> None:
    """It reads the whole partition."""
    world = await world_with(delivery(1, State.DONE, at=OLD), swept=SWEEP_DUE)
    await world.worker().poll()
    source = await world.worker().source()
    remember(world, source.id, delivery(2, State.DONE, at=OLD))

    world.later(hours=23)
    await world.worker().poll()
    kept = len(world.deliveries())
    world.later(hours=2)
    await world.worker().poll()

    assert (kept, len(world.deliveries())) == (1, 0)


async def test_mail_that_stays_listed_is_never_forgotten() -> None:
    """Each sweep renews what it still sees: no mail is delivered twice, however old."""
    world = World(row(onlyUnread=False))
    mail = world.deliver(1)
    await world.poll_and_work()

    for _ in range(12):
        world.later(days=20)
        await world.poll_and_work()

    assert world.delivery_of(mail).state is State.DONE
    assert world.targets.accepted_by("team/tickets") == [mail]
    assert len(world.targets.attempts) == 1
