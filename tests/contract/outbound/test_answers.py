"""Answers and forwards, as Microsoft's typed client reads them."""

import pytest

from localdev.graph_simulator import Quirks
from shared.domain.errors import MailNotFound, SendRefused
from shared.domain.outbound.graph_json import AUTO_SUBMITTED_PROPERTY
from shared.outbound_ports import Answering
from tests.builders import MAILBOX
from tests.contract.mailboxes.worlds import eml
from tests.contract.outbound.worlds import ADA, OutboundWorld

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")


async def test_a_reply_keeps_the_thread(world: OutboundWorld) -> None:
    """It names what it answers, quotes it, and its ids are known."""
    mail = world.deliver(Cc="bob@example.org")
    origin = await world.user().messages.by_message_id(mail).get()

    sent = await world.reply(mail, body="Answer", headers={"X-Case": "42"})

    assert world.counted() == {
        "GET message": 2,  # one of them is ours
        "POST createReply": 1,
        "PATCH message": 1,
        "POST send": 1,
    }
    copy = await world.only(MAILBOX, "sentitems")
    assert origin is not None
    assert sent.draft is not None
    assert copy.subject == "RE: Question"
    assert copy.conversation_id == origin.conversation_id == sent.draft.conversation_id
    assert copy.internet_message_id == sent.draft.internet_message_id
    assert copy.body is not None
    assert (copy.body.content or "").startswith("Answer")
    assert "Body" in (copy.body.content or "")
    [went] = world.simulator.sent
    assert went.recipients == ("ada@example.org",)
    assert b"In-Reply-To:" in went.mime
    assert b"X-Case: 42" in went.mime


async def test_a_reply_to_all_goes_to_all_but_oneself(world: OutboundWorld) -> None:
    """As mail programs do it; whom the caller names beside them gets a copy too."""
    mail = world.deliver(Cc="bob@example.org")
    more = {"cc": ["eve@example.org"], "evenIfAutomatic": True}

    await world.reply(mail, Answering.REPLY_ALL, quote=False, body="Answer", **more)

    assert world.counted() == {"POST createReplyAll": 1, "PATCH message": 1, "POST send": 1}
    everybody = ("ada@example.org", "bob@example.org", "eve@example.org")
    assert world.simulator.sent[0].recipients == everybody


async def test_a_forward_takes_the_attachments_along(world: OutboundWorld) -> None:
    """And what the caller adds."""
    message = _with_file()
    mail = world.simulator.deliver(MAILBOX, message)

    await world.reply(
        mail,
        Answering.FORWARD,
        to=[ADA],
        body="<p>See</p>",
        bodyContentType="html",
        attachments=[{"name": "more.txt", "content": "YQ=="}],
    )

    [sent] = world.simulator.sent
    assert [one.name for one in sent.content.attachments] == ["bill.pdf", "more.txt"]
    came = await world.only(ADA, "inbox")
    assert came.subject == "FW: With file"


async def test_a_reply_looks_first(world: OutboundWorld) -> None:
    """At the headers of what it would answer."""
    mail = world.deliver(**{"Auto-Submitted": "auto-replied"})

    with pytest.raises(SendRefused):
        await world.reply(mail)

    assert world.counted() == {"GET message": 1}
    assert not world.simulator.messages(MAILBOX, "drafts")


async def test_a_reply_knows_a_machine_without_its_headers(world: OutboundWorld) -> None:
    """Within an organisation they may be missing; Exchange keeps what they said."""
    mail = world.deliver()
    kept = world.simulator.message(MAILBOX, mail).content.properties
    kept[AUTO_SUBMITTED_PROPERTY] = "auto-generated"

    with pytest.raises(SendRefused):
        await world.reply(mail)


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("quote", [False, True])
async def test_an_automatic_reply_is_marked_whatever_its_draft_takes_over(
    world: OutboundWorld, *, bare: bool, quote: bool
) -> None:
    """It is not documented that the draft of an answer takes headers; that it may be changed is."""
    world.simulator.quirks = Quirks(bare_answers=bare)
    mail = world.deliver()

    await world.reply(mail, automatic=True, body="We got it", quote=quote)

    assert world.counted() == {
        "GET message": 1,
        "POST createReply": 1,
        "PATCH message": 1,
        "POST send": 1,
    }
    [went] = world.simulator.sent
    assert went.mime.count(b"X-Auto-Response-Suppress: All") == 1
    assert went.content.properties[AUTO_SUBMITTED_PROPERTY] == "auto-replied"


async def test_what_is_gone_is_not_answered(world: OutboundWorld) -> None:
    """No draft is left behind."""
    mail = world.deliver()
    await world.operations.purge_message(world.caller, mail)

    with pytest.raises(MailNotFound):
        await world.reply(mail)


def _with_file() -> bytes:
    mail = eml("With file").replace(b"MIME-Version: 1.0\n", b"")
    boundary = b"Content-Type: multipart/mixed; boundary=b\nMIME-Version: 1.0\n\n--b\n"
    head, _, _ = mail.partition(b"Content-Type:")
    return (
        head
        + boundary
        + b"Content-Type: text/plain\n\nBody\n--b\nContent-Type: application/pdf\n"
        + b"Content-Disposition: attachment; filename=bill.pdf\n\n%PDF\n--b--\n"
    )
