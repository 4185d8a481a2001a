from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from shared.domain.errors import MailboxUnavailable
from shared.domain.outcome import Unavailable
from shared.telemetry import span
from shared.telemetry.export import record
from tests.builders import MAILBOX, row
from tests.unit.telemetry.recorder import Recorder, told
from tests.unit.workflows.test_large_answers import giant
from tests.unit.workflows.world import World

ATTRIBUTES = {
    "source",
    "mail",
    "subscription",
    "found",
    "new",
    "attempt",
    "outcome",
    "state",
    "error",
    "reason",
}
"""All that spans may say; whoever adds one decides whether it is anybody's business."""


async def troubled(subject: str = "Confidential", body: str = "Confidential") -> World:
    """A world in which much has gone wrong."""
    world = World(row(onDead="move:Failed"), row("bad", clientId="a", clientSecret="hunter2"))
    for number in range(3):
        content = {"contentType": "text", "content": body}
        world.deliver(number, subject=subject, body=content)
    giant(world, 9)
    world.mailboxes.largest_answer = 3000
    world.mailboxes.fail_next(MailboxUnavailable(MAILBOX, "answered 503"), "list_messages")
    world.mailboxes.fail_next(MailboxUnavailable(MAILBOX, "answered 503"), "post_process")
    world.targets.fail_next(Unavailable("answered 503"))
    for number in range(4):
        await world.poll_and_work()
        await world.worker().recover()
        world.later(minutes=6)
        if number:
            world.targets.reject("team/tickets")
    return world


async def test_telemetry_holds_nothing_of_a_mail(recorder: Recorder) -> None:
    """No subject, body, address, mailbox or secret, whatever goes wrong."""
    await troubled()

    assert {one.name for one in recorder.spans()} >= {"poll", "claim", "queue", "deliver", "target"}
    told_of = {name for one in recorder.spans() for name in told(one)}
    assert told_of <= ATTRIBUTES
    assert {"error", "outcome"} <= told_of
    for word in ("Confidential", "hunter2", "ada@example.org", MAILBOX, "tickets.example"):
        assert word not in recorder.text()


@pytest.fixture
def marked() -> Iterator[Recorder]:
    """A recorder that lives through many examples."""
    recorder = Recorder()
    end = record(SimpleSpanProcessor(recorder.exporter), recorder.reader, {})
    yield recorder
    end()


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(st.characters(codec="utf-8"), min_size=1).map(lambda text: f"¶{text}¶"))
async def test_no_text_of_a_mail_is_in_any_span_or_metric(marked: Recorder, text: str) -> None:
    """Whatever stands in subject and body."""
    await troubled(text, text)

    values = [str(value) for one in marked.spans() for value in told(one).values()]
    values += [str(value) for _, point in marked.points() for value in point.attributes.values()]
    assert values
    assert not [value for value in values if text in value or "¶" in value]


async def test_a_setting_lets_mailboxes_in() -> None:
    """For those who may see them anyway."""
    recorder = Recorder()
    end = record(SimpleSpanProcessor(recorder.exporter), recorder.reader, {}, mailboxes=True)
    world = World()
    world.deliver(1)
    await world.poll_and_work()
    end()

    [poll], [deliver] = recorder.spans("poll"), recorder.spans("deliver")
    assert told(poll)["mailbox"] == told(deliver)["mailbox"] == MAILBOX


def test_libraries_record_nothing_through_us(recorder: Recorder) -> None:
    """The Graph SDK's spans hold whole addresses: ours is not the provider that it finds."""
    with trace.get_tracer("kiota").start_as_current_span("GET /users/somebody"):
        pass
    with span("poll"):
        pass

    assert [one.name for one in recorder.spans()] == ["poll"]
