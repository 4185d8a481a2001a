import asyncio
from datetime import timedelta

import pytest

from shared.adapters import target_gate
from shared.adapters.target_gate import AT_ONCE, FAILURES_IN_A_ROW, TargetClosed, TargetGate
from shared.domain.outcome import Accepted, Outcome, Rejected, Unavailable
from tests.fakes.waiting import Hourglass

DOWN = Unavailable("answered 503")


@pytest.fixture
def time() -> Hourglass:
    return Hourglass()


@pytest.fixture
def gate(time: Hourglass) -> TargetGate:
    return TargetGate(time.monotonic)


async def deliver(gate: TargetGate, outcome: Outcome) -> None:
    """One delivery that ends so."""
    async with gate.enter():
        pass
    gate.learn(outcome)


async def close(gate: TargetGate) -> None:
    """As many failures as it takes."""
    for _ in range(FAILURES_IN_A_ROW):
        await deliver(gate, DOWN)


@pytest.mark.parametrize("outcome", [Accepted(), Accepted(already=True), Rejected("no")])
async def test_a_target_that_answers_is_open(gate: TargetGate, outcome: Outcome) -> None:
    """A rejection is an answer too."""
    for _ in range(10):
        await deliver(gate, outcome)


async def test_failures_that_are_not_in_a_row_close_nothing(gate: TargetGate) -> None:
    """Each success counts anew."""
    for _ in range(10):
        await deliver(gate, DOWN)
        await deliver(gate, DOWN)
        await deliver(gate, Accepted())


async def test_failures_in_a_row_close_it_for_a_while(gate: TargetGate, time: Hourglass) -> None:
    """Who comes meanwhile is told how long; afterwards it is open."""
    await close(gate)

    with pytest.raises(TargetClosed) as closed:
        await deliver(gate, Accepted())
    time.time += closed.value.retry_after
    await deliver(gate, Accepted())
    await deliver(gate, Accepted())

    assert closed.value.retry_after == 5.0


async def test_it_stays_closed_longer_from_failure_to_failure(
    gate: TargetGate, time: Hourglass
) -> None:
    """From 5 seconds to a minute."""
    await close(gate)
    pauses = []
    for _ in range(6):
        with pytest.raises(TargetClosed) as closed:
            await deliver(gate, DOWN)
        pauses.append(closed.value.retry_after)
        time.time += closed.value.retry_after
        await deliver(gate, DOWN)

    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


async def test_what_the_target_asks_is_honoured(gate: TargetGate) -> None:
    """Also where it is longer than a minute."""
    for _ in range(FAILURES_IN_A_ROW):
        await deliver(gate, Unavailable("answered 429", retry_after=600.0))

    with pytest.raises(TargetClosed) as closed:
        await deliver(gate, Accepted())

    assert closed.value.retry_after == 600.0


async def test_one_delivery_tries_first(gate: TargetGate, time: Hourglass) -> None:
    """A target that comes back is not flooded."""
    await close(gate)
    time.time += 5.0

    async with gate.enter():
        with pytest.raises(TargetClosed, match="one delivery tries first"):
            await deliver(gate, Accepted())
    gate.learn(Accepted())

    await deliver(gate, Accepted())


async def test_a_try_that_is_cancelled_lets_another_one_try(
    gate: TargetGate, time: Hourglass
) -> None:
    """Nothing was learned from it."""
    await close(gate)
    time.time += 5.0

    with pytest.raises(asyncio.CancelledError):
        async with gate.enter():
            raise asyncio.CancelledError

    await deliver(gate, Accepted())


async def test_so_many_at_once(gate: TargetGate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds no place goes back to the queue; places that become free are taken."""
    monkeypatch.setattr(target_gate, "PATIENCE", 0.0)
    inside, leave = 0, asyncio.Event()

    async def stay() -> None:
        nonlocal inside
        async with gate.enter():
            inside += 1
            await leave.wait()

    staying = [asyncio.create_task(stay()) for _ in range(AT_ONCE)]
    while inside < AT_ONCE:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    with pytest.raises(TargetClosed, match=f"{AT_ONCE} deliveries wait for its answer"):
        await deliver(gate, Accepted())
    leave.set()
    await asyncio.gather(*staying)

    await deliver(gate, Accepted())


async def test_only_one_tries_first_also_among_those_that_waited_for_a_place(
    gate: TargetGate, time: Hourglass
) -> None:
    """All places were taken by deliveries that hang, while others failed."""
    leave = asyncio.Event()
    inside: list[int] = []

    async def stay(number: int) -> None:
        async with gate.enter():
            inside.append(number)
            await leave.wait()

    hanging = [asyncio.create_task(stay(number)) for number in range(AT_ONCE)]
    while len(inside) < AT_ONCE:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    for _ in range(FAILURES_IN_A_ROW):
        gate.learn(DOWN)
    time.time += timedelta(minutes=1).total_seconds()
    first, second = (asyncio.create_task(stay(number)) for number in (100, 101))
    await asyncio.sleep(0)
    leave.set()
    results = await asyncio.gather(first, second, *hanging, return_exceptions=True)

    assert [type(one) for one in results if one is not None] == [TargetClosed]
