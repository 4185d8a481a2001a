"""Addition to exponentiation over numbers, strings and temporal values (DMN 1.5, 10.3.2.13).

Each function takes two operands that are not both numbers with a finite result, and raises
`UnfitError` where they have none.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, NoReturn

from shared.feel.diagnostics import UnfitError
from shared.feel.numbers import EXACT, NUMBERS, ZERO
from shared.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from shared.feel.temporal.calendar import DAY_NANOS
from shared.feel.temporal.zones import UTC
from shared.feel.values import Value, kind_of

MAX_NANOS: Final = 10**27
"""The longest duration of days and time: about thirty thousand million years."""

MAX_MONTHS: Final = 12 * 10**12

Operation = Callable[[Value, Value], Value]


def add(left: Value, right: Value) -> Value:
    """`left + right`."""
    if type(left) is str and type(right) is str:
        return left + right
    if type(left) in (DaysDuration, MonthsDuration) and type(right) in (Date, DateTime, Time):
        left, right = right, left
    if type(right) is MonthsDuration:
        return _plus_months(left, right.months)
    if type(right) is DaysDuration:
        return _plus_nanos(left, right.nanos)
    return _number(NUMBERS.add, left, right, "added")


def subtract(left: Value, right: Value) -> Value:
    """`left - right`."""
    if type(right) is MonthsDuration:
        return _plus_months(left, -right.months)
    if type(right) is DaysDuration:
        return _plus_nanos(left, -right.nanos)
    if type(left) in (Date, DateTime) and type(right) in (Date, DateTime):
        return _between(left, right)
    if type(left) is Time and type(right) is Time:
        if (left.zone is None) is not (right.zone is None):
            raise UnfitError("of two times, one has a zone and one has none")
        return DaysDuration(left.of_day() - right.of_day())
    return _number(NUMBERS.subtract, left, right, "subtracted")


def multiply(left: Value, right: Value) -> Value:
    """`left * right`."""
    if type(left) is Decimal and type(right) in (DaysDuration, MonthsDuration):
        left, right = right, left
    if type(right) is Decimal:
        if type(left) is DaysDuration:
            return days_duration(int(EXACT.multiply(Decimal(left.nanos), _modest(right))))
        if type(left) is MonthsDuration:
            return months_duration(int(EXACT.multiply(Decimal(left.months), _modest(right))))
    return _number(NUMBERS.multiply, left, right, "multiplied")


def divide(left: Value, right: Value) -> Value:
    """`left / right`."""
    if type(left) is type(right) and type(left) in (DaysDuration, MonthsDuration):
        return _number(NUMBERS.divide, _amount(left), _amount(right), "divided")
    if type(right) is Decimal and type(left) in (DaysDuration, MonthsDuration):
        quotient = int(_number(NUMBERS.divide, _amount(left), _modest(right), "divided"))
        exact = type(left) is DaysDuration
        return days_duration(quotient) if exact else months_duration(quotient)
    return _number(NUMBERS.divide, left, right, "divided")


def power(left: Value, right: Value) -> Value:
    """`left ** right`."""
    if left == right == ZERO and type(left) is type(right) is Decimal:
        return Decimal(1)
    return _number(NUMBERS.power, left, right, "raised to a power")


OPERATIONS: Final[dict[str, tuple[Callable[[Decimal, Decimal], Decimal], Operation]]] = {
    "+": (NUMBERS.add, add),
    "-": (NUMBERS.subtract, subtract),
    "*": (NUMBERS.multiply, multiply),
    "/": (NUMBERS.divide, divide),
    "**": (NUMBERS.power, power),
}
"""For each operator: what to try on two numbers, and what to do with all else."""


def negate(value: Value) -> Value:
    """`-value`."""
    if type(value) is Decimal:
        return value.copy_negate() if value else value
    if type(value) is DaysDuration:
        return DaysDuration(-value.nanos)
    if type(value) is MonthsDuration:
        return MonthsDuration(-value.months)
    raise UnfitError(f"a {kind_of(value)} cannot be negated")


def days_duration(nanos: int) -> DaysDuration:
    """Return a duration of that many nanoseconds, or raise where it is absurdly long."""
    if abs(nanos) > MAX_NANOS:
        raise UnfitError("the duration is too long")
    return DaysDuration(nanos)


def months_duration(months: int) -> MonthsDuration:
    """Return a duration of that many months, or raise where it is absurdly long."""
    if abs(months) > MAX_MONTHS:
        raise UnfitError("the duration is too long")
    return MonthsDuration(months)


def _number(operation: Operation, left: Value, right: Value, verb: str) -> Decimal:
    if type(left) is not Decimal or type(right) is not Decimal:
        raise UnfitError(f"a {kind_of(left)} and a {kind_of(right)} cannot be {verb}")
    result: Decimal = operation(left, right)
    if not result.is_finite():
        raise UnfitError("the result is no number, or too large for one")
    return result


def _amount(duration: DaysDuration | MonthsDuration) -> Decimal:
    return Decimal(duration.nanos if isinstance(duration, DaysDuration) else duration.months)


def _modest(number: Decimal) -> Decimal:
    # Keeps the exact product small; a duration times more than this is too long anyway.
    if number and abs(number.adjusted()) > 40:  # noqa: PLR2004 - more digits than MAX_NANOS has
        if number.adjusted() > 0:
            raise UnfitError("the duration is too long")
        return Decimal(0)
    return number


def _plus_months(value: Value, months: int) -> Value:
    if type(value) is MonthsDuration:
        return months_duration(value.months + months)
    if type(value) is Date:
        return _exists(value.plus_months(months))
    if type(value) is DateTime:
        return DateTime(_exists(value.date.plus_months(months)), value.time)
    return _refuse(value, "years and months duration")


def _plus_nanos(value: Value, nanos: int) -> Value:
    if type(value) is DaysDuration:
        return days_duration(value.nanos + nanos)
    if type(value) is Date:
        # A date counts as the midnight it begins with (10.3.2.3).
        return _exists(Date.of_number((value.number * DAY_NANOS + nanos) // DAY_NANOS))
    if type(value) is Time:
        return Time((value.nanos + nanos) % DAY_NANOS, value.zone)
    if type(value) is DateTime:
        if value.zone is None:
            return _exists(DateTime.of_local(value.local + nanos, None))
        return _exists(DateTime.of_instant(value.instant + nanos, value.zone))
    return _refuse(value, "days and time duration")


def _between(left: Date | DateTime, right: Date | DateTime) -> DaysDuration:
    # A date beside a date and time is its midnight in UTC (10.3.2.3).
    one = left if isinstance(left, DateTime) else DateTime(left, Time(0, UTC))
    other = right if isinstance(right, DateTime) else DateTime(right, Time(0, UTC))
    if (one.zone is None) is not (other.zone is None):
        raise UnfitError("of two dates and times, one has a zone and one has none")
    return DaysDuration(one.instant - other.instant)


def _exists(value: Value) -> Value:
    if value is None:
        raise UnfitError("the date is outside the years that FEEL has")
    return value


def _refuse(value: Value, duration: str) -> NoReturn:
    raise UnfitError(f"a {duration} cannot be added to or subtracted from a {kind_of(value)}")
