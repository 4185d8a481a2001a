from datetime import timedelta
from typing import Any

from shared.domain.errors import MailboxRefused
from shared.domain.source import SourceState
from shared.workflows.tick import SOURCES_A_MESSAGE, poll_queued, tick
from tests.builders import MAILBOX, NOW, graph_message, row
from tests.fakes.mailboxes import FakeMailbox
from tests.unit.workflows.world import LIMITS, Worker, World

BUDGET = timedelta(seconds=8)
FIRST = "user0@contoso.example"


def world_of(amount: int, **columns: Any) -> World:
    """So many mailboxes with a mail each, and a subscription for each."""
    rows = [row(f"s{n:03}", userId=f"user{n}@contoso.example", **columns) for n in range(amount)]
    world = World(*rows)
    boxes = {f"user{n}@contoso.example": FakeMailbox() for n in range(amount)}
    for number, box in enumerate(boxes.values()):
        box.deliver(graph_message(number))
    world.mailboxes.mailboxes = boxes
    return world


async def run(world: World, worker: Worker | None = None) -> None:
    """The timer fires."""
    worker = worker or world.worker()
    await tick(worker.ports, worker.registry, LIMITS, BUDGET)


async def test_all_due_sources_are_polled() -> None:
    """Each of them once."""
    world = world_of(40)

    await run(world)
    await run(world)

    assert world.mailboxes.asked["list_messages"] == 40
    assert len(world.emails.take()) == 40
    assert world.polls.take() == []


async def test_a_source_that_is_not_due_is_left_alone() -> None:
    """Until its interval is over."""
    world = world_of(1, pollingInterval="PT5M")
    await run(world)

    world.later(minutes=4)
    await run(world)
    early = world.mailboxes.asked["list_messages"]
    world.later(minutes=1)
    await run(world)

    assert (early, world.mailboxes.asked["list_messages"]) == (1, 2)


async def test_one_failing_mailbox_stops_no_other() -> None:
    """Its reason is kept; all others are polled."""
    world = world_of(5)
    world.mailboxes.fail_next(MailboxRefused(MAILBOX, "denied"), "list_messages")

    await run(world)

    assert len(world.emails.take()) == 4
    assert sorted(state.failures for state in world.states.states.values()) == [0, 0, 0, 0, 1]


async def test_what_does_not_fit_into_a_tick_is_handed_over() -> None:
    """To other workers, by the queue `polls`, many sources in a message."""
    world = world_of(100)

    async def time_is_up() -> None:
        world.clock.advance(BUDGET)

    world.mailboxes.meanwhile = time_is_up
    await run(world)

    messages = world.polls.take()
    assert world.mailboxes.asked["list_messages"] == 1
    assert sum(map(len, messages)) == 99
    assert max(map(len, messages)) <= SOURCES_A_MESSAGE


async def test_sources_of_a_message_are_polled_by_the_same_code() -> None:
    """What is not known any more is skipped."""
    world = world_of(3)
    worker = world.worker()
    ids = list((await worker.registry.current()).sources)

    await poll_queued([*ids, "removed"], worker.ports, worker.registry, LIMITS)

    assert len(world.emails.take()) == 3
    assert world.polls.take() == []


async def test_what_a_worker_does_not_finish_goes_back() -> None:
    """To the queue, for another one."""
    world = world_of(3)
    worker = world.worker()
    ids = list((await worker.registry.current()).sources)
    for number in range(100, 125):
        received = NOW - timedelta(minutes=number)
        world.mailboxes.mailboxes[FIRST].deliver(graph_message(number, received))

    async def time_is_up() -> None:
        world.later(minutes=5)

    world.mailboxes.meanwhile = time_is_up
    await poll_queued(ids[:1], worker.ports, worker.registry, LIMITS)
    [left] = world.polls.take()
    await poll_queued(left, worker.ports, worker.registry, LIMITS)

    assert left == ids[:1]
    assert len(world.ledger.rows) == 26
    assert world.polls.take() == []


async def test_a_queue_that_is_not_worked_off_does_not_grow() -> None:
    """Sources stay due; a later tick hands them over."""
    world = world_of(20)
    await world.polls.put(["some"])

    async def time_is_up() -> None:
        world.clock.advance(BUDGET)

    world.mailboxes.meanwhile = time_is_up
    await run(world)

    assert world.polls.take() == [["some"]]


async def test_the_source_that_has_waited_longest_comes_first() -> None:
    """So that a short tick is fair."""
    world = world_of(20)
    worker = world.worker()
    sources = (await worker.registry.current()).sources
    for number, source_id in enumerate(sources):
        next_poll_at = NOW - timedelta(minutes=number)
        state = SourceState(id=source_id, next_poll_at=next_poll_at)
        await world.states.write(state)
    longest = list(sources.values())[-1]

    async def time_is_up() -> None:
        world.clock.advance(BUDGET)

    world.mailboxes.meanwhile = time_is_up
    await run(world, worker)

    polled = [state.mailbox for state in world.states.states.values() if state.mailbox]
    assert polled == [longest.polling.mailbox]
