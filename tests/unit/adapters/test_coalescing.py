import asyncio
import contextvars
from collections.abc import AsyncIterator, Sequence

import pytest

from shared.adapters.coalescing import Coalescer


class Flushes:
    """A flush that notes what it is given, and waits while its gate is closed."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[int]]] = []
        self.finished = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def flush(self, key: str, items: Sequence[int]) -> Sequence[int | Exception]:
        """Gives ten times each even item."""
        self.batches.append((key, list(items)))
        await self.gate.wait()
        self.finished += 1
        return [ValueError(f"{item} is odd") if item % 2 else item * 10 for item in items]


class Sleeps:
    """A sleep that ends when the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Waits for the test."""
        self.asked.append(seconds)
        await self.over.wait()


@pytest.fixture
def flushes() -> Flushes:
    return Flushes()


@pytest.fixture
async def coalescer(flushes: Flushes) -> AsyncIterator[Coalescer[str, int, int]]:
    one = Coalescer(flushes.flush, limit=3)
    yield one
    await one.close()


def submitted(
    coalescer: Coalescer[str, int, int], key: str, *items: int
) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(coalescer.submit(key, item)) for item in items]


async def settled() -> None:
    """Returns when all tasks have gone as far as they go by themselves."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_batch_is_a_multiple_where_there_is_more_than_that(flushes: Flushes) -> None:
    """What is left over goes with the next ones, in its order, and is not forgotten at the end."""
    coalescer = Coalescer(flushes.flush, limit=8, multiple=4)
    flushes.gate.clear()
    tasks = submitted(coalescer, "a", *range(0, 14, 2))
    await settled()
    tasks += submitted(coalescer, "a", *range(14, 20, 2))
    await settled()
    flushes.gate.set()

    assert await asyncio.gather(*tasks) == [item * 10 for item in range(0, 20, 2)]
    assert [items for _, items in flushes.batches] == [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18]]
    await coalescer.close()


async def test_items_of_concurrent_tasks_are_flushed_together(
    coalescer: Coalescer[str, int, int], flushes: Flushes
) -> None:
    results = await asyncio.gather(*submitted(coalescer, "a", 2, 4, 6))

    assert results == [20, 40, 60]
    assert flushes.batches == [("a", [2, 4, 6])]


async def test_keys_are_flushed_apart_and_at_once(
    coalescer: Coalescer[str, int, int], flushes: Flushes
) -> None:
    flushes.gate.clear()
    tasks = submitted(coalescer, "a", 2) + submitted(coalescer, "b", 4)
    await settled()

    assert flushes.batches == [("a", [2]), ("b", [4])]
    flushes.gate.set()
    assert await asyncio.gather(*tasks) == [20, 40]


async def test_a_batch_has_no_more_items_than_the_limit(
    coalescer: Coalescer[str, int, int], flushes: Flushes
) -> None:
    await asyncio.gather(*submitted(coalescer, "a", 2, 4, 6, 8, 10, 12, 14))

    assert [items for _, items in flushes.batches] == [[2, 4, 6], [8, 10, 12], [14]]


async def test_what_comes_during_a_flush_is_flushed_together_after_it(
    coalescer: Coalescer[str, int, int], flushes: Flushes
) -> None:
    flushes.gate.clear()
    tasks = submitted(coalescer, "a", 2)
    await settled()
    tasks += submitted(coalescer, "a", 4)
    await settled()
    tasks += submitted(coalescer, "a", 6)
    await settled()
    flushes.gate.set()
    await asyncio.gather(*tasks)

    assert [items for _, items in flushes.batches] == [[2], [4, 6]]


async def test_as_many_flushes_of_a_key_run_at_once_as_are_allowed(flushes: Flushes) -> None:
    coalescer = Coalescer(flushes.flush, limit=1, in_flight=2)
    flushes.gate.clear()
    tasks = submitted(coalescer, "a", 2, 4, 6)
    await settled()

    assert [items for _, items in flushes.batches] == [[2], [4]]
    flushes.gate.set()
    assert await asyncio.gather(*tasks) == [20, 40, 60]


async def test_an_error_of_one_item_reaches_only_its_submitter(
    coalescer: Coalescer[str, int, int],
) -> None:
    good, bad, fine = submitted(coalescer, "a", 2, 3, 4)

    assert (await good, await fine) == (20, 40)
    with pytest.raises(ValueError, match="3 is odd"):
        await bad


async def test_a_flush_that_fails_reaches_all_its_items_and_later_ones_go_on() -> None:
    failures = [OSError("broken")]

    async def flush(_key: str, items: Sequence[int]) -> Sequence[int]:
        if failures:
            raise failures.pop()
        return items

    coalescer = Coalescer(flush, limit=3)
    results = await asyncio.gather(*submitted(coalescer, "a", 1, 2), return_exceptions=True)

    assert [str(result) for result in results] == ["broken", "broken"]
    assert await coalescer.submit("a", 3) == 3


async def test_a_flush_with_too_few_results_is_an_error() -> None:
    async def flush(_key: str, items: Sequence[int]) -> Sequence[int]:
        return items[1:]

    coalescer = Coalescer(flush, limit=3)

    with pytest.raises(RuntimeError, match="1 items were flushed, to 0 results"):
        await coalescer.submit("a", 1)


async def test_a_submitter_cancelled_during_a_flush_does_not_disturb_it(
    coalescer: Coalescer[str, int, int], flushes: Flushes
) -> None:
    flushes.gate.clear()
    gone, stays = submitted(coalescer, "a", 2, 4)
    await settled()
    gone.cancel()
    await settled()
    flushes.gate.set()

    assert await stays == 40
    assert gone.cancelled()
    assert flushes.finished == 1


async def test_an_item_whose_submitter_is_gone_is_not_flushed(
    coalescer: Coalescer[str, int, int], flushes: Flushes
) -> None:
    flushes.gate.clear()
    first = submitted(coalescer, "a", 2)
    await settled()
    gone, stays = submitted(coalescer, "a", 4, 6)
    await settled()
    gone.cancel()
    await settled()
    flushes.gate.set()

    assert await asyncio.gather(*first, stays) == [20, 60]
    assert flushes.batches == [("a", [2]), ("a", [6])]


async def test_a_task_of_the_submitter_passes_no_context_to_the_flush() -> None:
    bound = contextvars.ContextVar("bound", default="nothing")

    async def flush(_key: str, items: Sequence[int]) -> Sequence[str]:
        return [bound.get()] * len(items)

    coalescer: Coalescer[str, int, str] = Coalescer(flush, limit=3)
    bound.set("a mail")

    assert await coalescer.submit("a", 1) == "nothing"


async def test_a_lingering_batch_waits_for_its_time(flushes: Flushes) -> None:
    sleeps = Sleeps()
    coalescer = Coalescer(flushes.flush, limit=3, linger=5.0, sleep=sleeps.sleep)
    tasks = submitted(coalescer, "a", 2)
    await settled()
    tasks += submitted(coalescer, "a", 4)
    await settled()

    assert flushes.batches == []
    assert sleeps.asked == [pytest.approx(5.0, abs=1.0)]
    sleeps.over.set()
    assert await asyncio.gather(*tasks) == [20, 40]
    assert flushes.batches == [("a", [2, 4])]


async def test_a_lingering_batch_that_is_full_waits_no_longer(flushes: Flushes) -> None:
    coalescer = Coalescer(flushes.flush, limit=3, linger=5.0, sleep=Sleeps().sleep)
    tasks = submitted(coalescer, "a", 2, 4)
    await settled()
    tasks += submitted(coalescer, "a", 6)

    assert await asyncio.gather(*tasks) == [20, 40, 60]


async def test_lingering_counts_from_the_first_item_so_a_flush_before_is_part_of_it(
    flushes: Flushes,
) -> None:
    sleeps = Sleeps()
    sleeps.over.set()
    coalescer = Coalescer(flushes.flush, limit=3, linger=1e-9, sleep=sleeps.sleep)
    flushes.gate.clear()
    tasks = submitted(coalescer, "a", 2)
    await settled()
    asked_by_the_first = len(sleeps.asked)
    tasks += submitted(coalescer, "a", 4)
    await settled()
    flushes.gate.set()
    await asyncio.gather(*tasks)

    assert len(sleeps.asked) == asked_by_the_first


async def test_idle_keys_are_forgotten(coalescer: Coalescer[str, int, int]) -> None:
    tasks = [task for key in "abcdef" for task in submitted(coalescer, key, 2, 3)]
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await settled()

    assert coalescer.keys == 0


async def test_close_waits_for_what_runs_and_flushes_what_lingers(flushes: Flushes) -> None:
    coalescer = Coalescer(flushes.flush, limit=3, linger=5.0, sleep=Sleeps().sleep)
    tasks = submitted(coalescer, "a", 2, 4, 6, 8)
    await settled()
    await coalescer.close()

    assert [items for _, items in flushes.batches] == [[2, 4, 6], [8]]
    assert [task.result() for task in tasks] == [20, 40, 60, 80]


async def test_nothing_can_be_submitted_after_close(coalescer: Coalescer[str, int, int]) -> None:
    await coalescer.close()

    with pytest.raises(RuntimeError, match="closed"):
        await coalescer.submit("a", 2)


@pytest.mark.parametrize("linger", [0.0, 5.0])
@pytest.mark.parametrize("turns", [1, 2, 20])
async def test_the_end_of_the_event_loop_leaves_no_submitter_hanging(
    linger: float, turns: int
) -> None:
    flushes = Flushes()
    flushes.gate.clear()
    coalescer = Coalescer(flushes.flush, limit=3, linger=linger, sleep=Sleeps().sleep)
    before = asyncio.all_tasks()
    tasks = submitted(coalescer, "a", 2, 4)
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in asyncio.all_tasks() - before - set(tasks):
        task.cancel()
    await settled()

    assert all(task.cancelled() for task in tasks)


async def test_thousands_of_items_come_back_each_to_its_submitter() -> None:
    async def flush(key: str, items: Sequence[int]) -> Sequence[tuple[str, int]]:
        await asyncio.sleep(0)
        return [(key, item) for item in items]

    coalescer: Coalescer[str, int, tuple[str, int]] = Coalescer(flush, limit=7, in_flight=3)
    wanted = [(key, item) for item in range(500) for key in "abcd"]
    results = await asyncio.gather(*(coalescer.submit(key, item) for key, item in wanted))

    assert results == wanted
