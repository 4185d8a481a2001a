import asyncio

import pytest

from shared.adapters.storage.first_use import FirstUse


async def test_it_is_made_once_for_all_that_use_it_at_the_same_time() -> None:
    made = []

    async def make() -> None:
        await asyncio.sleep(0)
        made.append(1)

    first_use = FirstUse(make)
    await asyncio.gather(*(first_use.ensure() for _ in range(5)))
    await first_use.ensure()

    assert len(made) == 1


async def test_it_is_made_again_after_it_was_forgotten() -> None:
    made = []

    async def make() -> None:
        made.append(1)

    first_use = FirstUse(make)
    await first_use.ensure()
    first_use.forget()
    await first_use.ensure()

    assert len(made) == 2


async def test_it_is_tried_again_after_a_failure() -> None:
    failures = [OSError("broken")]

    async def make() -> None:
        if failures:
            raise failures.pop()

    first_use = FirstUse(make)
    with pytest.raises(OSError, match="broken"):
        await first_use.ensure()
    await first_use.ensure()

    assert failures == []
