"""The two durations: of days and time, and of years and months (DMN 1.5, 10.3.2.3.7 and .8)."""

import re
from datetime import timedelta
from functools import total_ordering
from typing import Final

from shared.feel.records import Record

from .calendar import DAY_NANOS, NANOS

_MICRO: Final = 1000
_DAYS: Final = re.compile(
    r"(-?)P(?=[0-9T])(?:([0-9]{1,12})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,15})H)?(?:([0-9]{1,17})M)?(?:([0-9]{1,18})(?:\.([0-9]*))?S)?)?"
)
_MONTHS: Final = re.compile(r"(-?)P(?=[0-9])(?:([0-9]{1,12})Y)?(?:([0-9]{1,12})M)?")


@total_ordering
class DaysDuration(Record):
    """A number of nanoseconds, negative or not. Equal to a `timedelta` of the same length."""

    nanos: int

    @classmethod
    def of(cls, value: timedelta) -> "DaysDuration":
        """Take over a `timedelta`."""
        seconds = value.days * 86_400 + value.seconds
        return cls(seconds * NANOS + value.microseconds * _MICRO)

    def python(self) -> timedelta | None:
        """Return the same as a `timedelta`, or None where that cannot hold it."""
        micros, rest = divmod(self.nanos, _MICRO)
        try:
            return None if rest else timedelta(microseconds=micros)
        except OverflowError:
            return None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DaysDuration):
            return self.nanos == other.nanos
        if isinstance(other, timedelta):
            return self.nanos == DaysDuration.of(other).nanos
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        if isinstance(other, DaysDuration):
            return self.nanos < other.nanos
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.python() or self.nanos)

    def __str__(self) -> str:
        days, rest = divmod(abs(self.nanos), DAY_NANOS)
        seconds, nanos = divmod(rest, NANOS)
        parts = [f"{days}D"] if days else []
        clock = [
            f"{amount}{unit}"
            for amount, unit in ((seconds // 3600, "H"), (seconds // 60 % 60, "M"))
            if amount
        ]
        if seconds % 60 or nanos:
            clock.append(f"{seconds % 60}{fraction(nanos)}S")
        if clock or not days:
            parts.append("T" + ("".join(clock) or "0S"))
        return ("-P" if self.nanos < 0 else "P") + "".join(parts)


@total_ordering
class MonthsDuration(Record):
    """A number of months, negative or not."""

    months: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MonthsDuration) and self.months == other.months

    def __lt__(self, other: object) -> bool:
        if isinstance(other, MonthsDuration):
            return self.months < other.months
        return NotImplemented

    def __hash__(self) -> int:
        return hash(("months", self.months))

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return ("-P" if self.months < 0 else "P") + text


def fraction(nanos: int) -> str:
    """Write a fraction of a second, with its point and without idle zeros; empty for none."""
    return f".{nanos:09}".rstrip("0") if nanos else ""


def nanos_of(digits: str | None) -> int:
    """Read the digits of a fraction of a second; beyond nanoseconds they are dropped."""
    return int((digits or "0")[:9].ljust(9, "0"))


def parse_duration(text: str) -> DaysDuration | MonthsDuration | None:
    """Read an ISO 8601 duration of either kind; None where it is neither."""
    months = _MONTHS.fullmatch(text)
    if months is not None:
        total = int(months[2] or 0) * 12 + int(months[3] or 0)
        return MonthsDuration(-total if months[1] else total)
    match = _DAYS.fullmatch(text)
    if match is None:
        return None
    sign, days, hours, minutes, seconds, digits = match.groups()
    whole = int(days or 0) * 86_400 + int(hours or 0) * 3600 + int(minutes or 0) * 60
    nanos = (whole + int(seconds or 0)) * NANOS + nanos_of(digits)
    return DaysDuration(-nanos if sign else nanos)
