"""Dates, times of day, and the two together (DMN 1.5, 10.3.2.3.4 to .6)."""

import datetime as dt
from functools import total_ordering
from typing import Final

from shared.feel.records import Record

from . import calendar
from .calendar import DAY_NANOS, MAX_YEAR, NANOS
from .durations import fraction
from .zones import Offset, Region, Zone

_MICRO: Final = 1000


@total_ordering
class Date(Record):
    """A day of the proleptic Gregorian calendar. Equal to the `date` of the same day."""

    year: int
    month: int
    day: int

    @classmethod
    def checked(cls, year: int, month: int, day: int) -> "Date | None":
        """Return the date, or None where there is no such day."""
        if abs(year) > MAX_YEAR or not 1 <= month <= 12:  # noqa: PLR2004 - months of a year
            return None
        return cls(year, month, day) if 1 <= day <= calendar.month_days(year, month) else None

    @classmethod
    def of_number(cls, number: int) -> "Date | None":
        """Return the date of a day's number, or None outside the years that FEEL has."""
        date = cls(*calendar.from_day(number))
        return date if abs(date.year) <= MAX_YEAR else None

    @property
    def number(self) -> int:
        """The day's number; 1970-01-01 is 0."""
        return calendar.to_day(self.year, self.month, self.day)

    def plus_months(self, months: int) -> "Date | None":
        """Move by months, or return None outside the years that FEEL has."""
        return Date.checked(*calendar.add_months(self.year, self.month, self.day, months))

    def python(self) -> dt.date | None:
        """Return the same as a `date`, or None where that cannot hold it."""
        if dt.MINYEAR <= self.year <= dt.MAXYEAR:
            return dt.date(self.year, self.month, self.day)
        return None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Date):
            return _fields(self) == _fields(other)
        if isinstance(other, dt.date) and not isinstance(other, dt.datetime):
            return _fields(self) == _fields(other)
        return NotImplemented

    def __lt__(self, other: object) -> bool:
        return _fields(self) < _fields(other) if isinstance(other, Date) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.python() or _fields(self))

    def __str__(self) -> str:
        sign = "-" if self.year < 0 else ""
        return f"{sign}{abs(self.year):04}-{self.month:02}-{self.day:02}"


def _fields(date: Date | dt.date) -> tuple[int, int, int]:
    return date.year, date.month, date.day


class Time(Record):
    """A time of day in nanoseconds since midnight, with or without a zone."""

    nanos: int
    zone: Zone | None = None

    @classmethod
    def of(cls, value: dt.time) -> "Time":
        """Take over a `time`."""
        seconds = value.hour * 3600 + value.minute * 60 + value.second
        offset = value.utcoffset()
        zone = None if offset is None else Offset(int(offset.total_seconds()))
        return cls(seconds * NANOS + value.microsecond * _MICRO, zone)

    @property
    def hour(self) -> int:
        """The hour, 0 to 23."""
        return self.nanos // (3600 * NANOS)

    @property
    def minute(self) -> int:
        """The minute, 0 to 59."""
        return self.nanos // (60 * NANOS) % 60

    @property
    def second(self) -> int:
        """The whole seconds, 0 to 59."""
        return self.nanos // NANOS % 60

    def of_day(self) -> int:
        """The nanoseconds since midnight in UTC; without a zone, of the local day."""
        return self.nanos - (self.zone.of_day() * NANOS if self.zone else 0)

    def python(self) -> dt.time | None:
        """Return the same as a `time`, or None where that cannot hold it."""
        micros, rest = divmod(self.nanos % NANOS, _MICRO)
        if rest or isinstance(self.zone, Region):
            return None
        zone = dt.timezone(dt.timedelta(seconds=self.zone.seconds)) if self.zone else None
        return dt.time(self.hour, self.minute, self.second, micros, zone)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, dt.time):
            other = Time.of(other)
        if isinstance(other, Time):
            alike = (self.zone is None) is (other.zone is None)
            return alike and self.of_day() == other.of_day()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.of_day(), self.zone is None))

    def __str__(self) -> str:
        clock = f"{self.hour:02}:{self.minute:02}:{self.second:02}{fraction(self.nanos % NANOS)}"
        return f"{clock}{self.zone or ''}"


class DateTime(Record):
    """A date with a time; with a zone it is a moment. Equal to the `datetime` of the same."""

    date: Date
    time: Time

    @classmethod
    def of(cls, value: dt.datetime) -> "DateTime":
        """Take over a `datetime`; of its zone the offset is kept, or the region if it is one."""
        time = Time.of(value.timetz())
        offset = value.utcoffset()
        zone: Zone | None = None if offset is None else Offset(int(offset.total_seconds()))
        key = getattr(value.tzinfo, "key", None)
        if isinstance(key, str) and not value.fold:
            zone = Region(key)
        return cls(Date(value.year, value.month, value.day), Time(time.nanos, zone))

    @classmethod
    def of_local(cls, nanos: int, zone: Zone | None) -> "DateTime | None":
        """Return the local date and time that is this long after 1970-01-01T00:00:00."""
        day, rest = divmod(nanos, DAY_NANOS)
        date = Date.of_number(day)
        return None if date is None else cls(date, Time(rest, zone))

    @classmethod
    def of_instant(cls, nanos: int, zone: Zone) -> "DateTime | None":
        """Return, in a zone, the moment that is this long after 1970-01-01T00:00:00Z."""
        day, rest = divmod(nanos, DAY_NANOS)
        return cls.of_local(nanos + zone.at_utc(day, rest) * NANOS, zone)

    @property
    def zone(self) -> Zone | None:
        """The time's zone."""
        return self.time.zone

    @property
    def offset(self) -> int | None:
        """The seconds east of UTC, or None without a zone."""
        zone = self.time.zone
        return None if zone is None else zone.at_local(self.date.number, self.time.nanos)

    @property
    def local(self) -> int:
        """The nanoseconds since 1970-01-01T00:00:00, by the local calendar and clock."""
        return self.date.number * DAY_NANOS + self.time.nanos

    @property
    def instant(self) -> int:
        """The nanoseconds since 1970-01-01T00:00:00Z; without a zone, taken as if in UTC."""
        return self.local - (self.offset or 0) * NANOS

    def python(self) -> dt.datetime | None:
        """Return the same as a `datetime`, or None where that cannot hold it."""
        date, time = self.date.python(), Time(self.time.nanos).python()
        if date is None or time is None:
            return None
        offset = self.offset
        zone = None if offset is None else dt.timezone(dt.timedelta(seconds=offset))
        return dt.datetime.combine(date, time, zone)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, dt.datetime):
            other = DateTime.of(other)
        if isinstance(other, DateTime):
            alike = (self.zone is None) is (other.zone is None)
            return alike and self.instant == other.instant
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.python() or (self.instant, self.zone is None))

    def __str__(self) -> str:
        return f"{self.date}T{self.time}"
