import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from shared.domain.delivery import DeliveryKey, State
from shared.domain.errors import MailboxUnavailable
from shared.domain.outcome import Rejected, Unavailable
from shared.telemetry import mail_span, span
from shared.telemetry.export import record
from shared.workflows.dead_letters import replay
from tests.builders import MAILBOX, row
from tests.unit.telemetry.recorder import Recorder, followed, identity, told, trace_of
from tests.unit.workflows.world import World


async def test_a_mail_is_one_trace_from_its_claim_to_its_end(recorder: Recorder) -> None:
    """Through a retry and a recovery, which knows no more of the mail than its key."""
    world = World()
    world.deliver(1)
    world.targets.fail_next(Unavailable("answered 503"))
    await world.poll_and_work()
    world.queue.messages.clear()  # the message of the next attempt gets lost
    world.later(minutes=10)
    await world.worker().recover()
    await world.work()

    names = ["queue", "target", "deliver", "recover", "target", "post-process", "deliver"]
    mail = [one for one in recorder.spans() if one.name in names]
    assert [one.name for one in mail] == names
    assert len({trace_of(one) for one in mail}) == 1


async def test_a_replay_goes_on_in_the_trace_of_the_mail(recorder: Recorder) -> None:
    """What failed and what mended it stand together."""
    world = World()
    world.deliver(1)
    world.targets.fail_next(Rejected("answered 422"))
    await world.poll_and_work()
    await replay(world.deliveries(), [State.DEAD], world.ports(), lambda _: None)
    await world.work()

    [again] = recorder.spans("replay")
    failed, mended = recorder.spans("deliver")
    assert len({trace_of(one) for one in (failed, again, mended)}) == 1
    assert followed(mended) == identity(again)
    assert told(again)["state"] == "dead"


async def test_the_trace_of_a_mail_is_linked_to_the_poll_that_found_it(recorder: Recorder) -> None:
    """A poll finds many mails: each has a trace of its own."""
    world = World()
    world.deliver_many(3)
    await world.poll_and_work()

    [poll], [claim] = recorder.spans("poll"), recorder.spans("claim")
    queued = recorder.spans("queue")
    assert followed(claim) == identity(poll)
    assert told(claim) == {"found": 3, "new": 3}
    assert [followed(one) for one in queued] == [None] * 3
    assert len({trace_of(one) for one in [poll, *queued]}) == 4
    for one in queued:
        [link] = one.links
        assert (link.context.trace_id, link.context.span_id) == identity(claim)


async def test_each_target_has_a_span_and_is_given_its_context(recorder: Recorder) -> None:
    """So that the target's own spans stand below the call that caused them."""
    world = World(row("a"), row("b"))
    world.deliver(1)
    world.targets.fail_next(Unavailable("answered 503"), "team/b")
    await world.poll_and_work()

    [deliver] = recorder.spans("deliver")
    targets = {told(one)["subscription"]: one for one in recorder.spans("target")}
    assert {name: told(one)["outcome"] for name, one in targets.items()} == {
        "team/a": "accepted",
        "team/b": "unavailable",
    }
    assert {followed(one) for one in targets.values()} == {identity(deliver)}
    [message] = world.targets.accepted.values()
    trace_id, span_id = identity(targets["team/a"])
    assert message.traceparent == f"00-{trace_id:032x}-{span_id:016x}-01"


async def test_attempts_follow_the_span_that_queued_the_mail(recorder: Recorder) -> None:
    """Each says which attempt it is, and what came of it."""
    world = World()
    world.deliver(1)
    world.targets.fail_next(Unavailable("answered 503"))
    await world.poll_and_work()
    world.later(minutes=1)
    await world.work()

    [queue] = recorder.spans("queue")
    attempts = recorder.spans("deliver")
    assert [(told(one)["attempt"], told(one)["outcome"]) for one in attempts] == [
        (1, "postponed"),
        (2, "done"),
    ]
    assert {followed(one) for one in attempts} == {identity(queue)}


@pytest.mark.parametrize("documents", ["attachments", "none"])
async def test_documents_have_a_span_where_there_are_some(
    recorder: Recorder, documents: str
) -> None:
    """Mail without attachments is most of the mail: nothing is said of nothing."""
    world = World(row(keepAttachments=True))
    mail = world.deliver(1)
    if documents == "attachments":
        world.mailbox.attach(mail, "a.txt", b"content")
    await world.poll_and_work()

    assert len(recorder.spans("documents")) == (documents == "attachments")


async def test_a_failed_poll_says_why(recorder: Recorder) -> None:
    """By the type of the error and our own words, without the mailbox."""
    world = World()
    world.mailboxes.fail_next(MailboxUnavailable(MAILBOX, "answered 503"), "list_messages")
    await world.worker().poll()

    [poll] = recorder.spans("poll")
    assert told(poll)["error"] == "MailboxUnavailable"
    assert told(poll)["reason"] == "answered 503"
    assert not poll.status.is_ok
    assert not poll.events


def test_the_text_of_a_foreign_error_is_not_recorded(recorder: Recorder) -> None:
    """It may repeat what stood in a mail."""
    with pytest.raises(ValueError, match="hunter2"), span("work"):
        raise ValueError("hunter2")

    [failed] = recorder.spans()
    assert told(failed) == {"error": "ValueError"}
    assert "hunter2" not in failed.to_json()


@pytest.mark.parametrize("traceparent", ["", "nonsense", f"00-{0:032x}-{0:016x}-01"])
def test_a_mail_without_a_usable_context_begins_its_trace(
    recorder: Recorder, traceparent: str
) -> None:
    """As the queue may hold messages of anybody."""
    key = DeliveryKey("source", "mail")
    with mail_span("deliver", key, traceparent), mail_span("again", key):
        pass

    again, deliver = recorder.spans()
    assert followed(deliver) is None
    assert trace_of(deliver) == trace_of(again)


async def test_targets_are_given_the_same_trace_where_nothing_is_recorded() -> None:
    """They may trace, whether or not we do: also what a recovery brings is one trace to them."""
    world = World(row("a"), row("b"))
    world.deliver(1)
    world.targets.fail_next(Unavailable("answered 503"), "team/b")
    await world.poll_and_work()
    world.queue.messages.clear()
    world.later(minutes=10)
    await world.worker().recover()
    await world.work()

    contexts = [message.traceparent for message in world.targets.accepted.values()]
    assert len({one.split("-")[1] for one in contexts}) == 1
    assert len({one.split("-")[2] for one in contexts}) == 2


def test_a_mail_that_is_not_sampled_is_not_recorded_and_says_so(
    recorder: Recorder,
) -> None:
    """What the first span decided holds for all that follow, the target's included."""
    key = DeliveryKey("source", "mail")
    with mail_span("deliver", key, f"00-{1:032x}-{1:016x}-00"), span("target") as call:
        pass

    assert recorder.spans() == []
    assert call.traceparent.startswith(f"00-{1:032x}-")
    assert call.traceparent.endswith("-00")


@pytest.mark.parametrize("sampler", ["always_off", "parentbased_always_off"])
async def test_a_sampler_decides_once_for_a_mail(
    sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's own setting holds; attempts and targets are told what was decided."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    recorder = Recorder()
    end = record(SimpleSpanProcessor(recorder.exporter), recorder.reader, {})
    world = World()
    world.deliver(1)
    await world.poll_and_work()
    found = recorder.counted("mails.found")
    end()

    [message] = world.targets.accepted.values()
    assert message.traceparent.endswith("-00")
    assert recorder.spans() == []
    assert found == 1
