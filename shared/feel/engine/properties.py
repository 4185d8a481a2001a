"""What stands after a dot: entries of contexts, properties of values (DMN 1.5, 10.3.2.3)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from shared.feel.diagnostics import WarningKind
from shared.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Region, Time
from shared.feel.temporal.calendar import DAY_NANOS, NANOS, weekday
from shared.feel.values import Range, Value, kind_of

from .runtime import MISSING, Runtime


def _offset(value: Time | DateTime) -> DaysDuration | None:
    if value.zone is None:
        return None
    seconds = value.offset if isinstance(value, DateTime) else value.zone.of_day()
    return None if seconds is None else DaysDuration(seconds * NANOS)


def _region(value: Time | DateTime) -> str | None:
    return value.zone.name if isinstance(value.zone, Region) else None


def _part(unit: int, limit: int) -> Callable[[DaysDuration], Decimal]:
    """Return a reader of one component of a duration, with the duration's sign."""

    def read(value: DaysDuration) -> Decimal:
        amount = abs(value.nanos) // unit % limit
        return Decimal(-amount if value.nanos < 0 else amount)

    return read


def _months_part(value: MonthsDuration, *, years: bool) -> Decimal:
    amount = divmod(abs(value.months), 12)[0 if years else 1]
    return Decimal(-amount if value.months < 0 else amount)


_DATE: Final[dict[str, Callable[[Date], Value]]] = {
    "year": lambda value: Decimal(value.year),
    "month": lambda value: Decimal(value.month),
    "day": lambda value: Decimal(value.day),
    "weekday": lambda value: Decimal(weekday(value.number)),
}
_TIME: Final[dict[str, Callable[[Time], Value]]] = {
    "hour": lambda value: Decimal(value.hour),
    "minute": lambda value: Decimal(value.minute),
    "second": lambda value: Decimal(value.second),
}
_ZONED: Final[dict[str, Callable[[Time | DateTime], Value]]] = {
    "time offset": _offset,
    "timezone": _region,
}


def _of_date(read: Callable[[Date], Value]) -> Callable[[DateTime], Value]:
    return lambda value: read(value.date)


def _of_time(read: Callable[[Time], Value]) -> Callable[[DateTime], Value]:
    return lambda value: read(value.time)


_PROPERTIES: Final[dict[type, dict[str, Callable[..., Value]]]] = {
    Date: dict(_DATE),
    Time: {**_TIME, **_ZONED},
    DateTime: {
        **{name: _of_date(read) for name, read in _DATE.items()},
        **{name: _of_time(read) for name, read in _TIME.items()},
        **_ZONED,
    },
    DaysDuration: {
        "days": _part(DAY_NANOS, 10**18),
        "hours": _part(3600 * NANOS, 24),
        "minutes": _part(60 * NANOS, 60),
        "seconds": _part(NANOS, 60),
    },
    MonthsDuration: {
        "years": lambda value: _months_part(value, years=True),
        "months": lambda value: _months_part(value, years=False),
    },
    Range: {
        "start": lambda value: value.start,
        "end": lambda value: value.start if value.operator == "=" else value.end,
        "start included": lambda value: value.start_included,
        "end included": lambda value: value.end_included,
    },
}


def select(value: Value, name: str, rt: Runtime, position: int) -> Value:
    """Return `value.name`; of a list, the same of each element (10.3.2.5)."""
    kind = type(value)
    if kind is dict:
        found = value.get(name, MISSING)
        if found is not MISSING:
            return found
        rt.warn(WarningKind.NO_CONTEXT_ENTRY_FOUND, f"the context has no entry '{name}'", position)
        return None
    if kind is list:
        rt.charge(len(value))
        return [select(item, name, rt, position) for item in value]
    read = _PROPERTIES.get(kind, {}).get(name)
    if read is not None:
        return read(value)
    message = f"a {kind_of(value)} has no property '{name}'"
    rt.warn(WarningKind.NO_PROPERTY_FOUND, message, position)
    return None
