"""Functions of lists (DMN 1.5, 10.3.4.4 and 10.3.4.9, and Camunda's)."""

from decimal import Decimal
from functools import cmp_to_key
from typing import TYPE_CHECKING

from shared.feel.diagnostics import UnfitError
from shared.feel.engine.comparison import equal, order
from shared.feel.engine.functions import apply
from shared.feel.numbers import identity
from shared.feel.values import Function, Value, kind_of

from .registry import builtin

if TYPE_CHECKING:
    from shared.feel.engine.runtime import Runtime

Items = list[Value]

_HASHABLE = frozenset((str, Decimal, bool, type(None)))


def _index(items: Items, position: Decimal) -> int:
    """Return the Python index of a FEEL position, from 1 or from -1 at the end."""
    place = int(position)
    if not place or abs(place) > len(items):
        raise UnfitError(f"the list of {len(items)} has no position {position}")
    return place - 1 if place > 0 else len(items) + place


@builtin("list contains(list: list, element: any)")
def _list_contains(rt: "Runtime", items: Items, element: Value) -> Value:
    return any(equal(item, element, rt) is True for item in items)


@builtin("list replace(list: list, position: number, newItem: any)")
def _list_replace(items: Items, position: Decimal, new_item: Value) -> Value:
    place = _index(items, position)
    return [*items[:place], new_item, *items[place + 1 :]]


@builtin("list replace(list: list, match: function, newItem: any)")
def _list_replace_matching(rt: "Runtime", items: Items, match: Function, new_item: Value) -> Value:
    replaced = []
    for item in items:
        verdict = apply(match, (item, new_item), (), rt)
        if type(verdict) is not bool:
            raise UnfitError(f"'match' returned a {kind_of(verdict)}, no boolean")
        replaced.append(new_item if verdict else item)
    return replaced


@builtin(
    "sublist(list: list, start position: number, [length: number])",
    "sublist(list: list, start: number, [length: number])",
)
def _sublist(items: Items, start: Decimal, length: Decimal | None = None) -> Value:
    first = _index(items, start)
    if length is None:
        return items[first:]
    if length < 1 or first + int(length) > len(items):
        raise UnfitError("the list has no sublist of that length there")
    return items[first : first + int(length)]


@builtin("append(list: list, ...item: any)")
def _append(items: Items, *more: Value) -> Value:
    return [*items, *more]


@builtin("concatenate(...list: list)")
def _concatenate(rt: "Runtime", *lists: Items) -> Value:
    rt.room_for(sum(map(len, lists)))
    return [item for items in lists for item in items]


@builtin("insert before(list: list, position: number, newItem: any)")
def _insert_before(items: Items, position: Decimal, new_item: Value) -> Value:
    place = _index(items, position)
    return [*items[:place], new_item, *items[place:]]


@builtin("remove(list: list, position: number)")
def _remove(items: Items, position: Decimal) -> Value:
    place = _index(items, position)
    return items[:place] + items[place + 1 :]


@builtin("reverse(list: list)")
def _reverse(items: Items) -> Value:
    return items[::-1]


@builtin("index of(list: list, match: any)")
def _index_of(rt: "Runtime", items: Items, match: Value) -> Value:
    return [Decimal(place) for place, item in enumerate(items, 1) if equal(item, match, rt) is True]


def _key(value: Value) -> Value:
    return (type(value), identity(value) if type(value) is Decimal else value)


class _Seen:
    """The values met so far; plain ones are looked up at once, others one by one."""

    def __init__(self, rt: "Runtime") -> None:
        self._rt = rt
        self._plain: set[Value] = set()
        self._others: Items = []

    def knows(self, value: Value) -> bool:
        """Tell whether an equal value was met before."""
        if type(value) in _HASHABLE:
            return _key(value) in self._plain
        self._rt.charge(len(self._others))
        return any(equal(other, value, self._rt) is True for other in self._others)

    def meet(self, value: Value) -> bool:
        """Remember a value; tell whether an equal one was met before."""
        if self.knows(value):
            return True
        if type(value) in _HASHABLE:
            self._plain.add(_key(value))
        else:
            self._others.append(value)
        return False


def _distinct(items: Items, rt: "Runtime") -> Items:
    seen = _Seen(rt)
    return [item for item in items if not seen.meet(item)]


@builtin("union(...list: list)")
def _union(rt: "Runtime", *lists: Items) -> Value:
    return _distinct([item for items in lists for item in items], rt)


@builtin("distinct values(list: list)")
def _distinct_values(rt: "Runtime", items: Items) -> Value:
    return _distinct(items, rt)


@builtin("duplicate values(list: list)")
def _duplicate_values(rt: "Runtime", items: Items) -> Value:
    seen, repeated = _Seen(rt), _Seen(rt)
    for item in items:
        if seen.meet(item):
            repeated.meet(item)
    return [item for item in _distinct(items, rt) if repeated.knows(item)]


@builtin("flatten(list: list)")
def _flatten(rt: "Runtime", items: Items) -> Value:
    flat: Items = []
    for item in items:
        if type(item) is list:
            rt.charge(1 + len(item))
            flat.extend(_flatten(rt, item))
            rt.room_for(len(flat))
        else:
            flat.append(item)
    return flat


@builtin("sort(list: list, [precedes: function])")
def _sort(rt: "Runtime", items: Items, precedes: Function | None = None) -> Value:
    def before(one: Value, other: Value) -> bool:
        rt.charge()
        if precedes is not None:
            return apply(precedes, (one, other), (), rt) is True
        found = order(one, other)
        if found is None:
            raise UnfitError(f"a {kind_of(one)} and a {kind_of(other)} cannot be ordered")
        return found < 0

    # Asked both ways, since what neither precedes keeps its place.
    return sorted(items, key=cmp_to_key(lambda one, other: before(other, one) - before(one, other)))


@builtin("is empty(list: list)")
def _is_empty(items: Items) -> Value:
    return not items


@builtin("partition(list: list, size: number)")
def _partition(items: Items, size: Decimal) -> Value:
    if size < 1:
        raise UnfitError("the size is less than 1")
    step = int(min(size, Decimal(max(len(items), 1))))
    return [items[place : place + step] for place in range(0, len(items), step)]
