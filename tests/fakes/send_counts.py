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
        self._fail()
        key = (recipient.lower(), hour)
        if self.counts.get(key, 0) >= most:
            return False
        self.counts[key] = self.counts.get(key, 0) + 1
        return True

    async def take_back(self, recipient: str, hour: datetime) -> None:
        """Counts one mail less."""
        self._fail()
        key = (recipient.lower(), hour)
        self.counts[key] = max(0, self.counts.get(key, 0) - 1)

    def _fail(self) -> None:
        if self.failing:
            raise StorageUnavailable("table sendcounts: answered 503", 503)
