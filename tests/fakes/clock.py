"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SettableClock:
    """Fulfils :class:`~shared.ports.Clock`."""

    def __init__(self, now: datetime = datetime(2026, 1, 14, 16, 0, tzinfo=UTC)) -> None:
        self.time = now

    def now(self) -> datetime:
        """The time that the test has set."""
        return self.time

    def advance(self, by: timedelta) -> datetime:
        """Moves on; gives the new time."""
        self.time += by
        return self.time
