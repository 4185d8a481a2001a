import asyncio
from datetime import timedelta

import pytest

from shared.domain.delivery import State
from shared.domain.errors import MailboxUnavailable
from shared.workflows import poll
from shared.workflows.poll import BY_ID_AFTER
from tests.builders import MAILBOX, NOW
from tests.unit.workflows.world import World

BROKEN = MailboxUnavailable(MAILBOX, "Graph answered 500")


async def hang() -> None:
    """Never ends by itself."""
    await asyncio.Event().wait()


async def test_a_mailbox_that_does_not_answer_ends_the_poll_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The timer waits for its polls; it must not wait for ever."""
    monkeypatch.setattr(poll, "GRACE", timedelta(milliseconds=10))
    world = World()
    world.mailboxes.meanwhile = hang

    await world.worker().poll(until=NOW)

    assert world.state().failures == 1
    assert "not answered within" in world.state().error
    assert world.state().lease_until < NOW


async def test_a_page_that_graph_never_gives_is_listed_by_id() -> None:
    """One mail in it may be why; after some failures the others are fetched without it."""
    world = World()
    mails = world.deliver_many(3)
    world.mailboxes.fail_next(BROKEN, "list_messages", BY_ID_AFTER)

    for _ in range(BY_ID_AFTER + 1):
        await world.worker().poll()
        world.later(minutes=10)

    assert [one.mail_id for one in world.deliveries()] == mails
    assert world.mailboxes.asked["fetch_messages"] == 1
    assert world.state().failures == 0


async def test_a_mail_that_graph_fails_to_give_is_tried_alone() -> None:
    """It is claimed without its content; the others are taken in with theirs."""
    world = World()
    mails = world.deliver_many(3)
    world.mailboxes.fail_next(BROKEN, "list_messages", BY_ID_AFTER)
    for _ in range(BY_ID_AFTER):
        await world.worker().poll()
        world.later(minutes=10)
    world.mailboxes.fail_next(BROKEN, "fetch_messages", 2)  # three together, then the first alone

    await world.worker().poll()
    with_content = [bool(one.mail) for one in world.emails.take()]

    assert [one.mail_id for one in world.deliveries()] == mails
    assert with_content == [False, True, True]


async def test_a_mail_that_graph_never_gives_ends_as_a_dead_letter() -> None:
    """With the reason; after the time for which a target would be tried."""
    world = World()
    [mail] = world.deliver_many(1)
    world.mailboxes.fail_next(BROKEN, "list_messages", BY_ID_AFTER)
    for _ in range(BY_ID_AFTER):
        await world.worker().poll()
        world.later(minutes=10)
    world.mailboxes.fail_next(BROKEN, "fetch_messages", 10_000)

    await world.worker().poll()
    for _ in range(200):
        await world.work()
        world.later(minutes=15)

    assert world.delivery_of(mail).state is State.DEAD
    assert "Graph answered 500" in world.delivery_of(mail).reason


async def test_throttling_is_no_trouble_of_one_mail() -> None:
    """The poll ends, and goes on when Graph asks it to."""
    world = World()
    world.deliver_many(3)
    world.mailboxes.fail_next(BROKEN, "list_messages", BY_ID_AFTER)
    for _ in range(BY_ID_AFTER):
        await world.worker().poll()
        world.later(minutes=10)
    world.mailboxes.fail_next(MailboxUnavailable(MAILBOX, "429", 60.0), "fetch_messages")

    await world.worker().poll()

    assert world.deliveries() == []
    assert world.state().failures == BY_ID_AFTER + 1


async def test_a_long_sweep_stops_in_time_and_goes_on_where_it_was() -> None:
    """It keeps its lease after each request; what was taken in is not fetched again."""
    world = World()
    world.deliver(99)
    await world.worker().poll()
    world.later(minutes=20)
    world.deliver_many(50)  # behind the watermark

    more = await world.worker().poll(until=world.clock.now())
    first = len(world.deliveries())
    world.clock.advance(timedelta(seconds=1))
    while await world.worker().poll():
        pass

    assert more
    assert first == 21
    assert len(world.deliveries()) == 51
    assert world.mailboxes.asked["fetch_messages"] == 3
