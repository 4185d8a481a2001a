import json
from datetime import timedelta
from pathlib import Path

import pytest

from shared.domain.delivery import Delivery, State
from shared.domain.envelope import Envelope
from shared.domain.errors import StorageUnavailable
from shared.domain.mail import mail_from_graph
from shared.domain.outcome import Accepted, Rejected, Unavailable
from shared.workflows.attempt import LONG_DEADLINE
from shared.workflows.process import give_up, process
from tests.builders import graph_message, row
from tests.fakes.ledger import FakeLedger
from tests.unit.workflows.world import KEEPING, World

DOWN = Unavailable("answered 503")
TWO = (row("a"), row("b", targetUrl="https://other.example/"))


class UnstableLedger(FakeLedger):
    """A ledger whose next save fails."""

    fails = True

    async def save(self, delivery: Delivery) -> None:
        """Fails once."""
        if self.fails:
            self.fails = False
            raise StorageUnavailable("table deliveries: answered 503", 503)
        await super().save(delivery)


async def test_an_accepted_mail_is_post_processed_and_done() -> None:
    """The main path: poll, deliver, mark as read, done; nothing is left in the queue."""
    world = World(row(messageName="mail-received", messageTtl="PT2H", resultVariable="post"))
    mail = world.deliver(1)

    await world.poll_and_work()

    [message] = world.targets.accepted.values()
    assert (message.message_id, message.message_name) == (mail, "mail-received")
    assert (message.subscription, message.time_to_live) == ("team/tickets", timedelta(hours=2))
    assert message.variables == {"post": {**mail_from_graph(graph_message(1)), "archived": False}}
    assert world.delivery_of(mail).state is State.DONE
    assert world.delivery_of(mail).accepted_by == ("team/tickets",)
    assert world.mailbox.is_read(mail)
    assert world.queue.messages == []


async def test_a_mail_is_post_processed_only_after_its_acceptance_is_recorded() -> None:
    """Where the ledger cannot be written, the mailbox is not touched."""
    world = World()
    world.ledger = UnstableLedger()
    mail = world.deliver(1)
    await world.worker().poll()

    with pytest.raises(StorageUnavailable):
        await world.work()
    untouched = not world.mailbox.is_read(mail)
    await world.work()

    assert untouched
    assert world.mailbox.is_read(mail)
    assert world.targets.accepted_by("team/tickets") == [mail]
    assert world.delivery_of(mail).state is State.DONE


@pytest.mark.parametrize("after_accepting", [False, True])
async def test_an_unavailable_target_is_tried_again(after_accepting: bool) -> None:  # noqa: FBT001
    """The same envelope, later; also where it had accepted and only its answer was lost."""
    world = World()
    mail = world.deliver(1)
    world.targets.fail_next(DOWN, after_accepting=after_accepting)

    await world.poll_and_work()
    waiting = world.delivery_of(mail)
    early = world.emails.take()
    world.later(seconds=5)
    await world.work()

    assert (waiting.state, waiting.attempts) == (State.CLAIMED, 1)
    assert waiting.reason == "team/tickets: answered 503"
    assert waiting.due_at == world.clock.now()
    assert early == []
    assert world.delivery_of(mail).state is State.DONE
    assert world.delivery_of(mail).reason == ""
    assert len(set(world.targets.attempts)) == len(world.targets.accepted) == 1


async def test_delays_grow_until_the_target_is_given_up() -> None:
    """From 5 s to 15 min, for as long as `retry` says; then a dead letter with the reason."""
    world = World(row(retry="PT2H"))
    mail = world.deliver(1)
    world.targets.fail_next(DOWN, times=1000)
    await world.worker().poll()
    delays = []

    start = world.clock.now()
    while not world.delivery_of(mail).state.is_final:
        await world.work()
        delays.append(world.delivery_of(mail).due_at - world.clock.now())
        world.clock.time = world.delivery_of(mail).due_at

    assert [delay.total_seconds() for delay in delays[:4]] == [5, 10, 20, 40]
    assert max(delays) == timedelta(minutes=15)
    assert timedelta(hours=2) <= world.clock.now() - start < timedelta(hours=2, minutes=15)
    assert world.delivery_of(mail).state is State.DEAD
    assert world.delivery_of(mail).reason == ("team/tickets: answered 503; given up after 2:00:00")
    assert world.queue.messages == []


async def test_retry_after_of_a_target_is_honoured() -> None:
    """It is not asked earlier than it wants."""
    world = World()
    mail = world.deliver(1)
    world.targets.fail_next(Unavailable("answered 429", retry_after=600.0))

    await world.poll_and_work()

    assert world.delivery_of(mail).due_at == world.later(minutes=10)


async def test_a_duplicate_is_a_success() -> None:
    """The target answers that it knows the message."""
    world = World()
    mail = world.deliver(1)
    world.targets.fail_next(Accepted(already=True))

    await world.poll_and_work()

    assert world.delivery_of(mail).state is State.DONE
    assert world.mailbox.is_read(mail)


async def test_a_rejected_mail_is_dead_at_once() -> None:
    """Waiting would not help. The mail stays where it is, unread; the reason is kept."""
    world = World()
    mail = world.deliver(1)
    world.targets.reject("team/tickets", "answered 422")

    await world.poll_and_work()

    assert world.delivery_of(mail).state is State.DEAD
    assert world.delivery_of(mail).reason == "team/tickets: answered 422"
    assert not world.mailbox.is_read(mail)
    assert world.queue.messages == []


async def test_a_poison_mail_blocks_no_other() -> None:
    """Those before it and behind it are delivered."""
    world = World()
    ids = world.deliver_many(5)
    world.targets.fail_next(Rejected("answered 400"))

    await world.poll_and_work()

    assert [one.state for one in world.deliveries()] == [State.DEAD] + 4 * [State.DONE]
    assert world.targets.accepted_by("team/tickets") == ids[1:]


async def test_partial_acceptance_is_remembered() -> None:
    """Whoever has the mail is not given it again; post-processing waits for all."""
    world = World(*TWO)
    mail = world.deliver(1)
    world.targets.fail_next(DOWN, "team/b")

    await world.poll_and_work()
    partial, untouched = world.delivery_of(mail), not world.mailbox.is_read(mail)
    world.later(seconds=5)
    await world.work()

    assert (partial.state, partial.accepted_by) == (State.CLAIMED, ("team/a",))
    assert untouched
    assert len(world.targets.attempts) == 3
    assert world.delivery_of(mail).state is State.DONE
    assert world.mailbox.is_read(mail)


async def test_a_rejection_by_one_does_not_keep_the_mail_from_the_other() -> None:
    """The delivery is dead when all have spoken."""
    world = World(*TWO)
    mail = world.deliver(1)
    world.targets.reject("team/a")
    world.targets.fail_next(DOWN, "team/b")

    await world.poll_and_work()
    meanwhile = world.delivery_of(mail).state
    world.later(seconds=5)
    await world.work()

    assert meanwhile is State.CLAIMED
    assert world.delivery_of(mail).state is State.DEAD
    assert world.delivery_of(mail).accepted_by == ("team/b",)
    assert world.targets.accepted_by("team/b") == [mail]


async def test_a_large_mail_waits_in_a_blob() -> None:
    """It is delivered whole, and nothing is left behind."""
    world = World()
    mail = world.deliver(1, body={"contentType": "text", "content": "x" * 60_000})
    world.targets.fail_next(DOWN)

    await world.poll_and_work()
    blobs = len(world.emails.blobs)
    world.later(seconds=5)
    await world.work()

    [message] = world.targets.accepted.values()
    assert len(message.variables["email"]["body"]) == 60_000
    assert world.delivery_of(mail).state is State.DONE
    assert (blobs, world.emails.blobs) == (1, {})


async def test_a_copy_that_comes_after_the_end_is_dropped() -> None:
    """Queues give some messages twice."""
    world = World()
    mail = world.deliver(1)
    await world.worker().poll()
    [text] = world.queue.take()
    world.queue.send(text)
    await world.work()
    world.queue.send(text)

    await world.work()

    assert len(world.targets.attempts) == 1
    assert world.mailboxes.operations == [(mail, "markAsRead")]
    assert world.queue.messages == []


async def test_an_envelope_of_a_forgotten_delivery_is_dropped() -> None:
    """With the blob that it names."""
    world = World()
    world.deliver(1, body={"contentType": "text", "content": "x" * 60_000})
    await world.worker().poll()
    world.ledger.rows.clear()

    await world.work()

    assert world.targets.attempts == []
    assert world.emails.blobs == {}


async def test_an_envelope_that_was_given_out_too_often_is_tried_again_later() -> None:
    """It may have been an outage of the storage, which hits all mail alike."""
    world = World()
    mail = world.deliver(1)
    worker = world.worker()
    await worker.poll()
    [envelope] = world.emails.take()

    await give_up(envelope, worker.ports)
    at_once = world.queue.take()
    world.later(minutes=15)
    await world.work()

    assert at_once == []
    assert world.delivery_of(mail).state is State.DONE


async def test_a_mail_on_which_the_connector_fails_for_a_day_is_a_dead_letter() -> None:
    """The reason says so."""
    world = World()
    mail = world.deliver(1)
    worker = world.worker()
    await worker.poll()
    [envelope] = world.emails.take()
    world.later(hours=24)

    await give_up(envelope, worker.ports)

    assert world.delivery_of(mail).state is State.DEAD
    assert "the connector itself failed" in world.delivery_of(mail).reason


async def test_giving_up_what_has_ended_changes_nothing() -> None:
    """A copy can reach the poison queue after the mail was done."""
    world = World()
    mail = world.deliver(1)
    await world.poll_and_work()
    done = world.delivery_of(mail)

    await give_up(Envelope(key=done.key), world.ports())

    assert world.delivery_of(mail) == done


async def test_attempts_carry_one_trace() -> None:
    """From the claim to the end, a span of its own each."""
    world = World()
    world.deliver(1)
    worker = world.worker()
    await worker.poll()
    [envelope] = world.emails.take()

    await process(envelope, worker.ports, worker.registry, KEEPING)

    [message] = world.targets.accepted.values()
    assert message.traceparent.split("-")[1] == envelope.traceparent.split("-")[1]
    assert message.traceparent != envelope.traceparent


async def test_a_copy_that_comes_at_the_same_time_is_put_off() -> None:
    """A send whose answer got lost is repeated; the target is to see the mail once all the same."""
    world = World()
    mail = world.deliver(1)
    worker = world.worker()
    await worker.poll()
    [envelope] = world.emails.take()

    async def copy_comes() -> None:
        await process(envelope, worker.ports, worker.registry, KEEPING)

    world.targets.meanwhile = copy_comes
    await process(envelope, worker.ports, worker.registry, KEEPING)
    world.later(minutes=1)
    await world.work()

    assert len(world.targets.attempts) == 1
    assert world.delivery_of(mail).state is State.DONE
    assert world.queue.messages == []


def test_the_platform_gives_an_attempt_its_time() -> None:
    """A worker that it restarts takes all mail in flight with it."""
    host = json.loads((Path(__file__).parents[3] / "host.json").read_text())
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))

    assert timedelta(hours=hours, minutes=minutes, seconds=seconds) > LONG_DEADLINE
