"""Answers keep the thread, quote, and begin no loop."""

from typing import Any

import pytest

from shared.domain.errors import AnswerLost, MailboxUnavailable, MailNotFound, Refusal, SendRefused
from shared.domain.outbound.requests import ForwardRequest, ReplyRequest
from shared.outbound_ports import Answering, Caller
from shared.workflows.outbound.answer import answer
from shared.workflows.outbound.sending import Sent
from tests.unit.workflows.outbound.desk import ADA, Desk, asked_for

BOX = "support@contoso.example"
AUTOMATIC = [{"name": "Auto-Submitted", "value": "auto-replied"}]


async def reply(desk: Desk, mail: str, **fields: Any) -> Sent:
    """Answers a mail."""
    request = asked_for(ReplyRequest, **fields)
    return await answer(desk.sending, desk.caller, Answering.REPLY, mail, request)


async def test_an_answer_stays_in_the_thread_and_quotes() -> None:
    """What is answered stands below; the answer's ids are known."""
    desk = Desk()
    mail = desk.operations.deliver()

    sent = await reply(desk, mail, body="Answer")

    assert sent.draft is not None
    assert sent.draft.conversation_id == "thread-of-question"
    assert desk.operations.sent[0].json["body"]["content"] == "Answer\r\n\r\nQuestion"
    asked = ("create_answer", "update_draft", "send_draft")
    assert dict(desk.operations.asked) == dict.fromkeys(asked, 1)


async def test_an_answer_without_a_quote_is_two_requests() -> None:
    """The draft is made with its body."""
    desk = Desk()
    mail = desk.operations.deliver()

    await reply(desk, mail, body="<p>A</p>", bodyContentType="html", quote=False)

    assert dict(desk.operations.asked) == {"create_answer": 1, "send_draft": 1}
    assert desk.operations.sent[0].json["body"] == {"contentType": "html", "content": "<p>A</p>"}


async def test_a_forward_goes_to_whom_it_names() -> None:
    """With the mail below the caller's words."""
    desk = Desk()
    mail = desk.operations.deliver()
    request = asked_for(ForwardRequest, to=["bob@example.org"], body="See")

    await answer(desk.sending, desk.caller, Answering.FORWARD, mail, request)

    [sent] = desk.operations.sent
    assert sent.json["toRecipients"] == [{"emailAddress": {"address": "bob@example.org"}}]
    assert sent.json["body"]["content"].endswith("Question")


@pytest.mark.parametrize(
    "properties",
    [
        {"internetMessageHeaders": AUTOMATIC},
        {"from": {"emailAddress": {"address": "mailer-daemon@example.org"}}},
        {"from": {"emailAddress": {"address": BOX.upper()}}},
    ],
)
async def test_a_machine_does_not_answer_a_machine(properties: dict[str, Any]) -> None:
    """Nor itself."""
    desk = Desk()
    mail = desk.operations.deliver(**properties)

    with pytest.raises(SendRefused) as raised:
        await reply(desk, mail, body="We got it", automatic=True)

    assert raised.value.why is Refusal.LOOP
    assert dict(desk.operations.asked) == {"get_message": 1}


@pytest.mark.parametrize("to", ["noreply@robot.example", BOX.upper(), "desk@contoso.example"])
async def test_a_machine_does_not_answer_to_a_machine(to: str) -> None:
    """Wherever Reply-To leads, this mailbox by another of its addresses included."""
    desk = Desk()
    desk.operations.own = "desk@contoso.example"
    mail = desk.operations.deliver(replyTo=[{"emailAddress": {"address": to}}])

    with pytest.raises(SendRefused) as raised:
        await reply(desk, mail, body="We got it", automatic=True)

    assert raised.value.why is Refusal.LOOP
    assert list(desk.operations.messages) == [mail]
    assert not desk.counts.counts


async def test_a_machine_does_not_answer_itself_by_the_id_of_its_mailbox() -> None:
    """Whose address the draft knows."""
    desk = Desk()
    desk.operations.own = BOX
    sender: dict[str, Any] = {"from": {"emailAddress": {"address": BOX}}}
    mail = desk.operations.deliver(**sender)
    caller = Caller("5c0fed00-0000-4000-8000-000000000001")
    request = asked_for(ReplyRequest, automatic=True, to=["bob@example.org"])

    with pytest.raises(SendRefused) as raised:
        await answer(desk.sending, caller, Answering.REPLY, mail, request)

    assert raised.value.why is Refusal.LOOP


async def test_an_automatic_answer_goes_where_it_must_though_to_a_machine() -> None:
    """Where the caller says so."""
    desk = Desk()
    robot = [{"emailAddress": {"address": "noreply@robot.example"}}]
    mail = desk.operations.deliver(replyTo=robot)

    await reply(desk, mail, automatic=True, evenIfAutomatic=True)

    assert len(desk.operations.sent) == 1


async def test_a_lost_answer_before_the_send_is_told_as_nothing_sent() -> None:
    """The caller may try again."""
    desk = Desk()
    mail = desk.operations.deliver()
    desk.operations.fail_next("update_draft", AnswerLost(BOX, "change message"))

    with pytest.raises(MailboxUnavailable, match="Nothing is sent") as raised:
        await reply(desk, mail, body="Answer")

    assert not isinstance(raised.value, AnswerLost)


@pytest.mark.parametrize("fields", [{"automatic": True, "evenIfAutomatic": True}, {}])
async def test_an_answer_to_a_machine_goes_where_it_is_meant(fields: dict[str, Any]) -> None:
    """By a person, or where it was asked for."""
    desk = Desk()
    mail = desk.operations.deliver(internetMessageHeaders=AUTOMATIC)

    await reply(desk, mail, body="We got it", **fields)

    assert len(desk.operations.sent) == 1


async def test_an_automatic_answer_is_marked_as_one() -> None:
    """For Exchange by a header that may be set, and by the property of the one that may not."""
    desk = Desk()
    mail = desk.operations.deliver()

    await reply(desk, mail, automatic=True, headers={"X-Ticket": "42"})

    [sent] = desk.operations.sent
    assert sent.json["internetMessageHeaders"] == [
        {"name": "X-Ticket", "value": "42"},
        {"name": "X-Auto-Response-Suppress", "value": "All"},
    ]
    values = [one["value"] for one in sent.json["singleValueExtendedProperties"]]
    assert values[0] == "auto-replied"


async def test_an_answer_over_the_cap_leaves_no_draft() -> None:
    """Those who get it are known only from the draft."""
    desk = Desk(most_per_hour=1)
    mail = desk.operations.deliver()
    await reply(desk, mail)

    with pytest.raises(SendRefused):
        await reply(desk, mail)

    assert len(desk.operations.sent) == 1
    assert [one.folder for one in desk.operations.messages.values()] == ["inbox", "sentitems"]
    assert (ADA, desk.sending.clock.now()) in desk.counts.counts


async def test_an_answer_that_is_not_sent_does_not_count() -> None:
    """Though whom it goes to was known, and counted, before."""
    desk = Desk()
    mail = desk.operations.deliver()
    desk.operations.fail_next("send_draft", MailboxUnavailable(BOX, "throttled", 60.0))

    with pytest.raises(MailboxUnavailable):
        await reply(desk, mail)

    assert set(desk.counts.counts.values()) == {0}


@pytest.mark.parametrize("method", ["create_answer", "send_draft"])
async def test_an_answer_goes_once_though_graphs_is_lost(method: str) -> None:
    """It is found by its key or its id."""
    desk = Desk()
    mail = desk.operations.deliver()
    desk.operations.fail_next(method, AnswerLost(BOX, "lost"), after_effect=True)

    await reply(desk, mail, quote=False)

    assert len(desk.operations.sent) == 1


async def test_a_draft_that_cannot_be_completed_is_removed() -> None:
    """Even where its removal fails, the first failure is told."""
    desk = Desk()
    mail = desk.operations.deliver()
    desk.operations.fail_next("update_draft", MailboxUnavailable(BOX, "first"))
    desk.operations.fail_next("discard_draft", MailboxUnavailable(BOX, "second"))

    with pytest.raises(MailboxUnavailable, match="first"):
        await reply(desk, mail, body="Answer")

    assert not desk.operations.sent


async def test_a_mail_that_is_gone_is_not_answered() -> None:
    """The caller is told."""
    with pytest.raises(MailNotFound):
        await reply(Desk(), "gone")
