"""What was promised is kept: sign-ins end, storages go away, mailboxes stand still."""

import asyncio
import base64
from datetime import timedelta

import pytest

from shared.domain.document import new_document
from shared.domain.errors import (
    AnswerLost,
    MailboxRefused,
    SendRefused,
    SignInRefused,
    StorageUnavailable,
)
from shared.domain.outbound.outbox import OutboxItem, OutboxMessage, SendId, SendState
from shared.outbound_ports import Caller
from shared.workflows.outbox import send_queued as attempts
from shared.workflows.outbox.send_queued import give_up
from tests.builders import MAILBOX
from tests.fakes.outbox_world import REQUEST, OutboxWorld

EXPIRED = SignInRefused(MAILBOX, "AADSTS7000222: the client secret has expired")
ORDER = OutboxMessage(mailbox=MAILBOX, key="theirs", request=REQUEST)
DOCUMENT = f"20260302-{'a' * 32}-{'b' * 16}"
FILE = {"name": "a.txt", "content": base64.b64encode(b"a").decode()}


@pytest.fixture
def world() -> OutboxWorld:
    return OutboxWorld()


@pytest.mark.parametrize("method", ["create_draft", "send_draft"])
async def test_a_sign_in_that_is_mended_lets_the_mail_go(world: OutboxWorld, method: str) -> None:
    """A secret that expires on Friday evening loses no mail of the weekend."""
    await world.enqueue()
    for _ in range(10):
        world.mailbox.fail_next(method, EXPIRED)
    await world.work()
    waiting = world.item()
    for _ in range(6):
        await world.hour()

    assert not waiting.state.is_final
    assert "AADSTS7000222" in waiting.reason
    assert len(world.mailbox.sent) == 1


async def test_who_may_not_look_for_a_moment_looks_again(world: OutboxWorld) -> None:
    """A send that was not answered is given up only when nobody could look for long."""
    await world.enqueue()
    world.mailbox.fail_next("send_draft", AnswerLost(MAILBOX, "no answer"))
    world.mailbox.fail_next("look", MailboxRefused(MAILBOX, "answered 403"))
    await world.work()
    await world.hour()

    assert len(world.mailbox.sent) == 1


async def test_who_may_never_look_says_so_in_the_end(world: OutboxWorld) -> None:
    """The mail may have been sent; nobody can tell."""
    await world.enqueue()
    world.mailbox.fail_next("send_draft", AnswerLost(MAILBOX, "no answer"))
    for _ in range(20):
        world.mailbox.fail_next("look", MailboxRefused(MAILBOX, "answered 403"))
    await world.work()
    await world.hour()

    assert world.item().state is SendState.FAILED
    assert "may have been sent" in world.item().reason


async def test_an_order_outlives_a_table_that_was_away(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no row yet: the queue is all that knows it."""

    async def away(_: SendId) -> None:
        raise StorageUnavailable("table outbox: answered 503", 503)

    with monkeypatch.context() as patch:
        patch.setattr(world.table, "read", away)
        await give_up(ORDER, world.box())
    world.later(minutes=15)
    await world.work()

    assert [sent.json["subject"] for sent in world.mailbox.sent] == ["Receipt"]


async def test_an_order_on_the_poison_queue_is_tried_again(world: OutboxWorld) -> None:
    """What failed on it ten times was most likely the storage."""
    await give_up(ORDER, world.box())
    await world.hour()

    assert world.item("theirs").state is SendState.SENT


async def test_an_order_takes_two_requests_as_well(world: OutboxWorld) -> None:
    """Nothing is looked for that cannot be there."""
    world.queue.send(ORDER.encode())
    await world.work()

    assert world.mailbox.asked == {"create_draft": 1, "send_draft": 1}


async def test_a_mail_that_its_message_cannot_carry_takes_two_requests_as_well(
    world: OutboxWorld,
) -> None:
    """It fits into the table, but not into a message: the characters of some have to be escaped."""
    await world.enqueue(body='"' * 20_000)
    [text] = [message.text for message in world.queue.messages]
    await world.work()

    assert OutboxMessage.decode(text).item is None
    assert world.mailbox.asked == {"create_draft": 1, "send_draft": 1}


async def test_a_request_that_is_repeated_after_its_document_expired_is_known(
    world: OutboxWorld,
) -> None:
    """An answer of 422 would have the caller send it again, in other words."""
    world.documents.stored[DOCUMENT] = (new_document(DOCUMENT, "a.txt", "text/plain", 1), b"a")
    await world.enqueue(attachments=[{"documentId": DOCUMENT}])
    await world.work()
    world.documents.stored.clear()

    repeated = await world.enqueue(attachments=[{"documentId": DOCUMENT}])

    assert not repeated.is_new
    assert repeated.item.state is SendState.SENT
    with pytest.raises(SendRefused):
        await world.enqueue("another", attachments=[{"documentId": DOCUMENT}])


async def test_a_mailbox_that_stands_still_holds_up_no_mail_with_files_of_others(
    world: OutboxWorld,
) -> None:
    """Whatever its own mails wait for."""
    others = OutboxWorld(caller=Caller("sales@contoso.example"))
    others.table, others.queue = world.table, world.queue
    for number in range(4):
        await world.enqueue(f"slow-{number}", attachments=[FILE])
    never = asyncio.Event()
    box = world.watched(lambda _: _until(never), _nothing)
    stuck = [
        asyncio.create_task(attempts.send_queued(OutboxMessage.decode(text), box, is_first=True))
        for text in world.queue.take()
    ]
    await asyncio.sleep(0.01)

    await others.enqueue("quick", attachments=[FILE])
    await others.work()

    assert len(others.mailbox.sent) == 1
    for task in stuck:
        task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)


async def test_a_mail_that_finds_no_room_comes_back(
    world: OutboxWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds no worker for minutes, and recovery does not take it for one that stands still."""
    await world.enqueue(attachments=[FILE])
    box = world.box()
    monkeypatch.setattr(attempts, "WAIT_FOR_ROOM", timedelta(0))
    full = [box.room.of(world.item()) for _ in range(2)]
    for one in full:
        await one.__aenter__()
    await world.work(box)
    waiting = world.item()
    for one in full:
        await one.__aexit__(None, None, None)
    world.later(seconds=1)
    await world.work(box)

    assert (waiting.state, waiting.attempts) == (SendState.ACCEPTED, 0)
    assert "large mails" in waiting.reason
    assert len(world.mailbox.sent) == 1


async def test_what_was_sent_stays_counted_whoever_stores_that_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that loses the row after its mail is gone takes nothing back."""
    world = OutboxWorld(most_per_hour=5)
    await world.enqueue()
    real = world.table.write

    async def lost(item: OutboxItem) -> OutboxItem | None:
        return None if item.state is SendState.SENT else await real(item)

    with monkeypatch.context() as patch:
        patch.setattr(world.table, "write", lost)
        await world.work()
    for _ in range(3):
        await world.hour()

    assert world.item().state is SendState.SENT
    assert len(world.mailbox.sent) == 1
    assert sum(world.counts.counts.values()) == 1


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def _nothing(_: str) -> None:
    pass
