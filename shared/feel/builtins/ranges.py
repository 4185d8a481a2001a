"""Functions that place points and ranges beside each other (DMN 1.5, 10.3.4.7)."""

from collections.abc import Callable
from typing import Final

from shared.feel.diagnostics import UnfitError
from shared.feel.engine.comparison import order
from shared.feel.values import Range, Value, kind_of

from .registry import builtin

Relation = Callable[[Range, Range], bool]


def _compare(one: Value, other: Value) -> int:
    found = order(one, other)
    if found is None:
        raise UnfitError(f"a {kind_of(one)} and a {kind_of(other)} cannot be compared")
    return found


def _as_range(value: Value) -> Range:
    """Return a range as it is, a point as the range of itself alone."""
    if type(value) is Range:
        if value.operator in ("=", "!="):
            raise UnfitError("a test of equality is no range here")
        return value
    _compare(value, value)
    return Range(value, value)


def _ends_before(one: Range, other: Range, *, touching: bool) -> bool:
    """Tell whether a range lies wholly before another; ``touching`` lets both hold the border."""
    if one.end is None or other.start is None:
        return False
    place = _compare(one.end, other.start)
    return place < 0 or (
        place == 0 and (touching or not (one.end_included and other.start_included))
    )


def _starts(one: Range, other: Range) -> int:
    """Return -1, 0 or 1 as a range starts before, with, or after another."""
    if one.start is None or other.start is None:
        return (one.start is not None) - (other.start is not None)
    place = _compare(one.start, other.start)
    return place or other.start_included - one.start_included


def _ends(one: Range, other: Range) -> int:
    """Return -1, 0 or 1 as a range ends before, with, or after another."""
    if one.end is None or other.end is None:
        return (other.end is not None) - (one.end is not None)
    place = _compare(one.end, other.end)
    return place or one.end_included - other.end_included


def _before(one: Range, other: Range) -> bool:
    return _ends_before(one, other, touching=False)


def _meets(one: Range, other: Range) -> bool:
    return (
        one.end is not None
        and other.start is not None
        and one.end_included
        and other.start_included
        and _compare(one.end, other.start) == 0
    )


def _overlaps(one: Range, other: Range) -> bool:
    return not _before(one, other) and not _before(other, one)


def _overlaps_before(one: Range, other: Range) -> bool:
    return _starts(one, other) < 0 and _ends(one, other) <= 0 and _overlaps(one, other)


def _overlaps_after(one: Range, other: Range) -> bool:
    return _starts(one, other) > 0 and _ends(one, other) >= 0 and _overlaps(one, other)


def _finishes(one: Range, other: Range) -> bool:
    return _ends(one, other) == 0 and _starts(one, other) >= 0


def _includes(one: Range, other: Range) -> bool:
    return _starts(one, other) <= 0 and _ends(one, other) >= 0


def _starts_with(one: Range, other: Range) -> bool:
    return _starts(one, other) == 0 and _ends(one, other) <= 0


def _coincides(one: Range, other: Range) -> bool:
    return _starts(one, other) == 0 and _ends(one, other) == 0


def _swapped(relation: Relation) -> Relation:
    return lambda one, other: relation(other, one)


_POINT_POINT: Final = "{}(point1: any, point2: any)"
_POINT_RANGE: Final = "{}(point: any, range: range)"
_RANGE_POINT: Final = "{}(range: range, point: any)"
_RANGE_RANGE: Final = "{}(range1: range, range2: range)"

_RELATIONS: Final[dict[str, tuple[Relation, tuple[str, ...]]]] = {
    "before": (_before, (_RANGE_RANGE, _RANGE_POINT, _POINT_RANGE, _POINT_POINT)),
    "after": (_swapped(_before), (_RANGE_RANGE, _RANGE_POINT, _POINT_RANGE, _POINT_POINT)),
    "meets": (_meets, (_RANGE_RANGE,)),
    "met by": (_swapped(_meets), (_RANGE_RANGE,)),
    "overlaps": (_overlaps, (_RANGE_RANGE,)),
    "overlaps before": (_overlaps_before, (_RANGE_RANGE,)),
    "overlaps after": (_overlaps_after, (_RANGE_RANGE,)),
    "finishes": (_finishes, (_RANGE_RANGE, _POINT_RANGE)),
    "finished by": (_swapped(_finishes), (_RANGE_RANGE, _RANGE_POINT)),
    "includes": (_includes, (_RANGE_RANGE, _RANGE_POINT)),
    "during": (_swapped(_includes), (_RANGE_RANGE, _POINT_RANGE)),
    "starts": (_starts_with, (_RANGE_RANGE, _POINT_RANGE)),
    "started by": (_swapped(_starts_with), (_RANGE_RANGE, _RANGE_POINT)),
    "coincides": (_coincides, (_RANGE_RANGE, _POINT_POINT)),
}


def _declare(name: str, relation: Relation, forms: tuple[str, ...]) -> None:
    def run(one: Value, other: Value) -> Value:
        return relation(_as_range(one), _as_range(other))

    builtin(*(form.format(name) for form in forms))(run)


for _name, (_relation, _forms) in _RELATIONS.items():
    _declare(_name, _relation, _forms)
