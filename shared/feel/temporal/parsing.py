"""Reading temporal values from text, in the lexical forms of XML Schema with FEEL's regions."""

import re
from typing import Final

from .calendar import DAY_NANOS, NANOS
from .dates import Date, DateTime, Time
from .durations import DaysDuration, MonthsDuration, nanos_of, parse_duration
from .zones import parse_zone

_DATE: Final = r"(-?[0-9]{4}|-?[1-9][0-9]{4,8})-([0-9]{2})-([0-9]{2})"
_TIME: Final = r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(Z|z|[+-][0-9:]{5,8}|@.+)?"
_DATE_FORM: Final = re.compile(_DATE)
_TIME_FORM: Final = re.compile(_TIME)
_DATE_TIME_FORM: Final = re.compile(f"{_DATE}(?:T{_TIME})?")
_CLOCK: Final = 60
_LAST_HOUR: Final = 24

Temporal = Date | Time | DateTime | DaysDuration | MonthsDuration
_Groups = tuple[str | None, ...]


def parse_date(text: str) -> Date | None:
    """Read `2026-02-28`; None where it is no date."""
    match = _DATE_FORM.fullmatch(text)
    return match and _date(match.groups())


def parse_time(text: str) -> Time | None:
    """Read `10:30:00`, with a fraction and a zone if they are there; None where it is no time."""
    match = _TIME_FORM.fullmatch(text)
    found = match and _time(match.groups())
    # Without a date the end of a day is the beginning of one.
    return Time(found.nanos % DAY_NANOS, found.zone) if found else None


def parse_date_time(text: str) -> DateTime | None:
    """Read a date with a time; a date alone is its midnight. None where it is neither."""
    match = _DATE_TIME_FORM.fullmatch(text)
    if match is None:
        return None
    groups = match.groups()
    date = _date(groups[:3])
    time = Time(0) if groups[3] is None else _time(groups[3:])
    if date is None or time is None:
        return None
    if time.nanos < DAY_NANOS:
        return DateTime(date, time)
    # 24:00:00 is the midnight that the next day begins with.
    return DateTime.of_local((date.number + 1) * DAY_NANOS, time.zone)


def parse_temporal(text: str) -> Temporal | None:
    """Read any temporal value, as `@"…"` holds one (DMN 1.5, 10.3.1.2)."""
    return parse_date(text) or parse_time(text) or parse_date_time(text) or parse_duration(text)


def _date(groups: _Groups) -> Date | None:
    year, month, day = (int(group or 0) for group in groups)
    return Date.checked(year, month, day)


def _time(groups: _Groups) -> Time | None:
    hour, minute, second = (int(group or 0) for group in groups[:3])
    nanos = (hour * 3600 + minute * 60 + second) * NANOS + nanos_of(groups[3])
    if minute >= _CLOCK or second >= _CLOCK or nanos > DAY_NANOS or hour > _LAST_HOUR:
        return None
    zone = parse_zone(groups[4]) if groups[4] else None
    return None if groups[4] and zone is None else Time(nanos, zone)
