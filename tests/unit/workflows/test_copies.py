"""Queues give a message twice now and then: two workers have copies of one envelope."""

import pytest

from shared.domain.delivery import State
from shared.domain.outcome import Outcome, Rejected, Unavailable
from shared.workflows.process import process
from tests.builders import row
from tests.unit.workflows.world import KEEPING, World


@pytest.mark.parametrize("outcome", [Unavailable("answered 503"), Rejected("answered 400")])
async def test_a_delivery_that_another_worker_ended_stays_ended(outcome: Outcome) -> None:
    """The slower one is told something else, and drops its copy."""
    world = World(row(onDead="move:Failed"))
    mail = world.deliver(1)
    slow, fast = world.worker(), world.worker()
    await slow.poll()
    [envelope] = world.emails.take()

    async def another_is_faster() -> None:
        await process(envelope, fast.ports, fast.registry, KEEPING)

    world.targets.fail_next(outcome)
    world.targets.meanwhile = another_is_faster
    await process(envelope, slow.ports, slow.registry, KEEPING)

    assert world.delivery_of(mail).state is State.DONE
    assert world.mailbox.folder_of(mail) == "inbox"
    assert world.queue.messages == []


async def test_both_may_be_told_that_it_is_accepted() -> None:
    """The target knows the message by its id; the mail is done."""
    world = World()
    mail = world.deliver(1)
    slow, fast = world.worker(), world.worker()
    await slow.poll()
    [envelope] = world.emails.take()

    async def another_is_faster() -> None:
        await process(envelope, fast.ports, fast.registry, KEEPING)

    world.targets.meanwhile = another_is_faster
    await process(envelope, slow.ports, slow.registry, KEEPING)

    assert world.delivery_of(mail).state is State.DONE
    assert world.targets.accepted_by("team/tickets") == [mail]
    assert world.mailbox.is_read(mail)


async def test_of_two_copies_that_fail_one_delivery_goes_on() -> None:
    """Both are tried again, and the second one that comes is dropped."""
    world = World()
    mail = world.deliver(1)
    await world.worker().poll()
    [envelope] = world.emails.take()
    await world.emails.put(envelope)
    await world.emails.put(envelope)
    world.targets.fail_next(Unavailable("answered 503"), times=2)

    await world.work()
    world.later(minutes=1)
    await world.work()

    assert world.delivery_of(mail).state is State.DONE
    assert len(world.targets.attempts) == 3
    assert world.queue.messages == []
