from datetime import timedelta

from shared.domain.delivery import State
from tests.builders import NOW, graph_message, row
from tests.unit.workflows.world import World

LIMIT = 4000
"""Characters of an answer: about eight ordinary mails."""


def giant(world: World, number: int) -> str:
    """A mail that is larger than an answer may be."""
    body = {"contentType": "text", "content": "x" * LIMIT}
    received = NOW - timedelta(days=1) + timedelta(minutes=number)
    return world.mailbox.deliver(graph_message(number, received, body=body))


async def test_a_page_that_is_too_large_is_fetched_mail_by_mail() -> None:
    """By ids first, in parts that fit; all mail is delivered, in order."""
    world = World()
    world.mailboxes.largest_answer = LIMIT
    ids = world.deliver_many(10)

    await world.worker().poll()

    assert [one.mail["id"] for one in world.emails.take() if one.mail] == ids
    assert world.state().error == ""
    # one page of ids; twenty are too many, then ten, then five and five
    assert world.mailboxes.asked["list_messages"] == 2
    assert world.mailboxes.asked["fetch_messages"] <= 4


async def test_a_mail_larger_than_any_answer_is_dead_and_blocks_no_other() -> None:
    """Its reason says why; what comes before it and after it is delivered."""
    world = World()
    world.mailboxes.largest_answer = LIMIT
    before, mail, after = world.deliver(1), giant(world, 2), world.deliver(3)

    await world.poll_and_work()

    dead = world.delivery_of(mail)
    assert dead.state is State.DEAD
    assert "more bytes than one answer may have" in dead.reason
    assert set(world.targets.accepted_by("team/tickets")) == {before, after}
    assert world.state().error == ""


async def test_a_mail_larger_than_any_answer_is_moved_aside_if_asked() -> None:
    """As any dead letter."""
    world = World(row(onDead="move:Failed"))
    world.mailboxes.largest_answer = LIMIT
    mail = giant(world, 1)

    await world.poll_and_work()

    assert world.delivery_of(mail).state is State.DEAD
    assert world.mailbox.folder_of(mail) == "Failed"


async def test_a_dead_giant_is_not_fetched_again() -> None:
    """The ledger remembers it, also when a sweep lists it."""
    world = World()
    world.mailboxes.largest_answer = LIMIT
    giant(world, 1)
    await world.worker().poll()
    world.later(minutes=16)
    world.mailboxes.asked.clear()

    await world.worker().poll()

    assert world.mailboxes.asked["fetch_messages"] == 0


async def test_after_a_giant_many_are_fetched_at_once_again() -> None:
    """One giant must not turn a backlog into a request a mail."""
    world = World()
    world.mailboxes.largest_answer = LIMIT
    giant(world, 1)
    ids = world.deliver_many(400, first=2)

    await world.worker().poll()

    assert len([one for one in world.emails.take() if one.mail]) == len(ids)
    assert world.mailboxes.asked["fetch_messages"] < len(ids) / 3


async def test_a_mail_that_vanished_meanwhile_is_left_out() -> None:
    """Listed, then removed by somebody, then fetched: there is nothing to deliver."""
    world = World()
    world.mailboxes.largest_answer = LIMIT
    ids = world.deliver_many(10)

    async def somebody_removes_one() -> None:
        del world.mailbox.mails[ids[0]]

    world.mailboxes.meanwhile = somebody_removes_one
    world.mailboxes.meanwhile_in = "fetch_messages"
    await world.worker().poll()

    assert len(world.ledger.rows) == 9
    assert world.state().error == ""
