"""Closures of if, for, some and every (DMN 1.5, 10.3.2.13)."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from shared.feel.diagnostics import UnfitError, WarningKind
from shared.feel.numbers import NUMBERS
from shared.feel.syntax import tree
from shared.feel.temporal import Date
from shared.feel.values import Range, Value, kind_of

from .runtime import Runtime
from .scopes import Code, Frame, Scope

if TYPE_CHECKING:
    from .compiler import Compiler

Visit = Callable[[Frame], bool]
"""What is done at each turn of a loop; true ends the loop."""

_ONE = Decimal(1)


def conditional(node: tree.If, scope: Scope, compiler: "Compiler") -> Code:
    """`if a then b else c`: what is not true takes the other way."""
    condition = compiler.compile(node.condition, scope)
    consequence = compiler.compile(node.consequence, scope)
    alternative = compiler.compile(node.alternative, scope)
    position = node.position

    def run(frame: Frame) -> Value:
        verdict = condition(frame)
        if verdict is True:
            return consequence(frame)
        if type(verdict) is not bool:
            message = f"the condition is a {kind_of(verdict)}, no boolean"
            frame[0].warn(WarningKind.INVALID_TYPE, message, position)
        return alternative(frame)

    return run


def loop(node: tree.For, scope: Scope, compiler: "Compiler") -> Code:
    """`for … return body`; the body sees the results before it as `partial`."""
    inner, iterate = _iterations(node.iterations, scope, compiler)
    results_slot = compiler.layout.slot()
    inner.partial = results_slot
    body = compiler.compile(node.body, inner)
    position = node.position

    def visit(frame: Frame) -> bool:
        # A body that calls a function runs it in a frame of its own, so the slot is still ours.
        frame[results_slot].append(body(frame))
        return False

    def run(frame: Frame) -> Value:
        results: list[Value] = []
        frame[results_slot] = results
        try:
            iterate(frame, visit)
        except UnfitError as error:
            frame[0].warn(error.kind, str(error), position)
            return None
        return results

    return run


def quantified(node: tree.Quantified, scope: Scope, compiler: "Compiler") -> Code:
    """`some … satisfies body` and `every … satisfies body`, in three values."""
    inner, iterate = _iterations(node.iterations, scope, compiler)
    body = compiler.compile(node.body, inner)
    decisive = node.quantifier == "some"
    verdict_slot = compiler.layout.slot()
    position = node.position

    def visit(frame: Frame) -> bool:
        value = body(frame)
        if value is decisive:
            frame[verdict_slot] = decisive
            return True
        if type(value) is not bool:
            frame[verdict_slot] = None
        return False

    def run(frame: Frame) -> Value:
        frame[verdict_slot] = not decisive
        try:
            iterate(frame, visit)
        except UnfitError as error:
            frame[0].warn(error.kind, str(error), position)
            return None
        return frame[verdict_slot]

    return run


def _iterations(
    nodes: tuple[tree.Iteration, ...], scope: Scope, compiler: "Compiler"
) -> tuple[Scope, Callable[[Frame, Visit], bool]]:
    """Return the scope of the body, and what runs it over all combinations."""
    levels: list[tuple[int, Code, Code | None]] = []
    inner = Scope(scope)
    for node in nodes:
        source = compiler.compile(node.source, inner)
        end = compiler.compile(node.end, inner) if node.end else None
        slot = compiler.layout.slot()
        # A scope of its own, so that the source of `x in x` is the outer one.
        inner = Scope(inner, {node.name: slot})
        levels.append((slot, source, end))

    def iterate(frame: Frame, visit: Visit, level: int = 0) -> bool:
        slot, source, end = levels[level]
        rt: Runtime = frame[0]
        last = level == len(levels) - 1
        for item in _domain(source(frame), end and (end(frame),)):
            rt.charge()
            frame[slot] = item
            if visit(frame) if last else iterate(frame, visit, level + 1):
                return True
        return False

    return inner, iterate


def _domain(source: Value, end: tuple[Value] | None) -> Iterable[Value]:
    if end is not None:
        return _count(source, end[0], descending=True)
    if type(source) is list:
        return source
    if type(source) is Range:
        return _range_items(source)
    if source is None:
        raise UnfitError("null cannot be iterated over")
    return (source,)


def _range_items(bounds: Range) -> Iterator[Value]:
    for item in _count(bounds.start, bounds.end, descending=False):
        if (bounds.start_included or item != bounds.start) and (
            bounds.end_included or item != bounds.end
        ):
            yield item


def _count(start: Value, end: Value, *, descending: bool) -> Iterable[Value]:
    """Return the numbers or dates from one to the other, both included."""
    if type(start) is type(end) and type(start) in (Decimal, Date):
        if start <= end:
            return _numbers(start, end, _ONE) if type(start) is Decimal else _dates(start, end, 1)
        if descending:
            return (
                _numbers(start, end, _ONE.copy_negate())
                if type(start) is Decimal
                else _dates(start, end, -1)
            )
        raise UnfitError("the range ends before it starts")
    raise UnfitError(f"nothing can be counted from a {kind_of(start)} to a {kind_of(end)}")


def _numbers(start: Decimal, end: Decimal, step: Decimal) -> Iterator[Decimal]:
    number = start
    while (number <= end) if step > 0 else (number >= end):
        yield number
        number = NUMBERS.add(number, step)


def _dates(start: Date, end: Date, step: int) -> Iterator[Date | None]:
    for number in range(start.number, end.number + step, step):
        yield Date.of_number(number)
