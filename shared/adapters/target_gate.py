"""The gate of a target: one that does not answer must not hold the workers that others need.

A circuit breaker: a few failures in a row close it for a while, then one delivery tries first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from shared.domain.outcome import Outcome, Unavailable
from shared.domain.settlement import growing_delay

AT_ONCE = 24
"""Deliveries to one target at once; fewer than a worker runs, so that others have places left."""

PATIENCE = 4.0
"""Seconds that a delivery waits for a place before it goes back to the queue."""

FAILURES_IN_A_ROW = 3
LONGEST_CLOSED = 60.0


class TargetClosed(Exception):
    """The target is not to be tried now.

    Args:
        reason: why, for a person.
        retry_after: seconds after which it may be.
        busy: it is well, but has no place.
    """

    def __init__(self, reason: str, retry_after: float, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.busy = busy


class TargetGate:
    """Lets deliveries to one target through.

    Args:
        monotonic: seconds of a clock that only goes forward.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._places = asyncio.Semaphore(AT_ONCE)
        self._failures = 0
        self._closed_until = 0.0
        self._probing = False

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Holds a place.

        Raises:
            TargetClosed: the target failed lately, or all places are taken.
        """
        left = self._closed_until - self._monotonic()
        if left > 0:
            raise TargetClosed("not tried: it failed repeatedly just now", left)
        probe = self._failures >= FAILURES_IN_A_ROW
        if probe and self._probing:
            raise TargetClosed("not tried: one delivery tries first whether it is back", PATIENCE)
        self._probing = self._probing or probe
        try:
            await self._take_place()
            try:
                yield
            finally:
                self._places.release()
        finally:
            if probe:
                self._probing = False

    async def _take_place(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._places.acquire()
        except TimeoutError:
            reason = f"not tried: {AT_ONCE} deliveries wait for its answer"
            raise TargetClosed(reason, PATIENCE, busy=True) from None

    def learn(self, outcome: Outcome) -> None:
        """Takes note of what the target said; closes after failures in a row."""
        if not isinstance(outcome, Unavailable):
            self._failures, self._closed_until = 0, 0.0
            return
        self._failures += 1
        beyond = self._failures - FAILURES_IN_A_ROW
        if beyond >= 0:
            pause = min(growing_delay(beyond).total_seconds(), LONGEST_CLOSED)
            self._closed_until = self._monotonic() + max(pause, outcome.retry_after or 0.0)
