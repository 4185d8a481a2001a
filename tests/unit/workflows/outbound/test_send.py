"""New mail: at once or as a draft, and never twice."""

import asyncio
from base64 import b64encode
from dataclasses import replace

import pytest

from shared.domain.document import new_document
from shared.domain.errors import (
    AnswerLost,
    MailboxError,
    MailboxRefused,
    MailboxUnavailable,
    MailNotFound,
    Refusal,
    SendRefused,
    StorageUnavailable,
)
from shared.domain.outbound.requests import SendRequest
from shared.workflows.outbound.send import send
from tests.fakes.outbox import StrictMailOperations
from tests.unit.workflows.outbound.desk import ADA, Desk, asked_for

BOX = "support@contoso.example"
LOST = AnswerLost(BOX, "lost")
SALES = ["Sales@x.example"]
DOCUMENT = "20260114-" + "a" * 32 + "-" + "b" * 16


def a_mail(**fields: object) -> SendRequest:
    request: SendRequest = asked_for(SendRequest, **{"to": [ADA], "subject": "Hi", **fields})
    return request


def a_file(size: int, name: str = "a.bin") -> dict[str, str]:
    return {"name": name, "content": b64encode(b"a" * size).decode()}


def send_all(desk: Desk) -> None:
    """A person sends all drafts."""
    for message in desk.operations.messages.values():
        message.json["isDraft"], message.folder = False, "sentitems"


async def test_a_simple_mail_is_one_request() -> None:
    """Of which nothing is known but that it is accepted."""
    desk = Desk()

    sent = await send(desk.sending, desk.caller, a_mail(body="Hello"))

    assert dict(desk.operations.asked) == {"send_at_once": 1}
    assert sent.draft is None
    assert sent.kept


async def test_no_copy_is_kept_where_none_is_wanted() -> None:
    """As Camunda's connector does always."""
    desk = Desk()

    sent = await send(desk.sending, desk.caller, a_mail(saveToSentItems=False))

    assert not sent.kept
    assert not desk.operations.messages


async def test_a_mail_that_is_to_be_identified_is_two_requests() -> None:
    """The draft names what the mail keeps."""
    desk = Desk()

    sent = await send(desk.sending, desk.caller, a_mail(identify=True, attachments=[a_file(10)]))

    assert dict(desk.operations.asked) == {"create_draft": 1, "send_draft": 1}
    assert sent.draft is not None
    assert sent.draft.internet_message_id == desk.operations.sent[0].json["internetMessageId"]
    assert desk.operations.sent[0].files == [("a.bin", b"a" * 10)]


async def test_what_is_too_large_for_one_request_goes_as_a_draft() -> None:
    """Small files one by one, large ones in parts."""
    desk = Desk()
    files = [a_file(2_500_000), a_file(3_500_000, "b.bin"), a_file(10, "c.bin")]

    await send(desk.sending, desk.caller, a_mail(attachments=files))

    asked = desk.operations.asked
    assert (asked["create_draft"], asked["add_attachment"], asked["upload"]) == (1, 2, 1)
    names = [name for name, _ in desk.operations.sent[0].files]
    assert names == ["a.bin", "b.bin", "c.bin"]


async def test_a_document_is_sent_by_its_id() -> None:
    """With its own name and type, unless others are given."""
    desk = Desk()
    document = new_document(DOCUMENT, "offer.pdf", "application/pdf", 3)
    desk.documents.stored[DOCUMENT] = (document, b"PDF")
    files = [{"documentId": DOCUMENT}, {"documentId": DOCUMENT, "name": "other.pdf"}]

    await send(desk.sending, desk.caller, a_mail(attachments=files))

    assert desk.operations.sent[0].files == [("offer.pdf", b"PDF"), ("other.pdf", b"PDF")]


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("text/csv; charset=utf-8", "text/csv; charset=utf-8"),
        ("text/html\r\nX-Evil: 1", "application/octet-stream"),
        ("text/plain; charset", "application/octet-stream"),
    ],
)
async def test_the_type_of_a_document_is_sent_if_it_is_one(written: str, sent: str) -> None:
    """A stranger has written it."""
    desk = Desk()
    document = new_document(DOCUMENT, "a.csv", written, 3)
    desk.documents.stored[DOCUMENT] = (document, b"a,b")

    await send(desk.sending, desk.caller, a_mail(attachments=[{"documentId": DOCUMENT}]))

    [attached] = desk.operations.sent[0].json["attachments"]
    assert attached["contentType"] == sent


@pytest.mark.parametrize("identity", [DOCUMENT, "../../secrets", ""])
async def test_a_document_that_is_not_there_stops_the_mail(identity: str) -> None:
    """Nothing is sent, and nothing is counted."""
    desk = Desk()

    with pytest.raises(SendRefused) as raised:
        await send(desk.sending, desk.caller, a_mail(attachments=[{"documentId": identity}]))

    assert raised.value.why is Refusal.NO_DOCUMENT
    assert not desk.operations.asked
    assert not desk.counts.counts


@pytest.mark.parametrize(
    "fields", [{"to": [BOX.upper()]}, {"bcc": [BOX]}, {"from": "sales@x.example", "to": SALES}]
)
async def test_an_automatic_mail_to_its_own_mailbox_is_refused(fields: dict[str, object]) -> None:
    """It would come in again, and be answered again; what a person sends himself goes."""
    desk = Desk()

    with pytest.raises(SendRefused) as raised:
        await send(desk.sending, desk.caller, a_mail(automatic=True, **fields))
    await send(desk.sending, desk.caller, a_mail(**fields))

    assert raised.value.why is Refusal.LOOP
    assert len(desk.operations.sent) == 1


async def test_a_large_mail_always_leaves_a_copy() -> None:
    """So one that must not is refused."""
    desk = Desk()
    request = a_mail(saveToSentItems=False, attachments=[a_file(4_000_000)])

    with pytest.raises(SendRefused) as raised:
        await send(desk.sending, desk.caller, request)

    assert raised.value.why is Refusal.NO_COPY


async def test_a_body_that_is_too_large_is_refused() -> None:
    """It cannot be sent in parts."""
    desk = Desk()

    with pytest.raises(SendRefused) as raised:
        await send(desk.sending, desk.caller, a_mail(body="a" * 4_000_000))

    assert raised.value.why is Refusal.TOO_LARGE


async def test_a_lost_answer_to_a_simple_send_is_told_and_nothing_is_repeated() -> None:
    """Nobody knows whether the mail went out."""
    desk = Desk()
    desk.operations.fail_next("send_at_once", AnswerLost(BOX, "send"), after_effect=True)

    with pytest.raises(AnswerLost):
        await send(desk.sending, desk.caller, a_mail())

    assert len(desk.operations.sent) == 1


@pytest.mark.parametrize("method", ["create_draft", "send_draft"])
async def test_a_draft_is_sent_once_though_an_answer_is_lost(method: str) -> None:
    """A look at the mailbox tells that it took effect."""
    desk = Desk()
    desk.operations.fail_next(method, AnswerLost(BOX, "lost"), after_effect=True)

    sent = await send(desk.sending, desk.caller, a_mail(identify=True))

    assert len(desk.operations.sent) == 1
    assert desk.operations.asked["send_draft"] == 1
    assert sent.draft is not None
    assert not sent.draft.is_draft


async def test_a_draft_that_was_not_made_is_told_as_nothing_sent() -> None:
    """The caller may try again."""
    desk = Desk()
    desk.operations.fail_next("create_draft", AnswerLost(BOX, "create draft"))

    with pytest.raises(MailboxUnavailable, match="Nothing is sent") as raised:
        await send(desk.sending, desk.caller, a_mail(identify=True))

    assert not isinstance(raised.value, AnswerLost)


async def test_a_draft_that_is_not_seen_sent_is_not_sent_again() -> None:
    """It may be under way: the caller is told how to find out."""
    desk = Desk()
    desk.operations.fail_next("send_draft", AnswerLost(BOX, "send draft"))

    with pytest.raises(AnswerLost, match=r"internetMessageId <1@example\.org>"):
        await send(desk.sending, desk.caller, a_mail(identify=True))

    assert desk.operations.asked["send_draft"] == 1
    assert sum(desk.pauses) == 10


@pytest.mark.parametrize(
    "error",
    [MailboxRefused(BOX, "no"), MailboxUnavailable(BOX, "down"), AnswerLost(BOX, "lost")],
)
async def test_a_draft_whose_file_does_not_get_through_is_removed(error: MailboxRefused) -> None:
    """Half a mail is left to nobody."""
    desk = Desk()
    desk.operations.fail_next("add_attachment", error)
    files = [a_file(2_900_000), a_file(2_900_000)]

    with pytest.raises((MailboxRefused, MailboxUnavailable)) as raised:
        await send(desk.sending, desk.caller, a_mail(attachments=files))

    assert not isinstance(raised.value, AnswerLost)
    assert not desk.operations.messages
    assert not desk.operations.sent


@pytest.mark.parametrize(
    "error", [MailboxRefused(BOX, "no"), MailboxUnavailable(BOX, "throttled", 60.0)]
)
async def test_a_draft_whose_sending_is_refused_is_removed(error: MailboxError) -> None:
    """Nothing that was not sent stays behind."""
    desk = Desk()
    desk.operations.fail_next("send_draft", error)

    with pytest.raises(type(error), match=error.what):
        await send(desk.sending, desk.caller, a_mail(identify=True))

    assert not desk.operations.messages


async def test_a_mail_whose_answer_was_lost_is_found_under_another_id() -> None:
    """The copy in Sent Items may have one of its own, and no key."""
    desk = Desk()
    operations = StrictMailOperations()
    operations.copies = True
    operations.fail_next("send_draft", AnswerLost(BOX, "lost"), after_effect=True)

    sent = await send(
        replace(desk.sending, operations=operations), desk.caller, a_mail(identify=True)
    )

    assert sent.draft is not None
    assert sent.draft.id in operations.messages
    assert sent.draft.conversation_id == "thread-1"


async def test_a_draft_that_graph_does_not_see_yet_is_removed_when_it_does() -> None:
    """It was made a moment before; nothing is sent, and the caller may try again."""
    desk = Desk()
    desk.operations.fail_next("send_draft", MailNotFound(BOX, "send draft: Graph answered 404"))
    desk.operations.fail_next("look", MailboxUnavailable(BOX, "down"))

    with pytest.raises(MailboxUnavailable, match="Nothing is sent"):
        await send(desk.sending, desk.caller, a_mail(identify=True))

    assert not desk.operations.messages


async def test_a_draft_that_a_person_has_sent_is_not_removed() -> None:
    """What now has its id is the mail."""
    desk = Desk()
    person = replace(desk.sending, begins=lambda: send_all(desk))
    desk.operations.fail_next("send_draft", MailNotFound(BOX, "send draft: Graph answered 404"))

    with pytest.raises(MailboxUnavailable):
        await send(person, desk.caller, a_mail(identify=True))

    assert [one.folder for one in desk.operations.messages.values()] == ["sentitems"]
    assert not desk.operations.asked["discard_draft"]


@pytest.mark.parametrize("method", ["create_draft", "add_attachment", "upload"])
@pytest.mark.parametrize("after", [True, False])
async def test_a_draft_of_a_caller_who_is_cut_off_is_removed(method: str, *, after: bool) -> None:
    """At any point before its sending has begun, a draft under way included."""
    desk = Desk()
    entered = desk.operations.hang_next(method, after_effect=after)
    files = [a_file(2_000_000), a_file(3_500_000)]
    sending = asyncio.create_task(send(desk.sending, desk.caller, a_mail(attachments=files)))
    await entered.wait()

    sending.cancel()
    desk.operations.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await sending

    assert not desk.operations.messages
    assert not desk.operations.sent


async def test_a_draft_whose_sending_is_cut_off_stays() -> None:
    """It may be under way."""
    desk = Desk()
    entered = desk.operations.hang_next("send_draft", after_effect=False)
    sending = asyncio.create_task(send(desk.sending, desk.caller, a_mail(identify=True)))
    await entered.wait()

    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending

    assert len(desk.operations.messages) == 1


async def test_a_draft_that_we_fail_on_is_removed() -> None:
    """An error that nobody thought of is none of the mailbox's."""
    desk = Desk()
    desk.operations.fail_next("upload", KeyError("uploadUrl"))

    with pytest.raises(KeyError):
        await send(desk.sending, desk.caller, a_mail(attachments=[a_file(4_000_000)]))

    assert not desk.operations.messages


@pytest.mark.parametrize("refusal", [MailboxRefused(BOX, "401"), MailNotFound(BOX, "404")])
@pytest.mark.parametrize("look", ["look", "find_draft"])
async def test_a_refusal_while_looking_is_no_verdict(refusal: MailboxError, look: str) -> None:
    """Of the mail nobody knows more than before."""
    desk = Desk()
    lost = {"look": "send_draft", "find_draft": "create_draft"}[look]
    desk.operations.fail_next(lost, AnswerLost(BOX, "lost"), after_effect=True)
    for _ in range(4):
        desk.operations.fail_next(look, refusal)

    with pytest.raises(MailboxUnavailable) as raised:
        await send(desk.sending, desk.caller, a_mail(identify=True))

    assert isinstance(raised.value, AnswerLost) == (look == "look")


async def test_who_asks_is_told_that_a_send_begins() -> None:
    """Right before it does, and not before a draft is made."""
    desk = Desk()
    asked: list[dict[str, int]] = []
    sending = replace(desk.sending, begins=lambda: asked.append(dict(desk.operations.asked)))

    await send(sending, desk.caller, a_mail(identify=True))
    desk.operations.asked.clear()
    await send(sending, desk.caller, a_mail())

    assert asked == [{"create_draft": 1}, {}]


@pytest.mark.parametrize(
    "address",
    ["ADA@example.org", "ada@example.org.", "\uff41da@example.org", "ada@\uff25xample.org"],
)
async def test_an_address_is_counted_however_it_is_written(address: str) -> None:
    """In any case, width, and with the dot of a whole domain name."""
    desk = Desk(most_per_hour=1)
    await send(desk.sending, desk.caller, a_mail())

    with pytest.raises(SendRefused):
        await send(desk.sending, desk.caller, a_mail(to=[address]))


async def test_a_recipient_gets_so_many_mails_an_hour() -> None:
    """Whoever sends them, however the address is written; the next hour is a new one."""
    desk = Desk(most_per_hour=2)
    for address in (ADA, ADA.upper()):
        await send(desk.sending, desk.caller, a_mail(to=[address]))

    with pytest.raises(SendRefused) as raised:
        await send(desk.sending, desk.caller, a_mail(to=["bob@example.org"], bcc=[ADA]))

    assert raised.value.why is Refusal.TOO_MANY
    assert raised.value.retry_after == 3600
    assert len(desk.operations.sent) == 2


async def test_a_mail_that_is_refused_counts_for_nobody() -> None:
    """Or one who has got enough would block those beside him."""
    desk = Desk(most_per_hour=1)
    await send(desk.sending, desk.caller, a_mail())

    with pytest.raises(SendRefused):
        await send(desk.sending, desk.caller, a_mail(to=["bob@example.org", ADA]))
    await send(desk.sending, desk.caller, a_mail(to=["bob@example.org"]))

    assert set(desk.counts.counts.values()) == {1}


@pytest.mark.parametrize(
    ("error", "left"),
    [(MailboxRefused(BOX, "403"), 0), (MailboxUnavailable(BOX, "429"), 0), (LOST, 1)],
)
@pytest.mark.parametrize("method", ["send_at_once", "send_draft"])
async def test_a_mail_that_certainly_was_not_sent_does_not_count(
    method: str, error: MailboxError, left: int
) -> None:
    """One that may have been does."""
    desk = Desk()
    desk.operations.fail_next(method, error)

    with pytest.raises(MailboxError):
        await send(desk.sending, desk.caller, a_mail(identify=method == "send_draft"))

    assert sum(desk.counts.counts.values()) == left


async def test_what_was_counted_stays_where_nobody_can_count() -> None:
    """The caller is told why the mail was not sent, and not that."""
    desk = Desk()
    desk.operations.fail_next("send_at_once", MailboxRefused(BOX, "403"))
    sending = replace(desk.sending, begins=lambda: setattr(desk.counts, "failing", True))

    with pytest.raises(MailboxRefused):
        await send(sending, desk.caller, a_mail())

    assert sum(desk.counts.counts.values()) == 1


async def test_an_archive_may_get_any_number() -> None:
    """However its address is written; the others beside it do not."""
    desk = Desk(most_per_hour=1)
    sending = replace(desk.sending, unlimited=("Archive@example.org",))
    for number in range(3):
        to = [f"{number}@example.org"]
        await send(sending, desk.caller, a_mail(to=to, bcc=["archive@EXAMPLE.org"]))

    assert len(desk.operations.sent) == len(desk.counts.counts) == 3


async def test_without_a_cap_nothing_is_counted() -> None:
    """Zero means any number."""
    desk = Desk(most_per_hour=0)
    desk.counts.failing = True

    await send(desk.sending, desk.caller, a_mail())

    assert not desk.counts.counts


async def test_nothing_is_sent_where_nobody_can_count() -> None:
    """Several instances run: a loop would go unseen."""
    desk = Desk()
    desk.counts.failing = True

    with pytest.raises(StorageUnavailable):
        await send(desk.sending, desk.caller, a_mail())

    assert not desk.operations.sent
