"""Group commit: what concurrent tasks want at the same time is done in one request."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
R = TypeVar("R")

Flush = Callable[[K, Sequence[T]], Awaitable[Sequence[R | Exception]]]
"""Does all items of a key; gives a result, or an error, for each, in their order."""

Sleep = Callable[[float], Coroutine[Any, Any, None]]


class _Waiting(Generic[T, R]):
    """An item, who waits for its result, and since when."""

    __slots__ = ("future", "item", "since")

    def __init__(self, item: T, future: asyncio.Future[R], since: float) -> None:
        self.item = item
        self.future = future
        self.since = since


class _Lane(Generic[T, R]):
    """What is going on under one key."""

    __slots__ = ("collector", "flushing", "lingering", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[_Waiting[T, R]] = deque()
        self.collector: asyncio.Task[None] | None = None
        self.lingering: asyncio.Task[None] | None = None
        self.flushing = 0


class Coalescer(Generic[K, T, R]):
    """Collects items that tasks submit under one key, and flushes them together.

    While as many flushes of a key run as may, further items collect for the next one; so under load
    batches fill up without a timer, and without load an item waits for nothing but the next turn of
    the event loop.

    Args:
        flush: does a batch, within a deadline of its own. If it raises, all its items fail so.
        limit: the most items of a batch.
        multiple: a batch of more than so many is a multiple of it; the others go with the next.
        in_flight: the most flushes of one key at once. With 1, batches of a key never overtake.
        linger: seconds that a batch waits for more items, counted from its first one.
        sleep: waits for ``linger``; tests give another.
    """

    def __init__(
        self,
        flush: Flush[K, T, R],
        *,
        limit: int,
        multiple: int = 1,
        in_flight: int = 1,
        linger: float = 0.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._flush = flush
        self._limit = limit
        self._multiple = multiple
        self._in_flight = in_flight
        self._linger = linger
        self._sleep = sleep
        self._lanes: dict[K, _Lane[T, R]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def keys(self) -> int:
        """How many keys have something going on."""
        return len(self._lanes)

    async def submit(self, key: K, item: T) -> R:
        """Has an item done together with others of its key; gives its own result.

        A cancelled caller leaves the others alone. Its item is dropped if it was still waiting.

        Raises:
            RuntimeError: the coalescer is closed.
            Exception: what ``flush`` gave for this item, or raised.
        """
        if self._closed:
            raise RuntimeError("submitted to a coalescer that is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        lane = self._lanes.setdefault(key, _Lane())
        lane.waiting.append(_Waiting(item, future, loop.time()))
        if lane.lingering is not None and len(lane.waiting) >= self._limit:
            lane.lingering.cancel()
        self._collect_next(key, lane)
        return await future

    async def close(self) -> None:
        """Takes nothing more, flushes at once what waits, and returns when all is done."""
        self._closed = True
        for lane in self._lanes.values():
            if lane.lingering is not None:
                lane.lingering.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _collect_next(self, key: K, lane: _Lane[T, R]) -> None:
        """Starts a batch if there is something to do and one may start; else forgets idle keys."""
        if lane.collector is not None:
            return
        if lane.waiting and lane.flushing < self._in_flight:
            # an empty context: the log context of one item's task is not that of the others
            task = asyncio.create_task(self._batch(key, lane), context=contextvars.Context())
            lane.collector = task
            self._tasks.add(task)
            task.add_done_callback(functools.partial(self._ended, lane))
        elif not lane.waiting and not lane.flushing:
            self._lanes.pop(key, None)

    def _ended(self, lane: _Lane[T, R], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if lane.collector is task:
            # cancelled while it collected: the event loop ends, and nobody is to be left hanging
            lane.collector = None
            for one in lane.waiting:
                one.future.cancel()

    async def _batch(self, key: K, lane: _Lane[T, R]) -> None:
        """Collects one batch and flushes it; lets the next one collect meanwhile."""
        await self._fill(lane)
        batch = _taken(lane, self._limit, self._multiple)
        lane.collector = None
        lane.flushing += 1
        self._collect_next(key, lane)
        try:
            await self._do(key, batch)
        finally:
            lane.flushing -= 1
            self._collect_next(key, lane)

    async def _fill(self, lane: _Lane[T, R]) -> None:
        """Waits until the batch is full or its first item has waited long enough."""
        if not self._linger:
            await asyncio.sleep(0)
            return
        waited = asyncio.get_running_loop().time() - lane.waiting[0].since
        if self._closed or len(lane.waiting) >= self._limit or waited >= self._linger:
            return
        lane.lingering = asyncio.create_task(self._sleep(self._linger - waited))
        try:
            await asyncio.wait({lane.lingering})
        finally:
            lane.lingering.cancel()
            lane.lingering = None

    async def _do(self, key: K, batch: Sequence[_Waiting[T, R]]) -> None:
        if not batch:
            return
        results: Sequence[R | Exception]
        try:
            results = await self._flush(key, [one.item for one in batch])
        except asyncio.CancelledError:
            for one in batch:
                one.future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - those who wait get it
            results = [error] * len(batch)
        if len(results) != len(batch):
            wrong = RuntimeError(f"{len(batch)} items were flushed, to {len(results)} results")
            results = [wrong] * len(batch)
        for one, result in zip(batch, results, strict=True):
            if one.future.done():
                continue
            if isinstance(result, Exception):
                one.future.set_exception(result)
            else:
                one.future.set_result(result)


def _taken(lane: _Lane[T, R], limit: int, multiple: int) -> list[_Waiting[T, R]]:
    """Takes the next items off a lane, and drops those whose caller is gone."""
    batch: list[_Waiting[T, R]] = []
    while lane.waiting and len(batch) < limit:
        one = lane.waiting.popleft()
        if not one.future.done():
            batch.append(one)
    left_over = len(batch) % multiple if len(batch) > multiple else 0
    while left_over:
        lane.waiting.appendleft(batch.pop())
        left_over -= 1
    return batch
