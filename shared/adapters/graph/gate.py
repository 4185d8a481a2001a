"""The gate of a mailbox: at most four requests at once, and a pause when Graph asks for one.

Source: Graph's limits of the Outlook service, per app and mailbox. A `$batch` runs four of its
requests at a time, so it enters with a weight of four.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from shared.domain.errors import MailboxUnavailable

REQUESTS_AT_ONCE = 4
BESIDE_POLLING = 3
"""Of these, so many for what callers ask of the app: they may be many, and polling must go on."""

STREAMS_AT_ONCE = 2
"""Places that streams may hold, for minutes; the others stay for polls and operations."""

LONGEST_WAIT = 10.0
"""Seconds that a caller waits in place; for longer pauses it is sent away and comes back later."""

Sleep = Callable[[float], Awaitable[None]]


class MailboxGate:
    """Lets requests to one mailbox through, first come, first served.

    Args:
        mailbox: named in errors.
        sleep: how to wait; tests need not.
        monotonic: seconds of a clock that only goes forward.
    """

    def __init__(
        self,
        mailbox: str,
        sleep: Sleep = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mailbox = mailbox
        self._sleep = sleep
        self._monotonic = monotonic
        self._free = REQUESTS_AT_ONCE
        self._turn = asyncio.Lock()
        self._beside = asyncio.Semaphore(BESIDE_POLLING)
        self._besides = 0
        self._freed = asyncio.Event()
        self._paused_until = 0.0
        self._stream_turn = asyncio.Semaphore(STREAMS_AT_ONCE)
        self._streams = 0

    @property
    def is_idle(self) -> bool:
        """Whether nobody is inside or waits, and no pause is to be remembered."""
        paused = self._paused_until > self._monotonic()
        is_empty = self._free == REQUESTS_AT_ONCE and not self._besides
        return is_empty and not self._turn.locked() and not paused

    def pause(self, seconds: float) -> None:
        """Lets nobody through for so long: Graph asked for it with Retry-After."""
        self._paused_until = max(self._paused_until, self._monotonic() + seconds)

    @asynccontextmanager
    async def enter(self, requests: int = 1) -> AsyncIterator[None]:
        """Holds as many of the four places as the requests that are sent together need.

        Raises:
            MailboxUnavailable: the mailbox is paused for longer than :data:`LONGEST_WAIT`.
        """
        async with self._turn:  # its waiters are served in order, so that a batch is not starved
            await self._wait_out_pause()
            # a batch does not wait for streams, which last; Graph may answer 429 to some of it then
            while self._free < (places := min(requests, REQUESTS_AT_ONCE - self._streams)):
                self._freed.clear()
                await self._freed.wait()
            self._free -= places
        try:
            yield
        finally:  # without an await: nothing can cancel the giving back
            self._free += places
            self._freed.set()

    @asynccontextmanager
    async def enter_beside_polling(self) -> AsyncIterator[None]:
        """Holds one place as `enter` does; a crowd that does so waits outside the line of polls."""
        self._besides += 1
        try:
            async with self._beside, self.enter():
                yield
        finally:
            self._besides -= 1

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[None]:
        """Holds one of the few places that streams may have; raises as `enter` does."""
        async with self._stream_turn, self.enter():
            self._streams += 1
            try:
                yield
            finally:
                self._streams -= 1

    async def _wait_out_pause(self) -> None:
        while (left := self._paused_until - self._monotonic()) > 0:
            if left > LONGEST_WAIT:
                raise MailboxUnavailable(self._mailbox, "throttled by Microsoft Graph", left)
            await self._sleep(left)
