import asyncio

import pytest

from shared.workflows.memory_budget import MemoryBudget


async def settle() -> None:
    """Lets every task go on as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_is_held_than_there_is() -> None:
    """Whoever comes later waits until there is room."""
    budget, most, held = MemoryBudget(10), 0, 0

    async def hold(amount: int) -> None:
        nonlocal most, held
        async with budget.hold(amount):
            held += amount
            most = max(most, held)
            await asyncio.sleep(0)
            held -= amount

    await asyncio.gather(*(hold(amount) for amount in (4, 3, 6, 1, 10, 2, 2, 9)))

    assert most <= 10
    assert budget.free == 10


async def test_what_is_more_than_all_is_all() -> None:
    """It runs alone, but it runs."""
    budget = MemoryBudget(10)

    async with budget.hold(1000):
        assert budget.free == 0

    assert budget.free == 10


async def test_a_large_one_is_not_overtaken_for_ever() -> None:
    """Those who came after it wait behind it."""
    budget, order = MemoryBudget(10), list[str]()

    async def hold(name: str, amount: int) -> None:
        async with budget.hold(amount):
            order.append(name)

    async with budget.hold(5):
        tasks = [asyncio.create_task(hold(*one)) for one in (("large", 9), ("small", 1))]
        await settle()
    await asyncio.gather(*tasks)

    assert order == ["large", "small"]


@pytest.mark.parametrize("cancelled", [0, 1])
async def test_one_that_is_cancelled_keeps_nothing(cancelled: int) -> None:
    """Whether it was next or stood behind another."""
    budget = MemoryBudget(10)

    async def hold() -> None:
        async with budget.hold(10):
            pass

    async with budget.hold(1):
        tasks = [asyncio.create_task(hold()) for _ in range(2)]
        await settle()
        tasks[cancelled].cancel()
        await settle()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert tasks[cancelled].cancelled()
    assert not tasks[1 - cancelled].cancelled()
    assert budget.free == 10


async def test_a_failure_gives_back_what_was_held() -> None:
    """All of it."""
    budget = MemoryBudget(10)

    with pytest.raises(ZeroDivisionError):
        async with budget.hold(7):
            raise ZeroDivisionError

    assert budget.free == 10
