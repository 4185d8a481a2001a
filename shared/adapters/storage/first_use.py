"""Makes a table, queue or container before its first use, once in a process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class FirstUse:
    """Runs something before the first use, and again only after it was forgotten.

    Args:
        make: makes the thing; does no harm where it exists.
    """

    def __init__(self, make: Callable[[], Awaitable[object]]) -> None:
        self._make = make
        self._made = False
        self._making = asyncio.Lock()

    async def ensure(self) -> None:
        """Returns when the thing exists, as far as this process knows."""
        if self._made:
            return
        async with self._making:
            if not self._made:
                await self._make()
                self._made = True

    def forget(self) -> None:
        """Somebody has deleted the thing: the next use makes it again."""
        self._made = False
