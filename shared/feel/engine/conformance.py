"""Which values belong to a type, and the implicit conversions (DMN 1.5, 10.3.2.9)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from shared.feel.diagnostics import UnfitError
from shared.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from shared.feel.temporal.zones import UTC
from shared.feel.types import (
    ANY,
    ContextType,
    FeelType,
    FunctionType,
    ListType,
    NamedType,
    RangeType,
)
from shared.feel.values import Function, Range, Value, kind_of

Charge = Callable[[int], None]

_CLASSES: Final[dict[str, type]] = {
    "Null": type(None),
    "number": Decimal,
    "string": str,
    "boolean": bool,
    "date": Date,
    "time": Time,
    "date and time": DateTime,
    "days and time duration": DaysDuration,
    "years and months duration": MonthsDuration,
    "list": list,
    "context": dict,
    "function": Function,
    "range": Range,
}


def instance_of(value: Value, kind: FeelType, charge: Charge) -> bool:
    """Tell whether a value belongs to a type; null belongs to `Null` alone.

    Args:
        value: The value.
        kind: The type.
        charge: Told the number of elements looked at.

    Raises:
        UnfitError: The type is one that nobody defined.
    """
    if isinstance(kind, NamedType):
        return _is_named(value, kind.name)
    if isinstance(kind, ListType):
        if type(value) is not list:
            return False
        charge(len(value))
        return all(_fits(item, kind.item, charge) for item in value)
    if isinstance(kind, ContextType):
        return type(value) is dict and all(
            name in value and _fits(value[name], inner, charge) for name, inner in kind.entries
        )
    if isinstance(kind, RangeType):
        ends = (value.start, value.end) if type(value) is Range else ()
        return bool(ends) and all(_fits(end, kind.item, charge) for end in ends)
    return type(value) is Function and _same_signature(value, kind)


def _is_named(value: Value, name: str) -> bool:
    if name == "Any":
        return value is not None
    if name not in _CLASSES and value is not None:
        raise UnfitError(f"there is no type '{name}'")
    return type(value) is _CLASSES.get(name)


def _fits(value: Value, kind: FeelType, charge: Charge) -> bool:
    # Null is a value of every type, once it is inside something.
    return value is None or instance_of(value, kind, charge)


def _same_signature(function: Function, kind: FunctionType) -> bool:
    parameters = function.parameters
    return len(parameters) == len(kind.parameters) and all(
        declared is None or ANY in (declared, wanted) or declared == wanted
        for (_, declared), wanted in zip(parameters, kind.parameters, strict=True)
    )


def conform(value: Value, kind: FeelType, charge: Charge) -> Value:
    """Return the value as one of that type, converted as 10.3.2.9.4 allows.

    A list of one becomes its element, an element a list of one, and a date its midnight in UTC.

    Raises:
        UnfitError: The value is none of that type.
    """
    if value is None or instance_of(value, kind, charge):
        return value
    if type(value) is list and len(value) == 1 and instance_of(value[0], kind, charge):
        return value[0]
    if (
        isinstance(kind, ListType)
        and type(value) is not list
        and instance_of(value, kind.item, charge)
    ):
        return [value]
    if type(value) is Date and kind == NamedType("date and time"):
        return DateTime(value, Time(0, UTC))
    raise UnfitError(f"a {kind_of(value)} is no {kind}")
