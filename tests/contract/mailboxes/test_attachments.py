"""What every `Mailboxes` does with attachments: the fake, and Graph's adapter."""

import pytest

from shared.domain.errors import (
    AnswerTooLarge,
    MailboxRefused,
    MailboxUnavailable,
    MailNotFound,
)
from tests.contract.mailboxes.worlds import World, eml

LARGE = bytes(range(256)) * 4096
"""A mebibyte of every byte there is."""


async def test_the_bytes_of_all_files_come_together(world: World) -> None:
    """By attachment id; of items and references nothing."""
    mail = world.deliver()
    first, second = world.attach(mail, "a.bin", LARGE), world.attach(mail, "a.bin", b"")
    world.attach(mail, "mail inside", eml("inside"), "item")
    world.attach(mail, "plan.docx", b"", "reference")

    contents = await world.mailboxes.attachment_contents(world.address, mail)

    assert contents == {first: LARGE, second: b""}


async def test_a_mail_without_files_has_no_contents(world: World) -> None:
    """That is no error."""
    assert await world.mailboxes.attachment_contents(world.address, world.deliver()) == {}


async def test_files_that_are_too_large_together_are_an_error(world: World) -> None:
    """One by one they can be had."""
    mail = world.deliver()
    ids = [world.attach(mail, "a.bin", b"a" * 600), world.attach(mail, "b.bin", b"b" * 600)]
    world.files_weigh_too_much()

    with pytest.raises(AnswerTooLarge):
        await world.mailboxes.attachment_contents(world.address, mail)

    assert [await world.streamed(mail, one) for one in ids] == [b"a" * 600, b"b" * 600]


async def test_a_file_is_streamed_as_it_is(world: World) -> None:
    """Piece by piece, whatever its bytes are."""
    mail = world.deliver()
    attachment = world.attach(mail, "a.bin", LARGE)

    stream = world.mailboxes.attachment_stream(world.address, mail, attachment)
    async with stream as pieces:
        received = [piece async for piece in pieces]

    assert b"".join(received) == LARGE
    assert max(map(len, received)) < len(LARGE)


async def test_an_empty_file_is_an_empty_stream(world: World) -> None:
    """It has no bytes, and that is no error."""
    mail = world.deliver()

    assert await world.streamed(mail, world.attach(mail, "a.txt", b"")) == b""


async def test_an_item_is_streamed_as_text(world: World) -> None:
    """A mail is its MIME, an event iCalendar, a contact vCard."""
    mail = world.deliver()
    items = [eml("inside"), b"BEGIN:VCALENDAR\r\n", b"BEGIN:VCARD\r\n"]
    ids = [world.attach(mail, "item", item, "item") for item in items]

    assert [await world.streamed(mail, one) for one in ids] == items


async def test_a_reference_has_no_bytes(world: World) -> None:
    """Graph refuses; no waiting helps."""
    mail = world.deliver()
    attachment = world.attach(mail, "plan.docx", b"", "reference")

    with pytest.raises(MailboxRefused, match="405"):
        await world.streamed(mail, attachment)


async def test_a_mail_is_streamed_as_it_came(world: World) -> None:
    """Its MIME, to the byte."""
    mail = world.deliver()
    came = world.mime(mail)

    async with world.mailboxes.mime_stream(world.address, mail) as pieces:
        received = b"".join([piece async for piece in pieces])

    assert received == came


async def test_nothing_comes_of_a_mail_that_is_gone(world: World) -> None:
    """In no way."""
    mail = world.deliver()
    attachment = world.attach(mail, "a.txt", b"a")
    world.remove(mail)

    with pytest.raises(MailNotFound):
        await world.mailboxes.attachment_contents(world.address, mail)
    with pytest.raises(MailNotFound):
        await world.streamed(mail, attachment)
    with pytest.raises(MailNotFound):
        async with world.mailboxes.mime_stream(world.address, mail):
            pass


@pytest.mark.parametrize("retry_after", [None, 60.0])
async def test_a_stream_of_a_mailbox_that_is_down_is_unavailable(
    world: World, retry_after: float | None
) -> None:
    """On entering it; afterwards all is well."""
    mail = world.deliver()
    attachment = world.attach(mail, "a.txt", b"a")
    world.is_down(retry_after, times=4 if retry_after is None else 1)

    with pytest.raises(MailboxUnavailable) as raised:
        await world.streamed(mail, attachment)
    world.time_passes()

    assert raised.value.retry_after == retry_after
    assert await world.streamed(mail, attachment) == b"a"


async def test_what_happens_while_a_stream_is_read_goes_through(world: World) -> None:
    """And the mailbox can be used afterwards, however often that happens."""
    mail = world.deliver()
    attachment = world.attach(mail, "a.bin", LARGE)

    async def left_early() -> None:
        stream = world.mailboxes.attachment_stream(world.address, mail, attachment)
        async with stream as pieces:
            await anext(pieces)
            raise ZeroDivisionError

    for _ in range(6):
        with pytest.raises(ZeroDivisionError):
            await left_early()

    assert await world.streamed(mail, attachment) == LARGE
