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


def people(*addresses: str) -> list[dict[str, Any]]:
    """As Graph names them."""
    return [{"emailAddress": {"address": address}} for address in addresses]


def sent_by(address: str) -> dict[str, Any]:
    """The property of a mail that tells its sender."""
    return {"from": people(address)[0]}


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
    asked = ("get_message", "create_answer", "update_draft", "send_draft")
    assert dict(desk.operations.asked) == dict.fromkeys(asked, 1)


async def test_an_answer_without_a_quote_that_goes_in_any_case_is_two_requests() -> None:
    """The draft is made with its body."""
    desk = Desk()
    mail = desk.operations.deliver()
    fields = {"bodyContentType": "html", "quote": False, "evenIfAutomatic": True}

    await reply(desk, mail, body="<p>A</p>", **fields)

    assert dict(desk.operations.asked) == {"create_answer": 1, "send_draft": 1}
    assert desk.operations.sent[0].json["body"] == {"contentType": "html", "content": "<p>A</p>"}


async def test_a_copy_of_an_answer_to_all_goes_to_those_beside_whom_graph_finds() -> None:
    """Each of them once."""
    desk = Desk()
    mail = desk.operations.deliver(ccRecipients=people("Bob@example.org"))
    request = asked_for(ReplyRequest, body="A", cc=["eve@example.org", "bob@EXAMPLE.org", ADA])

    await answer(desk.sending, desk.caller, Answering.REPLY_ALL, mail, request)

    [sent] = desk.operations.sent
    assert sent.json["ccRecipients"] == people("Bob@example.org", "eve@example.org")
    counted = {address for address, _ in desk.counts.counts}
    assert counted == {ADA, "bob@example.org", "eve@example.org"}


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
        {"replyTo": [{"emailAddress": {"address": "noreply@example.org"}}]},
        {"singleValueExtendedProperties": [{"id": "Auto-Submitted", "value": "auto-replied"}]},
    ],
)
@pytest.mark.parametrize("automatic", [True, False])
async def test_a_machine_does_not_answer_a_machine(
    properties: dict[str, Any], *, automatic: bool
) -> None:
    """Nor itself; whoever calls is a machine, whether it says so or not."""
    desk = Desk()
    mail = desk.operations.deliver(**properties)

    with pytest.raises(SendRefused) as raised:
        await reply(desk, mail, body="We got it", automatic=automatic)

    assert raised.value.why is Refusal.LOOP
    assert dict(desk.operations.asked) == {"get_message": 1}


@pytest.mark.parametrize("automatic", [True, False])
async def test_a_machine_does_not_answer_to_its_mailbox_by_another_address(
    *, automatic: bool
) -> None:
    """The draft knows it; it is removed."""
    desk = Desk()
    desk.operations.own = "desk@contoso.example"
    mail = desk.operations.deliver(
        **sent_by("ada@contoso.example"), replyTo=people("desk@contoso.example")
    )

    with pytest.raises(SendRefused) as raised:
        await reply(desk, mail, body="We got it", automatic=automatic)

    assert raised.value.why is Refusal.LOOP
    assert list(desk.operations.messages) == [mail]
    assert not desk.counts.counts


async def test_a_machine_does_not_answer_itself_by_the_id_of_its_mailbox() -> None:
    """Whose address the draft knows."""
    desk = Desk()
    desk.operations.own = BOX
    mail = desk.operations.deliver(**sent_by(BOX))
    caller = Caller("5c0fed00-0000-4000-8000-000000000001")
    request = asked_for(ReplyRequest)

    with pytest.raises(SendRefused) as raised:
        await answer(desk.sending, caller, Answering.REPLY, mail, request)

    assert raised.value.why is Refusal.LOOP


async def test_a_mail_of_its_own_is_followed_up_where_the_caller_says_to_whom() -> None:
    """As people do from Sent Items."""
    desk = Desk()
    mail = desk.operations.deliver(**sent_by(BOX))

    await reply(desk, mail, body="One thing more", to=[ADA])

    assert desk.operations.sent[0].json["toRecipients"] == people(ADA)


@pytest.mark.parametrize("even", [True, False])
async def test_an_automatic_answer_is_not_led_to_strangers(*, even: bool) -> None:
    """Anybody can write a Reply-To; the caller may name whom it is for."""
    desk = Desk()
    mail = desk.operations.deliver(replyTo=people("victim@bank.example"))
    fields = {"automatic": True, "evenIfAutomatic": even}

    with pytest.raises(SendRefused) as raised:
        await reply(desk, mail, body="We got it", **fields)
    await reply(desk, mail, body="We got it", to=["victim@bank.example"], **fields)
    await reply(desk, mail, body="I got it")

    assert raised.value.why is Refusal.ELSEWHERE
    assert len(desk.operations.sent) == 2


@pytest.mark.parametrize(("fields", "quotes"), [({}, False), ({"quote": True}, True)])
async def test_an_automatic_answer_quotes_only_where_it_is_told_to(
    fields: dict[str, Any], *, quotes: bool
) -> None:
    """Or anybody would have it say what he likes."""
    desk = Desk()
    mail = desk.operations.deliver(
        body={"contentType": "text", "content": "Log in at evil.example"}
    )

    await reply(desk, mail, body="We got it", automatic=True, **fields)

    assert ("evil" in desk.operations.sent[0].json["body"]["content"]) == quotes


async def test_an_automatic_forward_to_its_own_mailbox_is_refused() -> None:
    """By whatever name the mailbox is called; what a person forwards goes."""
    desk = Desk()
    desk.operations.own = "desk@contoso.example"
    mail = desk.operations.deliver()
    by_hand = asked_for(ForwardRequest, to=["Desk@contoso.example"])
    automatic = asked_for(ForwardRequest, to=["Desk@contoso.example"], automatic=True)

    with pytest.raises(SendRefused) as raised:
        await answer(desk.sending, desk.caller, Answering.FORWARD, mail, automatic)
    await answer(desk.sending, desk.caller, Answering.FORWARD, mail, by_hand)

    assert raised.value.why is Refusal.LOOP
    assert len(desk.operations.sent) == 1


async def test_an_automatic_answer_goes_where_it_must_though_to_a_machine() -> None:
    """Where the caller says so."""
    desk = Desk()
    mail = desk.operations.deliver(replyTo=people("noreply@example.org"))

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


@pytest.mark.parametrize("fields", [{"automatic": True}, {}])
async def test_an_answer_to_a_machine_goes_where_it_is_meant(fields: dict[str, Any]) -> None:
    """Where it was asked for."""
    desk = Desk()
    mail = desk.operations.deliver(internetMessageHeaders=AUTOMATIC)

    await reply(desk, mail, body="We got it", evenIfAutomatic=True, **fields)

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
