"""Folders that mail is moved to: looked up once, and again after a while, or when one is missed."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from shared.ports import MailboxAddress

GOOD_FOR = 900.0
"""Seconds that a look-up is believed: a folder that was deleted keeps its id, in Deleted Items."""

_Key: TypeAlias = tuple[MailboxAddress, str]


class Resolve(Protocol):
    """Looks a folder up by its path."""

    def __call__(self, address: MailboxAddress, path: str, /, *, create: bool) -> Awaitable[str]:
        """The folder's id."""
        ...


class Destinations:
    """Ids of folders by mailbox and path.

    Args:
        resolve: looks a folder up, by requests.
        monotonic: seconds of a clock that only goes forward.
    """

    def __init__(self, resolve: Resolve, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._resolve = resolve
        self._monotonic = monotonic
        self._found: dict[_Key, tuple[str, float]] = {}
        self._looking: defaultdict[_Key, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def find(self, address: MailboxAddress, path: str, *, create: bool) -> str:
        """The id of a folder. One caller looks it up; those that come meanwhile wait for it."""
        key = address, path
        async with self._looking[key]:
            folder_id, since = self._found.get(key, ("", 0.0))
            if not folder_id or self._monotonic() - since > GOOD_FOR:
                folder_id = await self._resolve(address, path, create=create)
                self._found[key] = folder_id, self._monotonic()
            return folder_id

    def forget(self, address: MailboxAddress, path: str, folder_id: str) -> None:
        """Has a folder looked up anew, unless somebody has done that already."""
        if self._found.get((address, path), ("", 0.0))[0] == folder_id:
            del self._found[address, path]
