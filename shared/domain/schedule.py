"""When a source is due: a fixed interval, or a six-field cron expression in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from cronsim import CronSim, CronSimError

_FIELDS = 6


@dataclass(frozen=True, slots=True)
class Interval:
    """Every so often, counted from the last poll."""

    every: timedelta

    def next_after(self, moment: datetime) -> datetime:
        """The next time after ``moment``."""
        return moment + self.every


@dataclass(frozen=True, slots=True)
class Cron:
    """Second, minute, hour, day of month, month, day of week; in UTC.

    Raises:
        ValueError: the expression is none, or names a time that never comes.
    """

    expression: str

    def __post_init__(self) -> None:
        if len(self.expression.split()) != _FIELDS:
            raise ValueError("six fields: second minute hour day month weekday")
        try:
            next(self._times(datetime.fromisoformat("2026-01-01T00:00:00+00:00")))
        except (CronSimError, StopIteration):
            raise ValueError(
                "six fields: second minute hour day month weekday, such as 0 */5 * * * *"
            ) from None

    def next_after(self, moment: datetime) -> datetime:
        """The next time after ``moment``."""
        return next(self._times(moment))

    def _times(self, moment: datetime) -> CronSim:
        # Quartz and NCRONTAB users write ? for "no matter which day"
        return CronSim(self.expression.replace("?", "*").upper(), moment)


Schedule: TypeAlias = Interval | Cron
