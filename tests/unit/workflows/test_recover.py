from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from shared.domain.delivery import Delivery, State
from tests.builders import NOW, delivery
from tests.fakes.ledger import FakeLedger
from tests.unit.workflows.world import RECOVER_AFTER, RETENTION, World

OLD = NOW - RETENTION - timedelta(days=1)


async def world_with(*deliveries: Delivery) -> World:
    """A world whose ledger knows deliveries of its source, and whose inbox holds their mail."""
    world = World()
    source = await world.worker().source()
    for one in deliveries:
        number = int(one.mail_id.removeprefix("AAMk-").removesuffix("="))
        world.deliver(number)
        known = delivery(number, one.state, source.id, one.claimed_at, due_at=one.due_at)
        await world.ledger.claim([known])
    return world


@pytest.mark.parametrize("state", [State.CLAIMED, State.ACCEPTED])
async def test_a_delivery_that_stands_still_goes_on_from_its_state(state: State) -> None:
    """Claimed: delivered and post-processed. Accepted: post-processed only."""
    world = await world_with(delivery(1, state))
    world.clock.advance(RECOVER_AFTER + timedelta(seconds=1))

    recovered = await world.worker().recover()
    await world.work()

    assert recovered == 1
    assert [one.state for one in world.deliveries()] == [State.DONE]
    assert len(world.targets.attempts) == (1 if state is State.CLAIMED else 0)
    assert len(world.mailboxes.operations) == 1


async def test_a_delivery_is_given_time() -> None:
    """Not before `due_at` and the time that somebody may need are past."""
    world = await world_with(delivery(1), delivery(2, due_at=NOW + timedelta(hours=1)))

    world.clock.advance(RECOVER_AFTER)
    early = await world.worker().recover()
    world.later(seconds=1)
    late = await world.worker().recover()

    assert (early, late) == (0, 1)


async def test_a_recovered_delivery_is_left_alone_for_a_while() -> None:
    """Its new message is on the way: the next run does not send another one."""
    world = await world_with(delivery(1))
    world.clock.advance(RECOVER_AFTER + timedelta(seconds=1))
    await world.worker().recover()
    world.queue.take()

    world.later(minutes=1)
    again = await world.worker().recover()

    assert again == 0


async def test_ended_deliveries_are_not_recovered() -> None:
    """Whatever their end."""
    ended = [delivery(n, state) for n, state in enumerate(State, 1) if state.is_final]
    world = await world_with(*ended)
    world.later(days=1)

    assert await world.worker().recover() == 0


async def test_deliveries_whose_messages_may_still_wait_are_left_alone() -> None:
    """A backlog takes hours: a message that waits for its turn is not sent once more."""
    world = await world_with(delivery(1, due_at=NOW - timedelta(hours=1)), delivery(2))
    world.queue.send("waits since now")
    world.later(hours=5)

    recovered = await world.worker().recover()

    # the first was due an hour before the oldest message that waits, so its own one was given out
    assert recovered == 1
    assert world.deliveries()[0].due_at == world.clock.now()
    assert world.deliveries()[1].due_at == NOW


async def test_messages_that_are_delayed_keep_nobody_waiting() -> None:
    """Only those that could be taken now count."""
    world = await world_with(delivery(1))
    world.queue.send("delayed", timedelta(days=1))
    world.later(hours=1)

    assert await world.worker().recover() == 1


async def test_a_delivery_that_somebody_ends_meanwhile_stays_ended() -> None:
    """Recovery has listed it, then a worker was faster."""
    world = await world_with(delivery(1))

    class Slow(FakeLedger):
        async def overdue(self, before: datetime) -> AsyncIterator[Delivery]:
            async for one in super().overdue(before):
                await self.save(one.ended(State.DONE, world.clock.now()))
                yield one

    world.ledger = Slow(world.ledger.rows)
    world.later(hours=1)
    recovered = await world.worker().recover()

    assert recovered == 0
    assert world.deliveries()[0].state is State.DONE
    assert world.queue.messages == []


async def test_many_are_recovered() -> None:
    """After a long outage, all of them in one run."""
    world = await world_with(*(delivery(number) for number in range(450)))
    world.later(hours=1)

    assert await world.worker().recover() == 450
    assert len(world.emails.take()) == 450
