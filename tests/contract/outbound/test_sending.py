"""What is sent is what Microsoft's typed client reads, at the price that is promised."""

from base64 import b64encode

import pytest

from localdev.graph_simulator import Quirks
from shared.domain.document import new_document
from shared.domain.errors import MailboxRefused
from tests.builders import MAILBOX
from tests.contract.graph_simulator.sdk import BodyType, FileAttachment, Recipient
from tests.contract.outbound.worlds import ADA, OutboundWorld

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
DOCUMENT = "20260114-" + "a" * 32 + "-" + "b" * 16


def a_file(size: int, name: str = "a.bin") -> dict[str, str]:
    return {"name": name, "content": b64encode(b"a" * size).decode()}


def addresses(people: list[Recipient] | None) -> list[str | None]:
    return [one.email_address.address for one in people or () if one.email_address]


async def test_a_simple_send_is_one_request(world: OutboundWorld) -> None:
    """And a copy lies in Sent Items with everything that was asked for."""
    await world.send(
        body="<p>Grüße</p>",
        bodyContentType="html",
        cc=["bob@example.org"],
        bcc=["eve@example.org"],
        replyTo=["desk@example.org"],
        importance="high",
        headers={"X-Case": "42"},
        attachments=[{**a_file(100, "logo.png"), "contentId": "logo"}],
    )

    assert world.counted() == {"POST sendMail": 1}
    copy = await world.only(MAILBOX, "sentitems")
    assert copy.subject == "Hello"
    assert copy.body is not None
    assert (copy.body.content_type, copy.body.content) == (BodyType.Html, "<p>Grüße</p>")
    assert addresses(copy.to_recipients) == [ADA]
    assert addresses(copy.cc_recipients) == ["bob@example.org"]
    assert addresses(copy.bcc_recipients) == ["eve@example.org"]
    assert addresses(copy.reply_to) == ["desk@example.org"]
    came = await world.only(ADA, "inbox")
    assert not came.bcc_recipients
    assert came.id is not None
    page = await world.user(ADA).messages.by_message_id(came.id).attachments.get()
    assert page is not None
    assert page.value is not None
    [attached] = page.value
    assert isinstance(attached, FileAttachment)
    assert (attached.is_inline, attached.content_id) == (True, "logo")
    assert b"X-Case: 42" in world.simulator.sent[0].mime


async def test_an_identified_send_is_two_requests(world: OutboundWorld) -> None:
    """The ids of the answer are those of the mail that came, and of its copy."""
    sent = await world.send(identify=True, attachments=[a_file(10)])

    assert world.counted() == {"POST messages": 1, "POST send": 1}
    assert sent.draft is not None
    came = await world.only(ADA, "inbox")
    copy = await world.only(MAILBOX, "sentitems")
    assert came.internet_message_id == sent.draft.internet_message_id
    assert copy.conversation_id == sent.draft.conversation_id
    assert copy.has_attachments
    assert not copy.is_draft


@pytest.mark.parametrize("new_id", [False, True])
async def test_the_internet_message_id_of_the_answer_is_that_of_the_copy(
    world: OutboundWorld, *, new_id: bool
) -> None:
    """Its other id may be the draft's only: of that Graph's documentation says both."""
    world.simulator.quirks = Quirks(new_id_when_sent=new_id)

    sent = await world.send(identify=True)

    assert sent.draft is not None
    copy = await world.only(MAILBOX, "sentitems")
    assert copy.internet_message_id == sent.draft.internet_message_id
    found = await world.operations.look(world.caller, sent.draft.id)
    assert (found is None) == new_id


async def test_nothing_is_kept_where_nothing_is_to_be(world: OutboundWorld) -> None:
    """Sent Items stay empty."""
    await world.send(saveToSentItems=False)

    assert len(world.simulator.sent) == 1
    assert not world.simulator.messages(MAILBOX)


async def test_large_mail_goes_in_parts(world: OutboundWorld) -> None:
    """Small files in a request each, large ones and documents through upload sessions."""
    content = bytes(range(256)) * 20_000
    document = new_document(DOCUMENT, "film.mp4", "video/mp4", len(content))
    world.documents.stored[DOCUMENT] = (document, content)

    await world.send(attachments=[a_file(1000), {"documentId": DOCUMENT}])

    uploads = world.simulator.metrics.uploads
    assert world.counted() == {
        "POST messages": 1,
        "POST attachments": 1,
        "GET attachments": 1,
        "POST attachments createUploadSession": 1,
        "POST send": 1,
    }
    assert uploads == 2
    [sent] = world.simulator.sent
    assert [one.name for one in sent.content.attachments] == ["a.bin", "film.mp4"]
    assert sent.content.attachments[1].content == content


async def test_a_shared_mailbox_sends_as_itself(world: OutboundWorld) -> None:
    """Its address is in the path, and the copy lies in its own Sent Items."""
    await world.send()

    came = await world.only(ADA, "inbox")
    assert came.from_ is not None
    assert addresses([came.from_]) == [MAILBOX]
    assert (await world.only(MAILBOX, "sentitems")).subject == "Hello"


async def test_a_mailbox_sends_as_another_where_it_may(world: OutboundWorld) -> None:
    """Exchange holds the right to send as."""
    with pytest.raises(MailboxRefused) as raised:
        await world.send(sender="sales@contoso.example")
    assert raised.value.said is not None
    assert raised.value.said.code == "ErrorSendAsDenied"
    assert raised.value.said.request_id
    world.simulator.directory.mailbox(MAILBOX).send_as.add("sales@contoso.example")

    await world.send(sender="sales@contoso.example")

    came = await world.only(ADA, "inbox")
    assert came.from_ is not None
    assert addresses([came.from_]) == ["sales@contoso.example"]


async def test_an_automatic_mail_is_marked(world: OutboundWorld) -> None:
    """By the header that Exchange lets out; another connector like this sees it."""
    await world.send(automatic=True)

    assert b"X-Auto-Response-Suppress: All" in world.simulator.sent[0].mime
