"""Counts of mails in memory."""

from __future__ import annotations

from datetime import datetime

from shared.domain.errors import StorageUnavailable


class FakeSendCounts:
    """Fulfils :class:`~shared.outbound_ports.SendCounts`.

    Args:
        counts: by recipient and hour, shared by those that stand for workers.
    """

    def __init__(self, counts: dict[tuple[str, datetime], int] | None = None) -> None:
        self.counts = {} if counts is None else counts
        self.failing = False

    async def add(self, recipient: str, hour: datetime, most: int) -> bool:
        """Counts one mail more, unless there were `most` already."""
        if self.failing:
            raise StorageUnavailable("table sendcounts: answered 503", 503)
        key = (recipient.lower(), hour)
        if self.counts.get(key, 0) >= most:
            return False
        self.counts[key] = self.counts.get(key, 0) + 1
        return True
