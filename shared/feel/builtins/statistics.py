"""Functions over all elements of a list (DMN 1.5, 10.3.4.4): sums, means, extremes, all and any."""

from collections import Counter
from decimal import Decimal
from functools import reduce

from shared.feel.diagnostics import UnfitError
from shared.feel.engine.comparison import order
from shared.feel.numbers import NUMBERS, identity
from shared.feel.values import Value, kind_of

from .registry import builtin


@builtin("count(list: list)")
def _count(items: list[Value]) -> Value:
    return Decimal(len(items))


def _extreme(items: list[Value], wanted: int) -> Value:
    if not items:
        raise UnfitError("the list is empty")
    best = items[0]
    for item in items:
        found = order(item, best)
        if found is None:
            raise UnfitError(f"a {kind_of(item)} and a {kind_of(best)} cannot be compared")
        if found == wanted:
            best = item
    return best


def _of_list_or_items(items: tuple[Value, ...]) -> list[Value]:
    return items[0] if len(items) == 1 and type(items[0]) is list else list(items)


@builtin("min(list: list)", "min(...c: any)")
def _min(*items: Value) -> Value:
    return _extreme(_of_list_or_items(items), -1)


@builtin("max(list: list)", "max(...c: any)")
def _max(*items: Value) -> Value:
    return _extreme(_of_list_or_items(items), 1)


def _numbers(items: tuple[Value, ...]) -> list[Decimal]:
    numbers = _of_list_or_items(items)
    if not numbers:
        raise UnfitError("the list is empty")
    for number in numbers:
        if type(number) is not Decimal:
            raise UnfitError(f"the list holds a {kind_of(number)}, no number")
    return numbers


def _finite(number: Decimal) -> Decimal:
    if not number.is_finite():
        raise UnfitError("the result is too large for a number")
    return number


@builtin("sum(list: list)", "sum(...n: any)")
def _sum(*items: Value) -> Value:
    return _finite(reduce(NUMBERS.add, _numbers(items)))


@builtin("product(list: list)", "product(...n: any)")
def _product(*items: Value) -> Value:
    return _finite(reduce(NUMBERS.multiply, _numbers(items)))


@builtin("mean(list: list)", "mean(...n: any)")
def _mean(*items: Value) -> Value:
    numbers = _numbers(items)
    return _finite(NUMBERS.divide(reduce(NUMBERS.add, numbers), Decimal(len(numbers))))


@builtin("median(list: list)", "median(...n: any)")
def _median(*items: Value) -> Value:
    numbers = sorted(_numbers(items))
    middle, odd = divmod(len(numbers), 2)
    if odd:
        return numbers[middle]
    return _finite(NUMBERS.divide(NUMBERS.add(numbers[middle - 1], numbers[middle]), Decimal(2)))


@builtin("stddev(list: list)", "stddev(...n: any)")
def _stddev(*items: Value) -> Value:
    numbers = _numbers(items)
    if len(numbers) == 1:
        raise UnfitError("one number has no standard deviation")
    mean = NUMBERS.divide(reduce(NUMBERS.add, numbers), Decimal(len(numbers)))
    distances = (NUMBERS.subtract(number, mean) for number in numbers)
    squares = reduce(NUMBERS.add, (NUMBERS.multiply(one, one) for one in distances))
    return _finite(NUMBERS.sqrt(NUMBERS.divide(squares, Decimal(len(numbers) - 1))))


@builtin("mode(list: list)", "mode(...n: any)")
def _mode(*items: Value) -> Value:
    if _of_list_or_items(items) == []:
        return []
    numbers = {identity(number): number for number in reversed(_numbers(items))}
    counts = Counter(map(identity, _numbers(items)))
    most = max(counts.values())
    return sorted(numbers[key] for key, count in counts.items() if count == most)


def _decide(items: list[Value], *, decisive: bool) -> Value:
    if any(item is decisive for item in items):
        return decisive
    for item in items:
        if item is not None and type(item) is not bool:
            raise UnfitError(f"the list holds a {kind_of(item)}, no boolean")
    return None if any(item is None for item in items) else not decisive


@builtin("all(list: list)", "all(...b: any)", "and(list: list)", "and(...b: any)")
def _all(*items: Value) -> Value:
    return _decide(_booleans(items), decisive=False)


@builtin("any(list: list)", "any(...b: any)", "or(list: list)", "or(...b: any)")
def _any(*items: Value) -> Value:
    return _decide(_booleans(items), decisive=True)


def _booleans(items: tuple[Value, ...]) -> list[Value]:
    if items == (None,):
        raise UnfitError("null is no list")
    return _of_list_or_items(items)
