"""Functions that make one type of another (DMN 1.5, 10.3.4.1)."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from shared.feel.diagnostics import UnfitError
from shared.feel.engine.arithmetic import days_duration, months_duration
from shared.feel.numbers import EXACT
from shared.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Offset, Time
from shared.feel.temporal.calendar import MAX_YEAR, NANOS
from shared.feel.temporal.durations import parse_duration
from shared.feel.temporal.parsing import parse_date, parse_date_time, parse_time
from shared.feel.temporal.zones import MAX_OFFSET, UTC, region
from shared.feel.text import to_text
from shared.feel.values import Range, Value

from .literals import read_number, read_range
from .registry import builtin

if TYPE_CHECKING:
    from shared.feel.engine.runtime import Runtime

_CLOCK: Final = ((24, "hour"), (60, "minute"), (60, "second"))


def _must(value: Value, what: str) -> Value:
    if value is None:
        raise UnfitError(f"there is no such {what}")
    return value


@builtin("date(from: string)")
def _date_of_text(text: str) -> Value:
    return _must(parse_date(text), "date")


@builtin("date(from: date|date and time)")
def _date_of(value: Date | DateTime) -> Value:
    return value.date if isinstance(value, DateTime) else value


@builtin("date(year: number, month: number, day: number)")
def _date_of_parts(year: Decimal, month: Decimal, day: Decimal) -> Value:
    if max(part.copy_abs() for part in (year, month, day)) > MAX_YEAR:
        raise UnfitError("there is no such date")
    return _must(Date.checked(int(year), int(month), int(day)), "date")


@builtin("time(from: string)")
def _time_of_text(text: str) -> Value:
    return _must(parse_time(text), "time")


@builtin("time(from: date|time|date and time)")
def _time_of(value: Date | Time | DateTime) -> Value:
    if isinstance(value, Date):
        return Time(0, UTC)
    return value.time if isinstance(value, DateTime) else value


@builtin("time(hour: number, minute: number, second: number, [offset: days and time duration?])")
def _time_of_parts(
    hour: Decimal, minute: Decimal, second: Decimal, offset: DaysDuration | None = None
) -> Value:
    for amount, (limit, name) in zip((hour, minute, second), _CLOCK, strict=True):
        if not 0 <= amount < limit:
            raise UnfitError(f"there is no such {name}")
    nanos = (int(hour) * 3600 + int(minute) * 60) * NANOS + int(
        EXACT.multiply(second, Decimal(NANOS))
    )
    return Time(nanos, None if offset is None else _offset(offset))


def _offset(offset: DaysDuration) -> Offset:
    seconds = abs(offset.nanos) // NANOS
    if seconds > MAX_OFFSET:
        raise UnfitError("the offset is more than 18 hours")
    return Offset(-seconds if offset.nanos < 0 else seconds)


@builtin("date and time(from: string)")
def _date_time_of_text(text: str) -> Value:
    return _must(parse_date_time(text), "date and time")


@builtin("date and time(date: date|date and time, time: time)")
def _date_time_of(date: Date | DateTime, time: Time) -> Value:
    return DateTime(date.date if isinstance(date, DateTime) else date, time)


@builtin("date and time(date: date and time, timezone: string)")
def _date_time_in_region(value: DateTime, name: str) -> Value:
    zone = _must(region(name), "time zone")
    # A date and time without a zone is taken as UTC, as the engine's own clock would be.
    return _must(DateTime.of_instant(value.instant, zone), "date and time")


_PARTS: Final = "year: number, month: number, day: number, hour: number, minute: number"


@builtin(
    f"date and time({_PARTS}, second: number, [offset: days and time duration?])",
)
def _date_time_of_parts(  # noqa: PLR0917 - as many as the standard has
    year: Decimal,
    month: Decimal,
    day: Decimal,
    hour: Decimal,
    minute: Decimal,
    second: Decimal,
    offset: DaysDuration | None = None,
) -> Value:
    return DateTime(_date_of_parts(year, month, day), _time_of_parts(hour, minute, second, offset))


@builtin(f"date and time({_PARTS}, second: number, timezone: string)")
def _date_time_of_parts_in_region(  # noqa: PLR0917 - the same
    year: Decimal,
    month: Decimal,
    day: Decimal,
    hour: Decimal,
    minute: Decimal,
    second: Decimal,
    name: str,
) -> Value:
    time = _time_of_parts(hour, minute, second)
    return DateTime(_date_of_parts(year, month, day), Time(time.nanos, _must(region(name), "zone")))


@builtin("duration(from: string)")
def _duration(text: str) -> Value:
    found = _must(parse_duration(text), "duration")
    if isinstance(found, DaysDuration):
        return days_duration(found.nanos)
    return months_duration(found.months)


@builtin("years and months duration(from: date|date and time, to: date|date and time)")
def _years_and_months_duration(start: Date | DateTime, end: Date | DateTime) -> Value:
    one, other = _date_of(start), _date_of(end)
    backwards = other.number < one.number
    if backwards:
        one, other = other, one
    months = (other.year - one.year) * 12 + other.month - one.month
    if other.day < one.day:
        months -= 1
    return MonthsDuration(-months if backwards else months)


@builtin("number(from: string, [grouping separator: string?], [decimal separator: string?])")
def _number(text: str, grouping: str | None = None, decimal: str | None = None) -> Value:
    return _must(read_number(text, grouping, decimal), "number")


@builtin("string(from: any)")
def _string(rt: "Runtime", value: Value) -> Value:
    # A list may hold another one many times over; its text would hold all of them.
    rt.measure(value)
    return None if value is None else to_text(value)


@builtin("range(from: string)")
def _range(text: str) -> Value:
    found: Range | None = read_range(text)
    return _must(found, "range")
