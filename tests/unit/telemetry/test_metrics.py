from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.domain.delivery import State
from shared.domain.errors import MailboxUnavailable
from shared.domain.outcome import Unavailable
from shared.telemetry.metrics import DISTINCT, OTHER, graph_answered, poll_failed
from shared.workflows.process import GIVEN_UP_AFTER, give_up
from tests.builders import MAILBOX, NOW, row
from tests.unit.telemetry.recorder import Recorder
from tests.unit.workflows.world import World

ENDS = ("deliveries.accepted", "deliveries.dead", "deliveries.unmatched")


def condition(word: str) -> str:
    """Activates mail with a word in its subject."""
    return f'contains(subject, "{word}")'


def waiting(world: World, name: str) -> int:
    """Mails that a subscription has neither got nor been left without."""
    return sum(
        name in one.waiting
        for one in world.deliveries()
        if one.state in {State.CLAIMED, State.ACCEPTED}
    )


@pytest.mark.parametrize("rounds", [1, 2, 5])
async def test_metrics_add_up(recorder: Recorder, rounds: int) -> None:
    """Found = accepted + dead + unmatched + waiting, for each subscription, at any time."""
    world = World(
        row("all"),
        row("some", activationCondition=condition("Ticket")),
        row("refusing", activationCondition=condition("1")),
        row("away"),
    )
    for number in range(12):
        world.deliver(number, subject=f"{'Ticket' if number % 2 else 'Note'} {number}")
    world.targets.reject("team/refusing")
    world.targets.fail_next(Unavailable("answered 503"), "team/away", times=15)
    for _ in range(rounds):
        await world.poll_and_work()
        await world.worker().recover()
        world.later(minutes=6)

    for name in ("team/all", "team/some", "team/refusing", "team/away"):
        ended = {end: recorder.counted(end, subscription=name) for end in ENDS}
        found = recorder.counted("mails.found", subscription=name)
        assert found == 12
        assert found == sum(ended.values()) + waiting(world, name), (name, ended)
        assert ended["deliveries.accepted"] == len(world.targets.accepted_by(name))
    if rounds > 2:
        assert recorder.counted("deliveries.dead", subscription="team/refusing") == 3
        assert recorder.counted("deliveries.unmatched", subscription="team/some") == 6


async def test_ages_are_from_receipt_to_acceptance(recorder: Recorder) -> None:
    """Waiting for a target counts."""
    world = World()
    world.deliver(1, received=NOW - timedelta(minutes=10))
    world.targets.fail_next(Unavailable("answered 503"))
    await world.poll_and_work()
    world.later(minutes=5)
    await world.work()

    [age] = [point for name, point in recorder.points() if name == "delivery.age"]
    assert (age.count, age.sum) == (1, 15 * 60)
    assert dict(age.attributes) == {"subscription": "team/tickets"}


async def test_the_queues_delay_is_without_the_pause_that_was_asked_for(
    recorder: Recorder,
) -> None:
    """What is postponed on purpose is not late before its time."""
    world = World()
    world.deliver(1)
    world.targets.fail_next(Unavailable("answered 503", retry_after=60))
    await world.worker().poll()
    world.later(seconds=7)
    await world.work()
    world.later(seconds=63)
    await world.work()

    [delay] = [point for name, point in recorder.points() if name == "queue.delay"]
    assert (delay.count, delay.sum) == (2, 7 + 3)
    assert dict(delay.attributes) == {"subscription": "team/tickets"}


async def test_the_queues_delay_is_that_of_each_whom_the_mail_is_for(recorder: Recorder) -> None:
    """As every other number of a mail."""
    world = World(row("a"), row("b"))
    world.deliver(1)
    await world.poll_and_work()

    assert recorder.counted("queue.delay", subscription="team/a") == 1
    assert recorder.counted("queue.delay", subscription="team/b") == 1


async def test_a_failed_poll_counts_for_those_that_it_feeds(recorder: Recorder) -> None:
    """Whatever it failed of."""
    world = World(row("a"), row("b"))
    world.mailboxes.fail_next(MailboxUnavailable(MAILBOX, "answered 503"), "list_messages")
    await world.worker().poll()

    assert recorder.counted("polls.failed", subscription="team/a") == 1
    assert recorder.counted("polls.failed", subscription="team/b") == 1


async def test_a_mail_on_which_the_connector_fails_counts_as_dead(recorder: Recorder) -> None:
    """Once it is given up."""
    world = World()
    world.deliver(1)
    worker = world.worker()
    await worker.poll()
    [envelope] = world.emails.take()
    await give_up(envelope, worker.ports)
    world.clock.advance(GIVEN_UP_AFTER)
    await give_up(envelope, worker.ports)

    assert recorder.counted("deliveries.dead", subscription="team/tickets") == 1


def test_requests_are_counted_by_what_they_are_for_and_how_they_were_answered(
    recorder: Recorder,
) -> None:
    """Throttling apart as well."""
    for status in (200, 204, 429, 503):
        graph_answered("move", status)

    assert recorder.counted("graph.requests", operation="move") == 4
    assert recorder.counted("graph.requests", operation="move", status="2xx") == 2
    assert recorder.counted("graph.throttled", operation="move") == 1


@pytest.mark.parametrize(
    "record",
    [lambda name: poll_failed([name]), lambda name: graph_answered(name, 200)],
    ids=["subscriptions", "operations"],
)
def test_attributes_have_a_bounded_number_of_values(
    recorder: Recorder, record: Callable[[str], None]
) -> None:
    """However many rows there are: the rest is one more value, and nothing is lost."""
    for number in range(DISTINCT + 50):
        record(f"name {number}")
    record("name 0")

    values = {
        next(iter(v for k, v in point.attributes.items() if k != "status")): point.value
        for _, point in recorder.points()
    }
    assert len(values) == DISTINCT + 1
    assert values[OTHER] == 50
    assert values["name 0"] == 2


def test_nothing_is_counted_where_nothing_is_recorded() -> None:
    """Calls are free of effects then."""
    graph_answered("move", 200)
    poll_failed(["team/tickets"])
