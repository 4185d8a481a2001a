"""What the outbox needs from outside, as protocols.

Every method may raise :class:`~shared.domain.errors.StorageUnavailable`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Protocol

from shared.domain.outbound.outbox import OutboxItem, OutboxMessage, SendId


class OutboxTable(Protocol):
    """All sends, the memory that keeps mail from being lost or sent twice.

    One worker at a time may change one: each write names the version that it changes.
    """

    async def add(self, item: OutboxItem) -> OutboxItem | None:
        """Stores a new send.

        Returns:
            the item with its version, or None where its key is known already.
        """
        ...

    async def read(self, identity: SendId) -> OutboxItem | None:
        """One send; None where it is not known."""
        ...

    async def write(self, item: OutboxItem) -> OutboxItem | None:
        """Stores what changes in the course of a send, if nobody has changed it since it was read.

        Returns:
            the item with its new version, or None where somebody else was faster.
        """
        ...

    def overdue(self, before: datetime) -> AsyncIterator[OutboxItem]:
        """Sends not at their end whose `due_at` lies before a time; without their content."""
        ...

    async def purge(self, before: datetime) -> int:
        """Forgets sends that ended before a time. Gives how many."""
        ...


class OutboxQueue(Protocol):
    """The queue `outbox`."""

    async def put(self, message: OutboxMessage, delay: timedelta = timedelta(0)) -> None:
        """Sends a message, to be seen after ``delay``."""
        ...

    async def oldest_waiting(self) -> datetime | None:
        """When the first message that waits for a worker was put; None where none waits."""
        ...


class OutboxContents(Protocol):
    """Mails that are too large for the table, or have files, by name."""

    async def store(self, name: str, content: bytes) -> None:
        """Stores one; names are ``YYYYMMDD/…``."""
        ...

    async def read(self, name: str) -> bytes | None:
        """One; None where it is gone."""
        ...

    async def remove(self, name: str) -> None:
        """Removes one, if it is there."""
        ...

    async def expire(self, before: date) -> int:
        """Removes those of all days before a day, which a crash may have left; gives how many."""
        ...
