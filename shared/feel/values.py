"""The values of the language as Python objects, and taking values in from outside.

| FEEL | Python |
|---|---|
| number | `Decimal`, finite, 34 digits |
| string, boolean, null | `str`, `bool`, `None` |
| list, context | `list`, `dict` with `str` keys |
| date, time, date and time | `Date`, `Time`, `DateTime` |
| durations | `DaysDuration`, `MonthsDuration` |
| range, function | `Range`, `Function` |
"""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from .errors import FeelLimitError
from .numbers import NUMBERS
from .records import Record
from .temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from .types import FeelType

Value: TypeAlias = Any
"""Any value of the table above. The language is dynamically typed, and so is this."""


class Range(Record):
    """The values between two ends. An end that is `None` is not there: `>= 10` has no upper one.

    Attributes:
        start: The lower end, or None.
        end: The upper end, or None.
        start_included: Whether the lower end belongs to it.
        end_included: Whether the upper end does.
        operator: For a range written as a test, such as `(< 10)`, its operator; else empty. Two
            ranges that were written differently are not equal. That of `(= 10)` has its value as
            `start`, and no `end`.
    """

    start: Value
    end: Value
    start_included: bool = True
    end_included: bool = True
    operator: str = ""

    __hash__ = None  # type: ignore[assignment] # its ends may be lists


class Function:
    """A function as a value: one that an expression defined.

    Attributes:
        name: Its name, for messages; empty for one without.
        parameters: Names and declared types, in order.
        call: What runs it, given a runtime and arguments in order.
    """

    __slots__ = ("call", "name", "parameters")

    def __init__(
        self,
        name: str,
        parameters: tuple[tuple[str, FeelType | None], ...],
        call: Callable[..., Value],
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.call = call

    def __repr__(self) -> str:
        return f"Function({self.name or ', '.join(name for name, _ in self.parameters)})"


NATIVE: Final = frozenset(
    (str, bool, type(None), Date, Time, DateTime, DaysDuration, MonthsDuration, Range, Function)
)
"""Types whose objects are values as they are, with nothing inside to look at."""

_KIND_NAMES: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    str: "string",
    Decimal: "number",
    list: "list",
    dict: "context",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    DaysDuration: "days and time duration",
    MonthsDuration: "years and months duration",
    Range: "range",
    Function: "function",
}


def kind_of(value: Value) -> str:
    """Return the name of a value's type in FEEL."""
    return _KIND_NAMES.get(type(value), "unknown")


def _number(value: Any) -> Value:
    number = NUMBERS.create_decimal(repr(value) if isinstance(value, float) else value)
    return number if number.is_finite() else None


_CONVERSIONS: Final[tuple[tuple[type, Callable[[Any], Value]], ...]] = (
    (bool, bool),
    (int, _number),
    (float, _number),
    (Decimal, _number),
    # Not `str`, by which the member of an enumeration says its name.
    (str, str.__str__),
    (dt.datetime, DateTime.of),
    (dt.date, lambda value: Date(value.year, value.month, value.day)),
    (dt.time, Time.of),
    (dt.timedelta, DaysDuration.of),
)


def adopt(value: Any, charge: Callable[[int], None], depth: int, level: int = 0) -> Value:
    """Turn an object from outside into a value, at every depth.

    What is a value already is returned as it is, so JSON without numbers costs a look and no copy.
    An object of any other type becomes null: nothing of Python is reachable through it.

    Args:
        value: The object: JSON, `Decimal`, `datetime` types, mappings, lists, tuples, values.
        charge: Told the number of elements looked at.
        depth: How many levels deep the value may be.
        level: The level that this object is at.

    Raises:
        FeelLimitError: It is deeper, or holds itself.
    """
    kind = type(value)
    if kind in NATIVE:
        return value
    if kind is Decimal:
        return _number(value)
    if kind is list or kind is tuple or isinstance(value, (list, tuple)):
        if level == depth:
            raise FeelLimitError("depth", depth)
        charge(len(value))
        items = [
            item if type(item) in NATIVE else adopt(item, charge, depth, level + 1)
            for item in value
        ]
        same = kind is list and all(map(_is, items, value))
        return value if same else items
    if kind is dict or isinstance(value, Mapping):
        if level == depth:
            raise FeelLimitError("depth", depth)
        charge(len(value))
        entries = {
            name if type(name) is str else str(name): item
            if type(item) in NATIVE
            else adopt(item, charge, depth, level + 1)
            for name, item in value.items()
        }
        same = kind is dict and all(map(_is, entries.values(), value.values()))
        return value if same else entries
    for source, convert in _CONVERSIONS:
        if isinstance(value, source):
            return convert(value)
    return None


def _is(left: object, right: object) -> bool:
    return left is right
