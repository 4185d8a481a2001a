"""The queue `outbox`, and the container `outbox` for mails too large for the table."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from shared.adapters.storage.blobs import Container
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.queues import Queue
from shared.domain.outbound.outbox import OutboxMessage

_DAY = re.compile(r"\d{8}")


class StorageOutboxQueue:
    """Fulfils :class:`~shared.outbox_ports.OutboxQueue`."""

    def __init__(self, clients: StorageClients) -> None:
        self._queue = Queue(clients, "outbox")

    async def put(self, message: OutboxMessage, delay: timedelta = timedelta(0)) -> None:
        """Sends a message, to be seen after ``delay``."""
        await self._queue.send(message.encode(), delay)

    async def oldest_waiting(self) -> datetime | None:
        """When the first message that waits for a worker was put; None where none waits."""
        return await self._queue.oldest_visible()


class BlobOutboxContents:
    """Fulfils :class:`~shared.outbox_ports.OutboxContents`."""

    def __init__(self, clients: StorageClients) -> None:
        self._container = Container(clients, "outbox")

    async def store(self, name: str, content: bytes) -> None:
        """Stores one; names are ``YYYYMMDD/…``."""
        await self._container.write(name, content, "application/json")

    async def read(self, name: str) -> bytes | None:
        """One; None where it is gone."""
        return await self._container.read(name)

    async def remove(self, name: str) -> None:
        """Removes one, if it is there."""
        await self._container.delete(name)

    async def expire(self, before: date) -> int:
        """Removes those of all days before a day; gives how many."""
        removed = 0
        for day in await self._container.directories():
            if _DAY.fullmatch(day) is None or day >= f"{before:%Y%m%d}":
                continue
            async for page in self._container.pages(f"{day}/"):
                for blob in page:
                    await self._container.delete(blob.name)
                removed += len(page)
        return removed
