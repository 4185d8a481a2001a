"""Every operation through Microsoft's typed client: what it reads must be there, by its names."""

import pytest
from msgraph.graph_service_client import GraphServiceClient

from localdev.graph_simulator import GraphSimulator
from tests.contract.graph_simulator.clients import SUPPORT, mail, mail_with_attachments
from tests.contract.graph_simulator.sdk import (
    BodyType,
    CopyPostRequestBody,
    EmailAddress,
    ExchangeIdFormat,
    FileAttachment,
    ItemAttachment,
    ItemBody,
    MailFolder,
    Message,
    MessagesRequestBuilder,
    MovePostRequestBody,
    ODataError,
    Recipient,
    ReferenceAttachment,
    RequestConfiguration,
    SendMailPostRequestBody,
    UserItemRequestBuilder,
    create_reply_post_request_body,
    translation,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")


@pytest.fixture
def user(graph: GraphServiceClient) -> UserItemRequestBuilder:
    return graph.users.by_user_id(SUPPORT)


async def test_unread_mail_is_listed_oldest_first(
    simulator: GraphSimulator, user: UserItemRequestBuilder
) -> None:
    """A page of unread mail comes in order of arrival, with what was asked for and a count."""
    simulator.deliver(SUPPORT, mail("read"), is_read=True)
    simulator.deliver(SUPPORT, mail("first"))
    simulator.deliver(SUPPORT, mail("second"))
    parameters = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
        filter="receivedDateTime ge 1900-01-01T00:00:00Z and isRead eq false",
        orderby=["receivedDateTime asc"],
        select=["subject", "from", "receivedDateTime"],
        top=50,
        count=True,
    )

    page = await user.mail_folders.by_mail_folder_id("inbox").messages.get(
        RequestConfiguration(query_parameters=parameters)
    )

    assert page is not None
    assert page.value is not None
    assert [message.subject for message in page.value] == ["first", "second"]
    assert page.odata_count == 2
    sender = page.value[0].from_
    assert sender is not None
    assert sender.email_address is not None
    assert sender.email_address.address == "ada@fabrikam.example"


async def test_next_links_are_followed(
    simulator: GraphSimulator, user: UserItemRequestBuilder
) -> None:
    """A page holds ten messages unless told otherwise; the link leads to the others."""
    for number in range(13):
        simulator.deliver(SUPPORT, mail(str(number)))
    messages = user.mail_folders.by_mail_folder_id("inbox").messages

    first = await messages.get()
    assert first is not None
    assert first.odata_next_link is not None
    second = await messages.with_url(first.odata_next_link).get()

    assert second is not None
    assert len(first.value or ()) == 10
    assert len(second.value or ()) == 3
    assert second.odata_next_link is None


async def test_a_message_is_read_and_marked(
    simulator: GraphSimulator, user: UserItemRequestBuilder
) -> None:
    """What PATCH changes is answered and kept."""
    message_id = simulator.deliver(SUPPORT, mail())
    message = user.messages.by_message_id(message_id)

    before = await message.get()
    after = await message.patch(Message(is_read=True, categories=["Done"]))

    assert before is not None
    assert before.is_read is False
    assert before.body is not None
    assert before.body.content_type is BodyType.Text
    assert after is not None
    assert (after.is_read, after.categories) == (True, ["Done"])
    kept = simulator.message(SUPPORT, message_id)
    assert (kept.is_read, kept.categories) == (True, ["Done"])


async def test_messages_are_moved_and_copied(
    simulator: GraphSimulator, user: UserItemRequestBuilder
) -> None:
    """A move takes the message away from where it was, a copy does not."""
    message_id = simulator.deliver(SUPPORT, mail())
    message = user.messages.by_message_id(message_id)

    moved = await message.move.post(MovePostRequestBody(destination_id="archive"))
    copied = await message.copy.post(CopyPostRequestBody(destination_id="junkemail"))

    assert moved is not None
    assert copied is not None
    assert copied.id != moved.id
    assert not simulator.messages(SUPPORT, "inbox")
    assert [m.id for m in simulator.messages(SUPPORT, "archive")] == [message_id]
    assert len(simulator.messages(SUPPORT, "junkemail")) == 1


async def test_messages_are_deleted_and_purged(
    simulator: GraphSimulator, user: UserItemRequestBuilder
) -> None:
    """DELETE puts a message into Deleted Items; permanentDelete takes it out of reach."""
    message_id = simulator.deliver(SUPPORT, mail())
    message = user.messages.by_message_id(message_id)

    await message.delete()
    deleted = simulator.messages(SUPPORT, "deleteditems")
    await message.permanent_delete.post()

    assert [m.id for m in deleted] == [message_id]
    assert not simulator.messages(SUPPORT)
    with pytest.raises(ODataError) as caught:
        await message.get()
    assert caught.value.error is not None
    assert caught.value.error.code == "ErrorItemNotFound"


async def test_the_mime_of_a_message_is_what_was_delivered(
    simulator: GraphSimulator, user: UserItemRequestBuilder
) -> None:
    """`$value` of a message is its source, byte for byte."""
    source = mail("Grüße aus Zürich")
    message_id = simulator.deliver(SUPPORT, source)

    assert await user.messages.by_message_id(message_id).content.get() == source


async def test_attachments_come_in_three_kinds(
    simulator: GraphSimulator, user: UserItemRequestBuilder
) -> None:
    """Files carry bytes, attached mails are items, links to the cloud are references."""
    message_id = simulator.deliver(SUPPORT, mail_with_attachments())
    simulator.attach_reference(SUPPORT, message_id, "plan.docx")
    attachments = user.messages.by_message_id(message_id).attachments

    listed = await attachments.get()

    assert listed is not None
    assert listed.value is not None
    picture, file, item, reference = listed.value
    assert isinstance(picture, FileAttachment)
    assert (picture.is_inline, picture.content_id) == (True, "logo")
    assert isinstance(file, FileAttachment)
    assert file.name == "bill.pdf"
    assert isinstance(item, ItemAttachment)
    assert isinstance(reference, ReferenceAttachment)
    assert file.id is not None
    one = await attachments.by_attachment_id(file.id).get()
    assert one is not None
    assert one.name == "bill.pdf"


async def test_folders_are_created_and_listed(
    simulator: GraphSimulator, user: UserItemRequestBuilder
) -> None:
    """A created folder is found among the children of its parent, and mail can be moved there."""
    created = await user.mail_folders.post(MailFolder(display_name="Inquiries"))
    assert created is not None
    assert created.id is not None
    inquiries = user.mail_folders.by_mail_folder_id(created.id)
    child = await inquiries.child_folders.post(MailFolder(display_name="Tech-Support"))

    children = await inquiries.child_folders.get()

    assert child is not None
    assert children is not None
    assert [folder.id for folder in children.value or ()] == [child.id]
    simulator.deliver(SUPPORT, mail(), folder="Inquiries/Tech-Support")
    assert child.id is not None
    read = await user.mail_folders.by_mail_folder_id(child.id).get()
    assert read is not None
    assert (read.total_item_count, read.unread_item_count) == (1, 1)


async def test_mail_is_sent(simulator: GraphSimulator, user: UserItemRequestBuilder) -> None:
    """A sent mail reaches the simulated recipient, and a copy lies in Sent Items."""
    simulator.add_mailbox("sales@contoso.example")
    message = Message(
        subject="Offer",
        body=ItemBody(content="<p>Here it is.</p>", content_type=BodyType.Html),
        to_recipients=[Recipient(email_address=EmailAddress(address="sales@contoso.example"))],
        attachments=[
            FileAttachment(
                odata_type="#microsoft.graph.fileAttachment",
                name="offer.txt",
                content_type="text/plain",
                content_bytes=b"1000 EUR",
            )
        ],
    )

    await user.send_mail.post(SendMailPostRequestBody(message=message, save_to_sent_items=True))

    (arrived,) = simulator.messages("sales@contoso.example", "inbox")
    assert arrived.subject == "Offer"
    assert arrived.content.attachments[0].content == b"1000 EUR"
    assert len(simulator.messages(SUPPORT, "sentitems")) == 1


async def test_a_reply_stays_in_the_conversation(
    simulator: GraphSimulator, user: UserItemRequestBuilder
) -> None:
    """CreateReply makes a draft to the sender, in the same conversation."""
    message_id = simulator.deliver(SUPPORT, mail("Question"))
    message = user.messages.by_message_id(message_id)

    original = await message.get()
    draft = await message.create_reply.post(
        create_reply_post_request_body.CreateReplyPostRequestBody(comment="Yes.")
    )

    assert original is not None
    assert draft is not None
    assert draft.id is not None
    assert (draft.is_draft, draft.subject) == (True, "RE: Question")
    assert draft.conversation_id == original.conversation_id
    await user.messages.by_message_id(draft.id).send.post()
    assert simulator.sent[0].recipients == ("ada@fabrikam.example",)
    assert not simulator.messages(SUPPORT, "drafts")


async def test_ids_are_translated(simulator: GraphSimulator, user: UserItemRequestBuilder) -> None:
    """Both kinds of id of a message lead to each other."""
    message_id = simulator.deliver(SUPPORT, mail())
    mutable_id = simulator.message(SUPPORT, message_id).mutable_id

    translated = await user.translate_exchange_ids.post(
        translation.TranslateExchangeIdsPostRequestBody(
            input_ids=[mutable_id],
            source_id_type=ExchangeIdFormat.RestId,
            target_id_type=ExchangeIdFormat.RestImmutableEntryId,
        )
    )

    assert translated is not None
    assert [result.target_id for result in translated.value or ()] == [message_id]


async def test_a_user_is_read(user: UserItemRequestBuilder) -> None:
    """A mailbox has a user with its address."""
    found = await user.get()

    assert found is not None
    assert found.mail == SUPPORT
