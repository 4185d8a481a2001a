"""The queue `polls`."""

from __future__ import annotations

from collections.abc import Sequence

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.queues import Queue
from shared.domain.poll_message import encode_poll

SOURCES_A_MESSAGE = 200
"""Ids have up to 200 characters or so, and a message takes 64 KiB."""


class StoragePollQueue:
    """Fulfils :class:`~shared.ports.PollQueue`."""

    def __init__(self, clients: StorageClients) -> None:
        self._queue = Queue(clients, "polls")

    async def put(self, source_ids: Sequence[str]) -> None:
        """Hands over sources, many in one message."""
        for start in range(0, len(source_ids), SOURCES_A_MESSAGE):
            await self._queue.send(encode_poll(source_ids[start : start + SOURCES_A_MESSAGE]))

    async def length(self) -> int:
        """About how many messages there are, those being worked on included."""
        return await self._queue.length()
