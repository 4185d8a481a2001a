"""Doing something for many items, a bounded number at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def for_each(
    action: Callable[[T], Awaitable[None]], items: Sequence[T], at_once: int
) -> None:
    """Awaits ``action(item)`` for every item, in order of start, ``at_once`` at a time.

    The first failure ends those that run and is raised.
    """
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await action(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(items))):
                group.create_task(work())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures
