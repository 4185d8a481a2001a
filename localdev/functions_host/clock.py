"""Time as the host sees it, so that tests can move it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What schedules, polling delays and visibility renewals go by."""

    def now(self) -> datetime:
        """Return the time, in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds, or a little earlier."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)


class ManualClock:
    """Stands still until it is moved: for tests."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []
        self._changed = asyncio.Condition()

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return once the clock was moved that far."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sleeper = (self._now + timedelta(seconds=seconds), future)
        if seconds <= 0:
            future.set_result(None)
        self._sleepers.append(sleeper)
        async with self._changed:
            self._changed.notify_all()
        try:
            await future
        finally:
            self._sleepers.remove(sleeper)

    async def move(self, seconds: float, *, sleepers: int = 1, within: float = 10.0) -> None:
        """Move on, once so many sleep; TimeoutError if they do not within a deadline."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: len(self._sleepers) >= sleepers)
        self._now += timedelta(seconds=seconds)
        for due, future in self._sleepers:
            if due <= self._now and not future.done():
                future.set_result(None)


class Nap:
    """A sleep that others can end. For one sleeper."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sleep: asyncio.Task[None] | None = None
        self._woken = False

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds, or when woken; at once if woken since the last sleep."""
        if self._woken:
            self._woken = False
            return
        self._sleep = asyncio.create_task(self._clock.sleep(seconds))
        try:
            await asyncio.wait({self._sleep})
        finally:
            self._sleep.cancel()
            self._sleep = None

    def wake(self) -> None:
        """End the sleep, or the next one if there is none now."""
        if self._sleep is None:
            self._woken = True
        else:
            self._sleep.cancel()
