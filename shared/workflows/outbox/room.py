"""Room in memory for mails that do not lie in the table: each may have many megabytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.domain.outbound.outbox import OutboxItem, SendState
from shared.workflows.memory_budget import MemoryBudget, Turns

BYTES = 256 * 1024 * 1024
"""What all of them may take at once; one that needs more has it for itself."""

WEIGHT = 3
"""Bytes that one byte of a stored mail takes: as it is stored, decoded, and as it is sent."""

STREAM_WEIGHT = 8 * 1024 * 1024
"""Bytes that a document takes on its way to Graph, part by part."""

_WITHOUT_DRAFT = {SendState.ACCEPTED, SendState.DRAFTING}


class Room:
    """Lets mails in as long as there is memory, and of one mailbox a few: it may be slow.

    Args:
        total: bytes.
    """

    def __init__(self, total: int = BYTES) -> None:
        self._memory = MemoryBudget(total)
        self._turns = Turns()

    @asynccontextmanager
    async def of(self, item: OutboxItem) -> AsyncIterator[None]:
        """Holds what a send needs: nothing, where its mail lies in the table or is a draft."""
        if not item.blob or item.state not in _WITHOUT_DRAFT:
            yield
            return
        async with (
            self._turns.of(item.mailbox),
            self._memory.hold(WEIGHT * item.size + STREAM_WEIGHT),
        ):
            yield
