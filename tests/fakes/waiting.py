"""Waiting that takes no time."""

from __future__ import annotations


class Hourglass:
    """A clock that only goes forward, and only when somebody sleeps or a test moves it.

    Attributes:
        time: seconds.
        slept: how long it was slept, each time.
    """

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """The time now."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Lets the time pass at once."""
        self.slept.append(seconds)
        self.time += seconds
