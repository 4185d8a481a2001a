import asyncio

import pytest

from shared.workflows.concurrency import for_each


async def test_so_many_at_once_and_no_more() -> None:
    """All items are done."""
    running, most, done = 0, 0, []

    async def action(item: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(item)

    await for_each(action, range(20), at_once=3)

    assert sorted(done) == list(range(20))
    assert most == 3


async def test_the_first_failure_ends_the_others_and_is_raised() -> None:
    """As itself, not in a group."""
    ended = []

    async def action(item: int) -> None:
        if item == 1:
            raise ValueError("made up")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(item)

    with pytest.raises(ValueError, match="made up"):
        await for_each(action, range(10), at_once=3)

    assert sorted(ended) == [0, 2]


async def test_nothing_to_do() -> None:
    """No items, no tasks."""
    await for_each(asyncio.sleep, [], at_once=3)
