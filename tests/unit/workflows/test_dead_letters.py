from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.domain.delivery import Delivery, State
from shared.domain.outcome import Rejected
from shared.workflows.dead_letters import Settled, discard, replay
from tests.builders import NOW, row
from tests.unit.workflows.world import World

WEEK = timedelta(days=7)


async def dead_world(*rejecting: str, mails: int = 1) -> World:
    """A world with dead letters, a while later."""
    world = World(*(row(name) for name in ("tickets", "copies")))
    for name in rejecting or ("team/tickets",):
        world.targets.fail_next(Rejected("answered 422"), name, mails)
    world.deliver_many(mails)
    await world.poll_and_work()
    world.later(hours=1)
    assert {one.state for one in world.deliveries()} == {State.DEAD}
    return world


async def replayed(world: World, states: Sequence[State] = (State.DEAD,)) -> list[Settled]:
    return await replay(world.deliveries(), states, world.ports(), lambda _: None)


async def test_a_dead_letter_that_is_replayed_is_delivered() -> None:
    """Its mailbox operation comes as well."""
    world = await dead_world()

    [settled] = await replayed(world)
    [waiting] = world.deliveries()
    await world.work()

    assert settled.skipped == ""
    assert (waiting.state, waiting.attempts, waiting.due_at) == (
        State.CLAIMED,
        0,
        world.clock.now(),
    )
    assert waiting.reason == "replayed by an operator; was: dead, team/tickets: answered 422"
    assert [one.state for one in world.deliveries()] == [State.DONE]
    assert world.mailbox.is_read("AAMk-1=")


async def test_targets_that_have_accepted_are_not_asked_again() -> None:
    """The ledger remembers who has."""
    world = await dead_world()
    before = len(world.targets.attempts)

    await replayed(world)
    await world.work()

    assert len(world.targets.attempts) - before == 1
    assert len(world.targets.accepted_by("team/copies")) == 1


async def test_what_all_have_accepted_is_only_post_processed() -> None:
    """Its mailbox operation had failed for too long."""
    world = await dead_world()
    [dead] = world.deliveries()
    await world.ledger.save(dead.with_acceptances(["team/tickets"], NOW).ended(State.DEAD, NOW))
    before = len(world.targets.attempts)

    await replayed(world)
    await world.work()

    assert len(world.targets.attempts) == before
    assert [one.state for one in world.deliveries()] == [State.DONE]


async def test_a_replay_that_dies_before_it_queues_is_recovered() -> None:
    """The ledger was told first."""
    world = await dead_world()
    await replayed(world)
    world.queue.take()
    world.later(minutes=10)

    assert await world.worker().recover() == 1
    await world.work()
    assert [one.state for one in world.deliveries()] == [State.DONE]


async def test_what_somebody_else_has_replayed_is_left_alone() -> None:
    """It was dead when it was listed."""
    world = await dead_world()
    listed = world.deliveries()
    await replayed(world)
    await world.work()

    [settled] = await replay(listed, [State.DEAD], world.ports(), lambda _: None)

    assert settled.skipped == "it is done by now"
    assert [one.state for one in world.deliveries()] == [State.DONE]
    assert world.queue.messages == []


async def test_what_was_forgotten_meanwhile_is_left_alone() -> None:
    """The ledger does not have it any more."""
    world = await dead_world()
    listed = world.deliveries()
    world.ledger.rows.clear()

    [settled] = await replay(listed, [State.DEAD], world.ports(), lambda _: None)

    assert settled.skipped == "it is not in the ledger any more"


@pytest.mark.parametrize("state", [State.DONE, State.CLAIMED, State.ACCEPTED])
async def test_what_is_done_or_under_way_is_never_replayed(state: State) -> None:
    """Even where it is asked for."""
    world = await dead_world()
    [dead] = world.deliveries()
    await world.ledger.save(dead.ended(state, NOW))

    [settled] = await replayed(world, [state])

    assert settled.skipped == f"it is {state} by now"
    assert world.queue.messages == []


async def test_unmatched_mail_is_evaluated_again() -> None:
    """After the condition was corrected."""
    world = World(row(activationCondition='subject = "never"'))
    world.deliver()
    await world.poll_and_work()
    unmatched = [one.state for one in world.deliveries()]
    world.table.write(row(activationCondition='starts with(subject, "Subject")'))

    await replayed(world, [State.UNMATCHED])
    await world.work()

    assert unmatched == [State.UNMATCHED]
    assert [one.state for one in world.deliveries()] == [State.DONE]


async def test_discarded_dead_letters_are_at_their_end() -> None:
    """With the reason that they had; the mail stays, and is not taken in anew."""
    world = await dead_world()

    [settled] = await discard(world.deliveries(), world.ports(), lambda _: None)
    await world.poll_and_work()

    [delivery] = world.deliveries()
    assert settled.skipped == ""
    assert delivery.state is State.DISCARDED
    assert delivery.reason == "discarded by an operator; was: team/tickets: answered 422"
    assert world.mailbox.folder_of("AAMk-1=") == "inbox"


async def test_a_discarded_one_may_be_replayed_after_all() -> None:
    """Where that is said."""
    world = await dead_world()
    await discard(world.deliveries(), world.ports(), lambda _: None)

    [left] = await replayed(world)
    [settled] = await replayed(world, [State.DISCARDED])

    assert left.skipped == "it is discarded by now"
    assert settled.skipped == ""


async def test_only_dead_letters_are_discarded() -> None:
    """What is being tried again is somebody's work."""
    world = await dead_world()
    listed = world.deliveries()
    await replayed(world)

    [settled] = await discard(listed, world.ports(), lambda _: None)

    assert settled.skipped == "it is claimed by now"


async def test_many_are_settled_in_the_order_asked_for() -> None:
    """And each is told of."""
    world = await dead_world(mails=40)
    told: list[Delivery] = []

    settled = await replay(
        world.deliveries(), [State.DEAD], world.ports(), lambda one: told.append(one.delivery)
    )

    assert [one.delivery for one in settled] == sorted(told, key=lambda one: one.received_at)
    assert len(settled) == len(world.queue.messages) == 40
