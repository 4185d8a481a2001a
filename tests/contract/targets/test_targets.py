"""What every target does: the fake that the workflows are tested with, and the webhook adapter."""

import pytest

from shared.adapters.webhook import webhook_id
from shared.domain.outcome import Accepted, Rejected, Unavailable
from tests.builders import target_message
from tests.contract.targets.worlds import World


async def test_a_message_is_accepted(world: World) -> None:
    """Once, under its identity."""
    assert await world.deliver() == Accepted()
    assert world.accepted() == [webhook_id(target_message())]


async def test_a_message_that_is_known_is_a_success(world: World) -> None:
    """All attempts at one message carry the same identity."""
    await world.deliver()

    assert await world.deliver() == Accepted(already=True)
    assert len(world.accepted()) == 1


async def test_two_subscriptions_get_a_mail_each(world: World) -> None:
    """One endpoint may stand for both: these are two messages."""
    one, two = target_message(subscription="a/b"), target_message(subscription="a/c")

    outcomes = [await world.deliver(one), await world.deliver(two)]

    assert outcomes == [Accepted(), Accepted()]
    assert len(world.accepted()) == 2


@pytest.mark.parametrize("retry_after", [None, 7])
async def test_an_outage_is_unavailable(world: World, retry_after: int | None) -> None:
    """With the time that the target asks to wait; afterwards the message is accepted."""
    world.fails_next(retry_after)

    outcome = await world.deliver()

    assert outcome == Unavailable("answered 503", retry_after)
    assert await world.deliver() == Accepted()


async def test_an_answer_that_got_lost_ends_as_a_duplicate(world: World) -> None:
    """The target had accepted it."""
    world.fails_next(after_accepting=True)

    outcomes = [await world.deliver(), await world.deliver()]

    assert outcomes == [Unavailable("answered 503"), Accepted(already=True)]
    assert len(world.accepted()) == 1


async def test_a_rejection_is_final(world: World) -> None:
    """For that subscription; others are accepted."""
    world.rejects("team/tickets")

    outcomes = [await world.deliver(), await world.deliver(target_message(subscription="a/b"))]

    assert outcomes == [Rejected("answered 422"), Accepted()]


async def test_a_target_that_is_up_can_be_reached(world: World) -> None:
    """And is handed nothing for that."""
    assert await world.targets.reachable(world.target) == ""
    assert world.accepted() == []
