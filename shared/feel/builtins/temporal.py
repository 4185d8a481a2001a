"""Functions of dates and times (DMN 1.5, 10.3.4.6 and 10.3.4.8, and Camunda's)."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from shared.feel.engine.comparison import equal
from shared.feel.temporal import Date, DateTime, Time
from shared.feel.temporal.calendar import month_days, to_day, week_of_year, weekday
from shared.feel.values import Value

from .registry import builtin

if TYPE_CHECKING:
    from shared.feel.engine.runtime import Runtime

_WEEKDAYS: Final = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@builtin("now()")
def _now(rt: "Runtime") -> Value:
    return rt.now()


@builtin("today()")
def _today(rt: "Runtime") -> Value:
    return rt.now().date


def _date(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


@builtin("day of year(date: date|date and time)")
def _day_of_year(value: Date | DateTime) -> Value:
    date = _date(value)
    return Decimal(date.number - to_day(date.year, 1, 1) + 1)


@builtin("day of week(date: date|date and time)")
def _day_of_week(value: Date | DateTime) -> Value:
    return _WEEKDAYS[weekday(_date(value).number) - 1]


@builtin("month of year(date: date|date and time)")
def _month_of_year(value: Date | DateTime) -> Value:
    return _MONTHS[_date(value).month - 1]


@builtin("week of year(date: date|date and time)")
def _week_of_year(value: Date | DateTime) -> Value:
    return Decimal(week_of_year(_date(value).number))


@builtin("last day of month(date: date|date and time)")
def _last_day_of_month(value: Date | DateTime) -> Value:
    date = _date(value)
    return Date(date.year, date.month, month_days(date.year, date.month))


@builtin("is([value1: any], [value2: any])")
def _is(rt: "Runtime", one: Value = None, other: Value = None) -> Value:
    # Unlike `=`, the zone counts as it is written, and every nanosecond (10.3.4.6).
    if type(one) is not type(other):
        return False
    if isinstance(one, (Time, DateTime)):
        return str(one) == str(other)
    return equal(one, other, rt) is True
