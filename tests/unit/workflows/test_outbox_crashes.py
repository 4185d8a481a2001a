"""A worker is killed at every call, or overtaken by another there; each mail goes out once."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest

from shared.domain.errors import AnswerLost, MailboxUnavailable
from shared.domain.outbound.outbox import SendState
from shared.workflows.outbox.box import Outbox
from tests.builders import MAILBOX
from tests.fakes.outbox_world import OutboxWorld
from tests.fakes.queues import QueuedMessage
from tests.unit.workflows.crashing import Crash, Life

LARGE = {"name": "a.bin", "content": base64.b64encode(bytes(3_100_000)).decode()}


def ordinary() -> OutboxWorld:
    """Everything goes well."""
    return OutboxWorld()


def copies() -> OutboxWorld:
    """A mail that is sent is found under another id."""
    world = OutboxWorld()
    world.mailbox.copies = True
    return world


def lossy() -> OutboxWorld:
    """Answers get lost, once before and once after Graph has done its work."""
    world = OutboxWorld()
    lost = AnswerLost(MAILBOX, "no answer")
    world.mailbox.fail_next("create_draft", lost)
    world.mailbox.fail_next("create_draft", lost, after_effect=True)
    world.mailbox.fail_next("send_draft", lost)
    world.mailbox.fail_next("send_draft", lost, after_effect=True)
    return world


def with_an_outage() -> OutboxWorld:
    """Graph throttles each step once."""
    world = OutboxWorld()
    for method in ("create_draft", "send_draft", "look", "find_draft"):
        world.mailbox.fail_next(method, MailboxUnavailable(MAILBOX, "throttled", 30))
    return world


SITUATIONS = [ordinary, copies, lossy, with_an_outage]


def mortal(world: OutboxWorld, life: Life) -> Outbox:
    """The box of a worker that dies when its life is over."""
    dying = False

    async def before(name: str) -> None:
        nonlocal dying
        dying = life.begin(name)

    async def after(_: str) -> None:
        if dying:
            raise Crash

    return world.watched(before, after)


async def killed_at(step: int, world: OutboxWorld, *, takes_effect: bool, **fields: Any) -> Life:
    """Enqueues with a worker and lets it work, until it dies at a step or an hour is over."""
    life = Life(step, takes_effect=takes_effect)
    box = mortal(world, life)
    try:
        await world.enqueue(box=box, **fields)
        await world.hour(box)
    except Crash:
        world.later(minutes=6)
    return life


@pytest.mark.parametrize("takes_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("situation", SITUATIONS)
async def test_a_kill_at_any_call_sends_exactly_once(
    situation: Callable[[], OutboxWorld],
    takes_effect: bool,  # noqa: FBT001
) -> None:
    """The caller, who has heard nothing, asks again with the same key."""
    for step in count(1):
        world = situation()
        life = await killed_at(step, world, takes_effect=takes_effect)
        await world.enqueue()

        await world.hour()

        at = f"killed at call {step}, {life.last_call}"
        assert world.item().state is SendState.SENT, at
        assert len(world.mailbox.sent) == 1, at
        assert len(world.mailbox.messages) == 1, at
        assert world.queue.messages == [], at
        if not life.is_over():
            return


@pytest.mark.parametrize("takes_effect", [False, True], ids=["before", "after"])
async def test_a_kill_at_any_call_needs_nobody_to_ask_again(
    takes_effect: bool,  # noqa: FBT001
) -> None:
    """What was stored is sent, once; what was not is not."""
    for step in count(1):
        world = ordinary()
        life = await killed_at(step, world, takes_effect=takes_effect)

        await world.hour()

        at = f"killed at call {step}, {life.last_call}"
        assert len(world.mailbox.sent) == len(world.table.rows), at
        assert step < 3 or len(world.mailbox.sent) == 1, at
        if not life.is_over():
            return


@pytest.mark.parametrize("takes_effect", [False, True], ids=["before", "after"])
async def test_a_kill_at_any_call_sends_a_mail_with_a_large_file_once_and_whole(
    takes_effect: bool,  # noqa: FBT001
) -> None:
    """And leaves neither a draft nor a blob behind."""
    for step in count(1):
        world = ordinary()
        life = await killed_at(step, world, takes_effect=takes_effect, attachments=[LARGE])
        await world.enqueue(attachments=[LARGE])

        await world.hour()
        world.later(days=29)  # a blob that nobody knows of goes with its day
        await world.recover()

        at = f"killed at call {step}, {life.last_call}"
        assert [len(sent.files) for sent in world.mailbox.sent] == [1], at
        assert len(world.mailbox.messages) == 1, at
        if not life.is_over():
            return


@dataclass
class Gate:
    """Stops a worker at one of its calls until it may go on."""

    at: int
    after: bool
    calls: int = 0
    name: str = ""
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def before_call(self, name: str) -> None:
        """A call begins."""
        self.calls += 1
        if self.calls == self.at:
            self.name = name
            if not self.after:
                await self._wait()

    async def after_call(self, _: str) -> None:
        """A call has taken effect."""
        if self.calls == self.at and self.after:
            await self._wait()

    async def _wait(self) -> None:
        self.reached.set()
        await self.opened.wait()


def given_again(messages: list[QueuedMessage]) -> list[QueuedMessage]:
    """As the queue has messages whose worker was silent for too long."""
    return [replace(message, given_out=1) for message in messages]


async def overtaken_at(
    step: int, world: OutboxWorld, *, after: bool, minutes: float
) -> tuple[Gate, bool]:
    """One worker stops at a call; others work on copies of its message meanwhile; it goes on."""
    gate = Gate(step, after)
    slow = world.watched(gate.before_call, gate.after_call)
    await world.enqueue()
    copies_of_it = given_again(world.queue.messages * 2)
    working = asyncio.create_task(world.work(slow))
    await either(working, gate)
    world.queue.messages += copies_of_it
    world.later(minutes=minutes)
    await world.recover()
    await world.work()
    world.later(minutes=minutes / 2)
    await world.work()
    gate.opened.set()
    await working
    await world.hour()
    return gate, gate.reached.is_set()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("minutes", [0, 3, 6, 16])
@pytest.mark.parametrize("situation", SITUATIONS)
async def test_two_workers_at_one_send_send_it_once(
    situation: Callable[[], OutboxWorld],
    minutes: float,
    after: bool,  # noqa: FBT001
) -> None:
    """However long the first one stands still: within its lease, past it, past all patience."""
    for step in count(1):
        world = situation()
        gate, stopped = await overtaken_at(step, world, after=after, minutes=minutes)

        at = f"overtaken at call {step}, {gate.name}"
        assert world.item().state is SendState.SENT, at
        assert len(world.mailbox.sent) == 1, at
        assert world.queue.messages == [], at
        # a draft may stay that was made, unanswered, after others had waited in vain for it
        assert len(world.mailbox.messages) == 1 or situation is lossy, at
        if not stopped:
            return


async def recovered_at(step: int, other: int, *, after: bool) -> tuple[OutboxWorld, bool, bool]:
    """A first attempt stops at a call; recovery takes its send for one that stands still.

    Whoever is given that stops at a call as well, until the first one has ended.
    """
    world = OutboxWorld(most_per_hour=5)
    first, second = Gate(step, after), Gate(other, after)
    await world.enqueue()
    world.later(minutes=6)  # so long its message waited; now nothing waits in the queue
    working = asyncio.create_task(world.work(world.watched(first.before_call, first.after_call)))
    await either(working, first)
    await world.recover()
    also = asyncio.create_task(world.work(world.watched(second.before_call, second.after_call)))
    await either(also, second)
    first.opened.set()
    await working
    second.opened.set()
    await also
    await world.hour()
    return world, first.reached.is_set(), second.reached.is_set()


async def either(working: asyncio.Task[None], gate: Gate) -> None:
    """Returns when a worker has ended or stands at its gate."""
    stopping = asyncio.create_task(gate.reached.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_recovery_during_a_first_attempt_harms_nothing(
    after: bool,  # noqa: FBT001
) -> None:
    """One mail goes out and stays, no draft does, and it counts."""
    for step in count(1):
        stopped = False
        for other in count(1):
            world, stopped, other_stopped = await recovered_at(step, other, after=after)

            at = f"at call {step}, and call {other} of the other"
            assert world.item().state is SendState.SENT, at
            assert len(world.mailbox.sent) == len(world.mailbox.messages) == 1, at
            assert list(world.counts.counts.values()) == [1], at
            assert world.queue.messages == [], at
            if not other_stopped:
                break
        if not stopped:
            return


@pytest.mark.parametrize("given_out", [0, 1], ids=["queued twice", "given out again"])
async def test_many_workers_with_copies_of_one_message_send_it_once(given_out: int) -> None:
    """All at the same time, with turns between any two calls."""

    async def turn(_: str) -> None:
        await asyncio.sleep(0)

    world = ordinary()
    await world.enqueue()
    [message] = world.queue.give_out()
    boxes = [world.watched(turn, turn) for _ in range(12)]

    async def work(box: Outbox) -> None:
        own = OutboxWorld()
        own.queue.messages = [replace(message, given_out=given_out)]
        await own.work(box)

    await asyncio.gather(*(work(box) for box in boxes))
    await world.hour()

    assert len(world.mailbox.sent) == len(world.mailbox.messages) == 1
    assert world.mailbox.asked["send_draft"] == 1
