"""Equality, order, and belonging (DMN 1.5, 10.3.2.2 and 10.3.2.7)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from shared.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from shared.feel.temporal.calendar import NANOS
from shared.feel.values import Range, Value

from .runtime import Runtime

_PLAIN: Final = frozenset((str, bool, Decimal, Date, DaysDuration, MonthsDuration))
_ORDERED: Final = frozenset((str, Decimal, Date, DaysDuration, MonthsDuration))


def equal(left: Value, right: Value, rt: Runtime) -> bool | None:
    """Return whether two values are equal, or None where their types cannot be compared.

    Times are compared by their whole seconds, as the standard compares properties that have no
    fraction; the order of times is exact.
    """
    kind = type(left)
    if kind is not type(right):
        return False if left is None or right is None else None
    if kind in _PLAIN:
        return bool(left == right)
    compare = _COMPARISONS.get(kind)
    return left is right if compare is None else compare(left, right, rt)


def _equal_moments(left: DateTime, right: DateTime, _: Runtime) -> bool | None:
    if (left.zone is None) is not (right.zone is None):
        return None
    return left.instant // NANOS == right.instant // NANOS


def _equal_times(left: Time, right: Time, _: Runtime) -> bool | None:
    if (left.zone is None) is not (right.zone is None):
        return None
    return left.of_day() // NANOS == right.of_day() // NANOS


def _equal_lists(left: list[Value], right: list[Value], rt: Runtime) -> bool:
    rt.charge(len(left))
    return len(left) == len(right) and all(
        equal(one, other, rt) is True for one, other in zip(left, right, strict=True)
    )


def _equal_contexts(left: dict[str, Value], right: dict[str, Value], rt: Runtime) -> bool:
    rt.charge(len(left))
    return left.keys() == right.keys() and all(
        equal(value, right[name], rt) is True for name, value in left.items()
    )


def _equal_ranges(left: Range, right: Range, rt: Runtime) -> bool:
    rt.charge()
    return (
        left.operator == right.operator
        and left.start_included is right.start_included
        and left.end_included is right.end_included
        and equal(left.start, right.start, rt) is True
        and equal(left.end, right.end, rt) is True
    )


_COMPARISONS: Final[dict[type, Callable[[Any, Any, Runtime], bool | None]]] = {
    list: _equal_lists,
    dict: _equal_contexts,
    DateTime: _equal_moments,
    Time: _equal_times,
    Range: _equal_ranges,
}


def order(left: Value, right: Value) -> int | None:
    """Return -1, 0 or 1 for less, the same or greater; None where there is no order."""
    kind = type(left)
    if kind is not type(right):
        return None
    if kind in _ORDERED:
        return int(left > right) - int(left < right)
    if kind is DateTime or kind is Time:
        if (left.zone is None) is not (right.zone is None):
            return None
        one, other = (
            (left.instant, right.instant) if kind is DateTime else (left.of_day(), right.of_day())
        )
        return int(one > other) - int(one < other)
    return None


def includes(bounds: Range, value: Value, rt: Runtime) -> bool | None:
    """Return whether a value lies in a range, or None where it cannot be compared with it."""
    if bounds.operator in ("=", "!="):
        same = equal(value, bounds.start, rt)
        return same if same is None or bounds.operator == "=" else not same
    if bounds.start is not None:
        low = order(value, bounds.start)
        if low is None:
            return None
        if low < 0 or (low == 0 and not bounds.start_included):
            return False
    if bounds.end is not None:
        high = order(value, bounds.end)
        if high is None:
            return None
        return high < 0 or (high == 0 and bounds.end_included)
    return True


def belongs(value: Value, test: Value, rt: Runtime) -> bool | None:
    """Return whether a value passes a test: it is in the range or the list, or equal to it."""
    if type(test) is Range:
        return includes(test, value, rt)
    if type(test) is list:
        rt.charge(len(test))
        for item in test:
            if type(item) is Range and includes(item, value, rt) is True:
                return True
            if equal(value, item, rt) is True:
                return True
        return type(value) is list and equal(value, test, rt) is True
    return equal(value, test, rt)
