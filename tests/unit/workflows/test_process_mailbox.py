from datetime import timedelta
from typing import Any

import pytest

from shared.domain.delivery import State
from shared.domain.envelope import Envelope
from shared.domain.errors import MailboxRefused, MailboxUnavailable
from shared.domain.outcome import Unavailable
from tests.builders import MAILBOX, row
from tests.unit.workflows.world import World

BUSY = MailboxUnavailable(MAILBOX, "move: Graph answered 503")
DENIED = MailboxRefused(MAILBOX, "the app may not do this")


@pytest.mark.parametrize(
    ("columns", "folder", "operations"),
    [
        ({"postProcess": "markAsRead"}, "inbox", ["markAsRead"]),
        ({"postProcess": "delete"}, "deleteditems", ["delete"]),
        ({"postProcess": "forceDelete"}, "", ["forceDelete"]),
        ({"postProcess": "move", "moveTo": "archive"}, "archive", ["move"]),
        (
            {"postProcess": "move,markAsRead", "moveTo": "Done/Now", "createFolder": True},
            "Done/Now",
            ["markAsRead", "move"],
        ),
        ({"postProcess": "categorize", "categories": "handled"}, "inbox", ["categorize"]),
    ],
)
async def test_only_what_is_asked_for_is_done(
    columns: dict[str, Any], folder: str, operations: list[str]
) -> None:
    """In the order in which each step still finds the mail."""
    world = World(row(**columns))
    mail = world.deliver(1)

    await world.poll_and_work()

    assert world.mailbox.folder_of(mail) == folder
    assert world.mailboxes.operations == [(mail, operation) for operation in operations]
    assert world.delivery_of(mail).state is State.DONE


async def test_categories_are_added() -> None:
    """Those that the mail has stay."""
    world = World(row(postProcess="categorize,markAsRead", categories="handled,red"))
    mail = world.deliver(1, categories=["red", "blue"])

    await world.poll_and_work()

    assert world.mailbox.mails[mail].message["categories"] == ["red", "blue", "handled"]


@pytest.mark.parametrize("error", [BUSY, DENIED], ids=["busy", "denied"])
async def test_post_processing_that_fails_is_retried_alone(error: MailboxUnavailable) -> None:
    """The target has the mail and is not asked again."""
    world = World()
    mail = world.deliver(1)
    world.mailboxes.fail_next(error, "post_process")

    await world.poll_and_work()
    waiting = world.delivery_of(mail)
    world.later(seconds=5)
    await world.work()

    assert (waiting.state, waiting.reason) == (State.ACCEPTED, str(error))
    assert world.delivery_of(mail).state is State.DONE
    assert len(world.targets.attempts) == 1


async def test_retry_after_of_graph_is_honoured() -> None:
    """Where it is longer than we would wait."""
    world = World()
    mail = world.deliver(1)
    world.mailboxes.fail_next(MailboxUnavailable(MAILBOX, "throttled", 300.0), "post_process")

    await world.poll_and_work()

    assert world.delivery_of(mail).due_at == world.later(minutes=5)


async def test_post_processing_is_given_up_in_the_end() -> None:
    """The dead letter says that the target has the mail."""
    world = World(row(retry="PT1H"))
    mail = world.deliver(1)
    world.mailboxes.fail_next(DENIED, "post_process", times=1000)
    await world.worker().poll()

    while not world.delivery_of(mail).state.is_final:
        await world.work()
        world.clock.time = world.delivery_of(mail).due_at

    dead = world.delivery_of(mail)
    assert dead.state is State.DEAD
    assert dead.reason.startswith("accepted, but not post-processed: mailbox ")
    assert dead.reason.endswith("given up after 1:00:00")
    assert len(world.targets.attempts) == 1


async def test_post_processing_has_as_long_as_the_target_had() -> None:
    """A target that was down for nearly all of `retry` leaves time for the mailbox."""
    world = World(row(retry="PT1H"))
    mail = world.deliver(1)
    world.targets.fail_next(Unavailable("down", retry_after=3599.0))
    world.mailboxes.fail_next(BUSY, "post_process", times=2)
    await world.poll_and_work()
    for seconds in (3599, 10, 20):
        world.later(seconds=seconds)
        await world.work()

    assert world.delivery_of(mail).state is State.DONE


async def test_mail_that_somebody_removed_after_acceptance_is_done() -> None:
    """There is nothing left to do; the note says why."""
    world = World(row(postProcess="move", moveTo="archive"))
    mail = world.deliver(1)
    await world.worker().poll()
    del world.mailbox.mails[mail]

    await world.work()

    assert world.delivery_of(mail).state is State.DONE
    assert "somebody else had removed the mail" in world.delivery_of(mail).reason
    assert world.targets.accepted_by("team/tickets") == [mail]


async def test_an_envelope_without_mail_fetches_it() -> None:
    """As recovery sends them."""
    world = World()
    mail = world.deliver(1)
    await world.worker().poll()
    [envelope] = world.emails.take()
    await world.emails.put(Envelope(key=envelope.key))

    await world.work()

    [message] = world.targets.accepted.values()
    assert message.variables["email"]["subject"] == "Subject 1"
    assert world.delivery_of(mail).state is State.DONE


async def test_mail_that_is_nowhere_is_a_dead_letter() -> None:
    """Claimed, its envelope lost, and removed from the mailbox before recovery."""
    world = World()
    mail = world.deliver(1)
    await world.worker().poll()
    [envelope] = world.emails.take()
    await world.emails.put(Envelope(key=envelope.key))
    del world.mailbox.mails[mail]

    await world.work()

    assert world.delivery_of(mail).state is State.DEAD
    assert "removed from the mailbox before it was delivered" in world.delivery_of(mail).reason


async def test_mail_that_cannot_be_fetched_now_is_fetched_later() -> None:
    """A throttled mailbox is no reason for a dead letter."""
    world = World()
    mail = world.deliver(1)
    await world.worker().poll()
    [envelope] = world.emails.take()
    await world.emails.put(Envelope(key=envelope.key))
    world.mailboxes.fail_next(BUSY, "fetch_messages")

    await world.work()
    world.later(seconds=5)
    await world.work()

    assert world.delivery_of(mail).state is State.DONE


async def test_a_dead_letter_is_moved_aside_where_that_is_asked_for() -> None:
    """Into a folder that is made if it is not there; unread, for a person to see."""
    world = World(row(onDead="move:inbox/Failed"))
    mail = world.deliver(1)
    world.targets.reject("team/tickets")

    await world.poll_and_work()

    assert world.mailbox.folder_of(mail) == "inbox/Failed"
    assert not world.mailbox.is_read(mail)
    assert world.delivery_of(mail).state is State.DEAD


async def test_a_dead_letter_that_cannot_be_moved_says_so() -> None:
    """It is dead all the same, with both reasons."""
    world = World(row(onDead="move:inbox/Failed"))
    mail = world.deliver(1)
    world.targets.reject("team/tickets", "answered 422")
    world.mailboxes.fail_next(DENIED, "post_process")

    await world.poll_and_work()

    assert world.delivery_of(mail).state is State.DEAD
    assert world.delivery_of(mail).reason == (
        "team/tickets: answered 422; nor could it be moved aside:"
        f" mailbox {MAILBOX}: the app may not do this"
    )


async def test_a_missing_folder_is_made_by_a_person_and_the_mail_goes_on() -> None:
    """Without `createFolder` it waits for that, for as long as `retry` says."""
    world = World(row(postProcess="move", moveTo="Done"))
    mail = world.deliver(1)
    await world.poll_and_work()
    waiting = world.delivery_of(mail)
    world.mailbox.create_folder("Done")
    world.later(minutes=1)

    await world.work()

    assert (waiting.state, waiting.attempts) == (State.ACCEPTED, 1)
    assert "there is no folder 'Done'" in waiting.reason
    assert waiting.due_at - waiting.updated_at == timedelta(seconds=5)
    assert world.mailbox.folder_of(mail) == "Done"
