"""A mail waits for its attachments rather than go on without them."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.delivery import State
from shared.domain.errors import GraphSaid, MailboxRefused, MailboxUnavailable
from tests.builders import MAILBOX, row
from tests.unit.workflows.world import World

ROW = row("papers", postProcess="forceDelete")
THROTTLED = MailboxUnavailable(MAILBOX, "attachments: Graph answered 429", 60.0)
DOWN = MailboxUnavailable(MAILBOX, "attachments: Graph answered 503")


def forbidden() -> MailboxRefused:
    """What Graph says of a permission that was taken away."""
    error = MailboxRefused(MAILBOX, "attachments: Graph answered 403 ErrorAccessDenied")
    error.said = GraphSaid(403, "ErrorAccessDenied")
    return error


async def with_attachment() -> tuple[World, str]:
    """A world in which a mail with an attachment was claimed."""
    world = World(ROW)
    mail = world.deliver(1)
    world.mailbox.attach(mail, "a.pdf", b"a")
    await world.worker().poll()
    return world, mail


async def tried(world: World, times: int, **apart: float) -> None:
    """The delivery is tried so often."""
    for _ in range(times):
        await world.work()
        world.later(**apart)


@pytest.mark.parametrize("error", [THROTTLED, DOWN, forbidden()])
async def test_a_short_trouble_costs_no_attachment(error: Any) -> None:
    """However often the mail was tried: it is in the mailbox, with all that it has."""
    world, mail = await with_attachment()
    world.mailboxes.fail_next(error, "attachment_contents", 12)

    await tried(world, 12, minutes=16)
    waiting = world.delivery_of(mail).state
    await tried(world, 1, minutes=16)

    [message] = world.targets.accepted.values()
    assert waiting is State.CLAIMED
    assert message.variables["email"]["attachments"][0]["documentId"] is not None
    assert world.delivery_of(mail).state is State.DONE


async def test_a_throttled_mailbox_is_never_taken_for_a_bad_attachment() -> None:
    """Rather the mail is a dead letter, and stays where it is."""
    world, mail = await with_attachment()
    world.mailboxes.fail_next(THROTTLED, "attachment_contents", 1000)

    await tried(world, 120, minutes=16)

    assert world.targets.attempts == []
    assert world.delivery_of(mail).state is State.DEAD
    assert mail in world.mailbox.mails


async def test_an_attachment_that_cannot_be_had_for_half_a_day_is_left_behind() -> None:
    """It is named with the reason, and its mail goes on."""
    world, _ = await with_attachment()
    world.mailboxes.fail_next(DOWN, "attachment_contents", 1000)
    world.mailboxes.fail_next(DOWN, "attachment_stream", 1000)

    await tried(world, 60, minutes=16)

    [message] = world.targets.accepted.values()
    assert "did not give it" in message.variables["email"]["attachments"][0]["error"]


async def test_documents_of_mail_that_waited_for_weeks_live_as_long_as_any() -> None:
    """They are kept from the day on which the mail was handed over, and so is their address."""
    world, mail = await with_attachment()
    world.table.write({**ROW, "enabled": False})
    await world.work()
    world.later(days=31)
    world.table.write(ROW)
    await tried(world, 1, minutes=5)

    await world.worker().recover()

    [message] = world.targets.accepted.values()
    [attachment] = message.variables["email"]["attachments"]
    assert world.delivery_of(mail).state is State.DONE
    assert await world.documents.find(attachment["documentId"]) is not None
    assert world.clock.now() - world.delivery_of(mail).claimed_at > timedelta(days=30)
