"""How much memory may be held at once by all that runs: a semaphore that counts bytes."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class MemoryBudget:
    """Lets holders in, first come, first served, as long as there is room.

    Whoever holds a part of it does not ask for more: two who did would wait for each other.

    Args:
        total: bytes.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._free = total
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @property
    def free(self) -> int:
        """Bytes that nobody holds."""
        return self._free

    @asynccontextmanager
    async def hold(self, amount: int) -> AsyncIterator[None]:
        """Holds so many bytes; more than there are in all: all of them, alone."""
        amount = min(amount, self._total)
        async with self._turn:  # its waiters are served in order: a large one is not starved
            while self._free < amount:
                self._freed.clear()
                await self._freed.wait()
            self._free -= amount
        try:
            yield
        finally:  # without an await: nothing can cancel the giving back
            self._free += amount
            self._freed.set()


MAILS_AT_ONCE = 2
"""Mails of one mailbox whose documents are kept at once; a mailbox serves four requests."""


class Turns:
    """Lets so many tasks of one mailbox through, first come, first served."""

    def __init__(self) -> None:
        self._places: weakref.WeakValueDictionary[str, asyncio.Semaphore] = (
            weakref.WeakValueDictionary()
        )

    @asynccontextmanager
    async def of(self, mailbox: str) -> AsyncIterator[None]:
        """Holds a place of a mailbox."""
        places = self._places.get(mailbox.lower())
        if places is None:
            places = self._places[mailbox.lower()] = asyncio.Semaphore(MAILS_AT_ONCE)
        async with places:
            yield
