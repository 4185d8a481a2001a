import asyncio
from contextlib import AsyncExitStack

import pytest

from shared.adapters.graph.gate import LONGEST_WAIT, REQUESTS_AT_ONCE, MailboxGate
from shared.domain.errors import MailboxUnavailable
from tests.fakes.waiting import Hourglass


@pytest.fixture
def time() -> Hourglass:
    return Hourglass()


@pytest.fixture
def gate(time: Hourglass) -> MailboxGate:
    return MailboxGate("a@b.example", time.sleep, time.monotonic)


class Crowd:
    """Requests that go in and stay until they are told to leave."""

    def __init__(self, gate: MailboxGate) -> None:
        self.inside: list[int] = []
        self._gate = gate
        self._leave: dict[int, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def come(self, number: int, places: int = 1) -> None:
        """A request comes; it may have to wait."""
        self._leave[number] = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._stay(number, places)))
        await settled()

    async def go(self, number: int) -> None:
        """A request has its answer."""
        self._leave[number].set()
        await settled()

    async def all_go(self) -> None:
        """Everybody leaves."""
        for event in self._leave.values():
            event.set()
        await asyncio.gather(*self._tasks)

    async def _stay(self, number: int, places: int) -> None:
        async with self._gate.enter(places):
            self.inside.append(number)
            await self._leave[number].wait()
            self.inside.remove(number)


async def settled() -> None:
    """Lets every task run as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_four_at_once_and_no_more(gate: MailboxGate) -> None:
    """The next one goes in when one has left."""
    crowd = Crowd(gate)
    for number in range(6):
        await crowd.come(number)
    at_first = list(crowd.inside)
    await crowd.go(1)

    assert at_first == [0, 1, 2, 3]
    assert crowd.inside == [0, 2, 3, 4]
    await crowd.all_go()


async def test_a_batch_takes_all_places(gate: MailboxGate) -> None:
    """For Graph runs four of its requests at a time."""
    crowd = Crowd(gate)
    await crowd.come(0, places=20)
    await crowd.come(1)
    at_first = list(crowd.inside)
    await crowd.go(0)

    assert (at_first, crowd.inside) == ([0], [1])
    await crowd.all_go()


async def test_a_batch_is_not_starved(gate: MailboxGate) -> None:
    """First come, first served: single requests that come later wait behind it."""
    crowd = Crowd(gate)
    await crowd.come(0)
    await crowd.come(1, places=20)
    await crowd.come(2)
    at_first = list(crowd.inside)
    await crowd.go(0)

    assert (at_first, crowd.inside) == ([0], [1])
    await crowd.all_go()


async def test_small_batches_take_as_many_places_as_they_have_requests(gate: MailboxGate) -> None:
    """Two of two fit."""
    crowd = Crowd(gate)
    await crowd.come(0, places=2)
    await crowd.come(1, places=2)

    assert crowd.inside == [0, 1]
    await crowd.all_go()


async def test_who_fails_or_is_cancelled_leaves_its_place(gate: MailboxGate) -> None:
    """Inside, or while it waits."""
    for error in (ValueError, asyncio.CancelledError):
        with pytest.raises(error):
            async with gate.enter(REQUESTS_AT_ONCE):
                raise error
    async with gate.enter(REQUESTS_AT_ONCE):
        waiting = asyncio.create_task(gate.enter(REQUESTS_AT_ONCE).__aenter__())
        await settled()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    async with gate.enter(REQUESTS_AT_ONCE):
        pass


async def test_a_short_pause_is_waited_out(gate: MailboxGate, time: Hourglass) -> None:
    """The longest of those that were asked for."""
    gate.pause(3.0)
    gate.pause(LONGEST_WAIT)
    gate.pause(1.0)

    async with gate.enter():
        pass
    async with gate.enter():
        pass

    assert time.slept == [LONGEST_WAIT]


async def test_a_long_pause_sends_callers_away(gate: MailboxGate, time: Hourglass) -> None:
    """With what is left of it; they are let in again when the rest is short."""
    gate.pause(60.0)

    with pytest.raises(MailboxUnavailable) as sent_away:
        async with gate.enter():
            pass
    time.time += 55.0
    async with gate.enter():
        pass

    assert sent_away.value.retry_after == 60.0
    assert time.slept == [5.0]


async def test_a_crowd_beside_polling_leaves_it_a_place(gate: MailboxGate) -> None:
    """Three go in, and the others do not stand in the way; a gate with a crowd is not idle."""
    async with AsyncExitStack() as inside:
        for _ in range(3):
            await inside.enter_async_context(gate.enter_beside_polling())
        crowd = [asyncio.create_task(_come_and_go(gate)) for _ in range(10)]
        await settled()

        async with gate.enter():
            assert not any(one.done() for one in crowd)

    assert not gate.is_idle
    await asyncio.gather(*crowd)
    assert gate.is_idle


async def _come_and_go(gate: MailboxGate) -> None:
    async with gate.enter_beside_polling():
        pass


async def test_a_gate_is_idle_when_nobody_needs_it() -> None:
    """Then it may be dropped; not while somebody is inside, or a pause is to be kept."""
    now = 0.0
    gate = MailboxGate("mailbox", monotonic=lambda: now)
    fresh = gate.is_idle
    async with gate.enter():
        used = gate.is_idle
    left = gate.is_idle
    gate.pause(10)
    paused = gate.is_idle
    now = 11.0

    assert (fresh, used, left, paused, gate.is_idle) == (True, False, True, False, True)


async def test_streams_hold_up_neither_polls_nor_batches(gate: MailboxGate) -> None:
    """They last for minutes; further ones wait for those before."""
    crowd = Crowd(gate)
    async with gate.stream(), gate.stream():
        third = asyncio.create_task(gate.stream().__aenter__())
        await crowd.come(1)
        await crowd.go(1)
        await crowd.come(2, 20)

        assert crowd.inside == [2]
        assert not third.done()
        await crowd.all_go()
    await settled()

    assert third.done()
