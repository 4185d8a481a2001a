import base64
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.errors import (
    AnswerLost,
    MailboxRefused,
    MailboxUnavailable,
    SendRefused,
    StorageUnavailable,
)
from shared.domain.outbound.outbox import (
    INLINE_BYTES,
    KeyReused,
    NotDurable,
    OutboxItem,
    OutboxMessage,
    SendState,
)
from shared.outbound_ports import Caller
from shared.workflows.outbox.enqueue import enqueue, find_send, read_request
from shared.workflows.outbox.send_queued import give_up
from tests.builders import MAILBOX, NOW
from tests.fakes.outbox_world import REQUEST, OutboxWorld

LOST = AnswerLost(MAILBOX, "no answer")
DOWN = MailboxUnavailable(MAILBOX, "answered 503")


@pytest.fixture
def world() -> OutboxWorld:
    return OutboxWorld()


async def test_a_simple_send_takes_two_requests(world: OutboxWorld) -> None:
    """Create the draft, send it; nothing else."""
    await world.enqueue()
    await world.work()

    assert world.mailbox.asked == {"create_draft": 1, "send_draft": 1}
    assert [sent.json["subject"] for sent in world.mailbox.sent] == ["Receipt"]
    assert world.queue.messages == []


async def test_the_status_tells_where_a_send_stands(world: OutboxWorld) -> None:
    """Accepted at first; when it is sent, under which ids."""
    accepted = (await world.enqueue()).item.status()
    world.later(seconds=3)
    await world.work()
    item = await find_send(world.box(), MAILBOX.upper(), "order-1")

    assert accepted["state"] == "accepted"
    assert item is not None
    assert item.status() == {
        "key": "order-1",
        "userId": MAILBOX,
        "state": "sent",
        "acceptedAt": NOW.isoformat(),
        "updatedAt": (NOW + timedelta(seconds=3)).isoformat(),
        "sentAt": (NOW + timedelta(seconds=3)).isoformat(),
        "attempts": 1,
        "internetMessageId": "<1@example.org>",
        "conversationId": "thread-1",
    }


async def test_what_is_sent_is_not_kept(world: OutboxWorld) -> None:
    """Neither in the table nor beside it."""
    await world.enqueue("small")
    await world.enqueue("large", body="x" * INLINE_BYTES)
    assert len(world.contents.blobs) == 1
    await world.work()

    assert [one.content for one in world.table.rows.values()] == [b"", b""]
    assert world.contents.blobs == {}


async def test_the_same_request_with_the_same_key_is_sent_once(world: OutboxWorld) -> None:
    """Before and after it was sent."""
    first = await world.enqueue()
    second = await world.enqueue()
    await world.work()
    third = await world.enqueue()
    await world.hour()

    assert [one.is_new for one in (first, second, third)] == [True, False, False]
    assert third.item.state is SendState.SENT
    assert len(world.mailbox.sent) == 1


async def test_another_request_with_the_same_key_is_refused(world: OutboxWorld) -> None:
    """The first is sent, and its stored content stays what it was."""
    await world.enqueue(body="a" * INLINE_BYTES)

    with pytest.raises(KeyReused, match="order-1"):
        await world.enqueue(body="b" * INLINE_BYTES)
    await world.work()
    assert [sent.json["body"]["content"][:1] for sent in world.mailbox.sent] == ["a"]


async def test_small_files_go_with_the_draft(world: OutboxWorld) -> None:
    """Two requests, and the content lies in a blob until then."""
    file = {"name": "a.txt", "content": base64.b64encode(b"hello").decode()}
    await world.enqueue(attachments=[file])
    assert world.item().content == b""
    await world.work()

    assert world.mailbox.asked == {"create_draft": 1, "send_draft": 1}
    assert world.mailbox.sent[0].files == [("a.txt", b"hello")]


async def test_large_files_are_attached_before_the_draft_is_sent(world: OutboxWorld) -> None:
    """In as many requests as that takes."""
    file = {"name": "a.bin", "content": base64.b64encode(bytes(4_000_000)).decode()}
    await world.enqueue(attachments=[file])
    await world.work()

    assert world.mailbox.asked == {"create_draft": 1, "upload": 1, "send_draft": 1}
    assert [len(content) for _, content in world.mailbox.sent[0].files] == [4_000_000]


async def test_a_draft_that_may_lack_files_is_made_anew(world: OutboxWorld) -> None:
    """It is removed, and nothing is sent twice or in part."""
    file = {"name": "a.bin", "content": base64.b64encode(bytes(4_000_000)).decode()}
    await world.enqueue(attachments=[file])
    world.mailbox.fail_next("upload", DOWN)
    world.mailbox.fail_next("discard_draft", DOWN)
    await world.hour()

    assert [len(sent.files) for sent in world.mailbox.sent] == [1]
    assert len(world.mailbox.messages) == 1


async def test_a_draft_whose_answer_was_lost_is_found_again(world: OutboxWorld) -> None:
    """No second one is made."""
    await world.enqueue()
    world.mailbox.fail_next("create_draft", LOST, after_effect=True)
    await world.hour()

    assert world.mailbox.asked["create_draft"] == 1
    assert len(world.mailbox.sent) == 1


@pytest.mark.parametrize("copies", [False, True])
async def test_a_mail_whose_sending_was_not_answered_is_found(
    world: OutboxWorld,
    copies: bool,  # noqa: FBT001
) -> None:
    """By its id, or as a copy under another id by its internetMessageId; at once."""
    world.mailbox.copies = copies
    await world.enqueue()
    world.mailbox.fail_next("send_draft", LOST, after_effect=True)
    await world.work()

    assert world.item().state is SendState.SENT
    assert world.mailbox.asked["send_draft"] == 1


async def test_a_draft_that_is_left_alone_is_sent_again_after_a_while(world: OutboxWorld) -> None:
    """Its first sending was lost on the way; it is given time to arrive."""
    await world.enqueue()
    world.mailbox.fail_next("send_draft", LOST)
    await world.work()
    waiting = world.item()
    world.later(seconds=59)
    await world.work()
    early = world.mailbox.asked["send_draft"]
    await world.hour()

    assert waiting.state is SendState.SENDING
    assert early == 1
    assert world.mailbox.asked["send_draft"] == 2
    assert len(world.mailbox.sent) == 1


async def test_a_sending_that_takes_effect_late_is_no_reason_for_a_second(
    world: OutboxWorld,
) -> None:
    """The draft was still one when it was looked at first."""
    world.mailbox.late = True
    await world.enqueue()
    await world.work()
    await world.mailbox.arrive()
    await world.hour()

    assert world.item().state is SendState.SENT
    assert len(world.mailbox.sent) == 1


async def test_a_fate_that_nobody_can_tell_ends_as_failed_and_says_so(world: OutboxWorld) -> None:
    """Looked for a quarter of an hour, never sent again."""
    world.mailbox.unseen = True
    await world.enqueue()
    world.mailbox.fail_next("send_draft", LOST, after_effect=True)
    await world.hour()

    assert world.item().state is SendState.FAILED
    assert "It may have been sent" in world.item().reason
    assert world.mailbox.asked["send_draft"] == 1


async def test_a_mail_that_is_seen_late_counts_as_sent(world: OutboxWorld) -> None:
    """Within the time that it is looked for."""
    world.mailbox.unseen = True
    await world.enqueue()
    world.mailbox.fail_next("send_draft", LOST, after_effect=True)
    await world.work()
    world.mailbox.unseen = False
    world.later(minutes=2)
    await world.work()

    assert world.item().state is SendState.SENT


@pytest.mark.parametrize("method", ["create_draft", "send_draft"])
async def test_an_unavailable_mailbox_is_tried_again_with_growing_delays(
    world: OutboxWorld, method: str
) -> None:
    """5 s, 10 s, 20 s; what certainly was not done is not looked for."""
    await world.enqueue()
    delays = []
    for _ in range(3):
        world.mailbox.fail_next(method, DOWN)
        await world.work()
        delays.append((world.item().due_at - world.clock.now()).total_seconds())
        world.clock.time = world.item().due_at
    await world.work()

    assert delays == [5, 10, 20]
    assert world.item().state is SendState.SENT
    assert set(world.mailbox.asked) == {"create_draft", "send_draft"}
    assert world.mailbox.asked["create_draft" if method == "send_draft" else "send_draft"] == 1


async def test_what_graph_asks_to_wait_is_waited(world: OutboxWorld) -> None:
    """A copy of the message that comes earlier changes nothing."""
    await world.enqueue()
    world.mailbox.fail_next("create_draft", MailboxUnavailable(MAILBOX, "throttled", 120))
    await world.work()
    world.queue.send(OutboxMessage(mailbox=MAILBOX, key="order-1").encode())
    world.later(seconds=118)
    await world.work()
    early = world.mailbox.asked["create_draft"]
    world.later(seconds=2)
    await world.work()

    assert early == 1
    assert len(world.mailbox.sent) == 1


async def test_a_mailbox_that_stays_away_for_a_day_fails_the_send(world: OutboxWorld) -> None:
    """Nothing was sent, and the reason says so."""
    await world.enqueue()
    for _ in range(200):
        world.mailbox.fail_next("create_draft", DOWN)
        world.later(minutes=15)
        await world.work()

    assert world.item().state is SendState.FAILED
    assert "answered 503; given up after 24 h. Nothing was sent." in world.item().reason
    assert NOW + timedelta(hours=24) <= world.item().updated_at < NOW + timedelta(hours=25)


@pytest.mark.parametrize("method", ["create_draft", "send_draft"])
async def test_a_refusal_fails_the_send_with_what_to_do(world: OutboxWorld, method: str) -> None:
    """At once; no draft is left behind."""
    refused = MailboxRefused(MAILBOX, "answered 403 ErrorSendAsDenied: grant the right")
    await world.enqueue()
    world.mailbox.fail_next(method, refused)
    await world.work()

    assert world.item().state is SendState.FAILED
    assert world.item().reason == f"{refused}. Nothing was sent."
    assert world.mailbox.messages == {}
    assert world.queue.messages == []


async def test_a_draft_that_a_person_has_sent_counts_as_sent(world: OutboxWorld) -> None:
    """Graph refuses to send it again; the look tells why."""
    await world.enqueue()
    world.mailbox.fail_next("send_draft", DOWN)
    await world.work()
    await world.mailbox.send_draft(Caller(MAILBOX), world.item().draft_id)
    await world.hour()

    assert world.item().state is SendState.SENT
    assert len(world.mailbox.sent) == 1


async def test_a_recipient_who_has_got_enough_gets_the_mail_in_the_next_hour() -> None:
    """The cap delays durable sends; each is counted once."""
    world = OutboxWorld(most_per_hour=1)
    await world.enqueue("one")
    await world.enqueue("two")
    await world.work()
    in_this_hour = len(world.mailbox.sent)
    world.later(hours=1)
    await world.work()

    assert in_this_hour == 1
    assert len(world.mailbox.sent) == 2
    assert list(world.counts.counts.values()) == [1, 1]


async def test_a_send_that_is_refused_does_not_count() -> None:
    """Nothing reached the recipient."""
    world = OutboxWorld(most_per_hour=1)
    world.mailbox.fail_next("create_draft", MailboxRefused(MAILBOX, "answered 403"))
    await world.enqueue()
    await world.work()

    assert world.item().state is SendState.FAILED
    assert list(world.counts.counts.values()) == [0]


async def test_a_send_counts_again_where_its_worker_dies() -> None:
    """Right after it was counted: who takes it over cannot know. Better twice than not at all."""
    world = OutboxWorld(most_per_hour=5)
    world.mailbox.fail_next("create_draft", KeyError("killed"))
    await world.enqueue()
    with pytest.raises(KeyError):
        await world.work()
    await world.hour()

    assert world.item().state is SendState.SENT
    assert list(world.counts.counts.values()) == [2]


async def test_what_cannot_be_counted_is_not_sent(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is tried: counting fails just where one recipient gets very many."""

    async def fail(*_: object) -> None:
        raise StorageUnavailable("table sendcounts: answered 503", 503)

    world = OutboxWorld(most_per_hour=5)
    await world.enqueue()
    with monkeypatch.context() as patch:
        patch.setattr(world.counts, "add", fail)
        for _ in range(3):
            with pytest.raises(StorageUnavailable):
                await world.work()
            world.later(minutes=5)
    uncounted = len(world.mailbox.sent)
    await world.hour()

    assert uncounted == 0
    assert len(world.mailbox.sent) == 1
    assert list(world.counts.counts.values()) == [1]


async def test_a_send_counts_once_though_it_is_tried_for_hours() -> None:
    """A mailbox that throttles all day takes nothing away from others."""
    world = OutboxWorld(most_per_hour=5)
    for _ in range(3):
        world.mailbox.fail_next("create_draft", DOWN)
    await world.enqueue()
    await world.hour()

    assert world.item().state is SendState.SENT
    assert list(world.counts.counts.values()) == [1]


async def test_a_storage_that_does_not_queue_delays_the_mail_only(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored is promised; recovery queues it."""

    async def refuse(*_: object) -> None:
        raise StorageUnavailable("queue outbox: answered 503", 503)

    box = world.box()
    with monkeypatch.context() as patch:
        patch.setattr(box.queue, "put", refuse)
        await world.enqueue(box=box)
    await world.hour()

    assert len(world.mailbox.sent) == 1


async def test_a_stored_send_whose_answer_was_lost_is_accepted(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a caller without a key would send it twice."""
    real = world.table.add

    async def lossy(item: OutboxItem) -> OutboxItem | None:
        await real(item)
        raise StorageUnavailable("table outbox: not reached")

    monkeypatch.setattr(world.table, "add", lossy)
    stored = await world.enqueue()
    await world.work()

    assert stored.is_new
    assert len(world.mailbox.sent) == 1


async def test_a_token_of_the_caller_is_never_kept(world: OutboxWorld) -> None:
    """So it cannot send later."""
    request, written = read_request(REQUEST)

    with pytest.raises(NotDurable, match="token"):
        await enqueue(world.box(), Caller(MAILBOX, bearer="t"), request, "key", written)
    assert world.table.rows == {}


async def test_a_mail_of_which_no_copy_may_be_kept_is_no_durable_one(world: OutboxWorld) -> None:
    """A draft that is sent always leaves one."""
    with pytest.raises(NotDurable, match="Sent Items"):
        await world.enqueue(saveToSentItems=False)


async def test_a_document_that_is_not_there_is_told_at_once(world: OutboxWorld) -> None:
    """Not when nobody listens any more."""
    with pytest.raises(SendRefused):
        await world.enqueue(attachments=[{"documentId": "unknown"}])


async def test_another_system_may_put_mail_on_the_queue(world: OutboxWorld) -> None:
    """With a key, by which a message that comes twice is known."""
    message = OutboxMessage(mailbox=MAILBOX, key="theirs", request=REQUEST)
    world.queue.send(message.encode())
    world.queue.send(message.encode())
    await world.work()

    assert len(world.mailbox.sent) == 1
    assert world.item("theirs").state is SendState.SENT


async def test_a_message_that_is_no_mail_is_remembered_as_failed(world: OutboxWorld) -> None:
    """Its status says what is wrong."""
    message = OutboxMessage(mailbox=MAILBOX, key="theirs", request={"to": [], "subjet": "x"})
    world.queue.send(message.encode())
    await world.work()

    assert world.item("theirs").state is SendState.FAILED
    assert "no send request" in world.item("theirs").reason
    assert world.queue.messages == []


async def test_an_automatic_send_to_its_own_mailbox_is_refused(world: OutboxWorld) -> None:
    """Before it is promised; from the queue it is remembered as failed."""
    fields: dict[str, Any] = {"automatic": True, "to": [MAILBOX]}
    with pytest.raises(SendRefused, match="loop"):
        await world.enqueue(**fields)
    world.queue.send(
        OutboxMessage(mailbox=MAILBOX, key="theirs", request={**REQUEST, **fields}).encode()
    )
    await world.work()

    assert "loop" in world.item("theirs").reason
    assert world.mailbox.asked == {}


async def test_a_send_on_which_the_connector_fails_waits_and_is_tried_again(
    world: OutboxWorld,
) -> None:
    """The storage may have been away for all sends."""
    await world.enqueue()
    [text] = world.queue.take()
    await give_up(OutboxMessage.decode(text), world.box())
    assert world.item().state is SendState.ACCEPTED
    await world.hour()

    assert len(world.mailbox.sent) == 1


async def test_a_send_on_which_the_connector_fails_for_a_day_has_failed(world: OutboxWorld) -> None:
    """Never silence."""
    await world.enqueue()
    [text] = world.queue.take()
    world.later(hours=24)
    await give_up(OutboxMessage.decode(text), world.box())

    assert world.item().state is SendState.FAILED
    assert "its log says why" in world.item().reason


async def test_keys_are_forgotten_after_their_retention(world: OutboxWorld) -> None:
    """And so is what a crash has left beside the table; what is open stays."""
    await world.enqueue("old")
    await world.work()
    world.contents.blobs["20260302/left.json"] = b"{}"
    world.later(days=31)
    await world.enqueue("new")
    await world.recover()

    assert {one.key for one in world.table.rows} == {"new"}
    assert world.contents.blobs == {}


async def test_no_log_and_no_row_that_lists_show_holds_the_mail(
    world: OutboxWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither subject, body nor recipient, whatever fails."""
    item = (await world.enqueue()).item
    world.mailbox.fail_next("create_draft", LOST)
    await world.hour()

    for secret in ("Receipt", "Thank you", "ada@example.org"):
        assert secret not in caplog.text
        assert secret not in repr(item)
        assert secret not in str(item.status())
