"""Closures of ranges and tests: ``in``, ``between``, unary tests (DMN 1.5, 10.3.2.7)."""

from typing import TYPE_CHECKING

from shared.feel.diagnostics import WarningKind
from shared.feel.syntax import tree
from shared.feel.values import Range, Value, kind_of

from .comparison import belongs, order
from .operators import comparison
from .runtime import Runtime
from .scopes import Code, Frame, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from .compiler import Compiler

INPUT = "?"
"""The name of the value under test."""


def range_literal(node: tree.RangeLiteral, scope: Scope, compiler: "Compiler") -> Code:
    """`[a..b]`."""
    start = compiler.compile(node.start, scope)
    end = compiler.compile(node.end, scope)
    start_included, end_included, position = node.start_included, node.end_included, node.position

    def run(frame: Frame) -> Value:
        low, high = start(frame), end(frame)
        if order(low, high) is None:
            message = f"a range cannot go from a {kind_of(low)} to a {kind_of(high)}"
            frame[0].warn(WarningKind.NOT_COMPARABLE, message, position)
            return None
        return Range(low, high, start_included, end_included)

    return run


def unary_test(node: tree.UnaryTest, scope: Scope, compiler: "Compiler") -> Code:
    """`(< 10)` standing by itself: the range of the values that pass."""
    operand, operator = compiler.compile(node.operand, scope), node.operator

    def run(frame: Frame) -> Value:
        value = operand(frame)
        if operator in ("<", "<="):
            return Range(
                None,
                value,
                start_included=False,
                end_included=operator == "<=",
                operator=operator,
            )
        if operator in (">", ">="):
            return Range(
                value,
                None,
                start_included=operator == ">=",
                end_included=False,
                operator=operator,
            )
        return Range(value, None, operator=operator)

    return run


def between(node: tree.Between, scope: Scope, compiler: "Compiler") -> Code:
    """`value between low and high`, both ends included."""
    value = compiler.compile(node.value, scope)
    low, high = compiler.compile(node.low, scope), compiler.compile(node.high, scope)
    above, below, position = comparison(">="), comparison("<="), node.position

    def run(frame: Frame) -> Value:
        found, rt = value(frame), frame[0]
        from_low = above(found, low(frame), rt, position)
        to_high = below(found, high(frame), rt, position)
        if from_low is False or to_high is False:
            return False
        return True if from_low and to_high else None

    return run


def membership(node: tree.In, scope: Scope, compiler: "Compiler") -> Code:
    """`value in test` or `value in (test, …)`: whether it passes any of them."""
    value = compiler.compile(node.value, scope)
    inner = Scope(scope, {INPUT: compiler.layout.slot()})
    tests = [_test(test, inner, compiler) for test in node.tests]
    slot = inner.slots[INPUT]

    def run(frame: Frame) -> Value:
        frame[slot] = found = value(frame)
        return _any(tests, found, frame)

    return run


def unary_tests(node: tree.UnaryTests, scope: Scope, compiler: "Compiler") -> Code:
    """The tests of a decision table's cell over the variable `?`; `-` passes everything."""
    tests = [_test(test, scope, compiler, cell=True) for test in node.tests]
    negated = node.negated

    def run(frame: Frame) -> Value:
        if not tests:
            return True
        rt: Runtime = frame[0]
        verdict = _any(tests, rt.variable(INPUT, None), frame)
        return verdict if verdict is None or not negated else not verdict

    return run


def _any(
    tests: "list[Callable[[Value, Frame], bool | None]]", value: Value, frame: Frame
) -> bool | None:
    verdict: bool | None = False
    for test in tests:
        passed = test(value, frame)
        if passed is True:
            return True
        if passed is None:
            verdict = None
    return verdict


def _test(
    node: tree.Node, scope: Scope, compiler: "Compiler", *, cell: bool = False
) -> "Callable[[Value, Frame], bool | None]":
    position = node.position
    if isinstance(node, tree.UnaryTest):
        operand, decide = compiler.compile(node.operand, scope), comparison(node.operator)
        return lambda value, frame: decide(value, operand(frame), frame[0], position)
    code = compiler.compile(node, scope)
    is_null = node == tree.Literal(None)
    speaks_of_it = _mentions_input(node)

    def run(value: Value, frame: Frame) -> bool | None:
        rt: Runtime = frame[0]
        found = code(frame)
        if speaks_of_it:
            # Such as `? > 10`: it is its own verdict.
            return found if type(found) is bool else None
        if cell and value is not None and type(found) is bool and type(value) is not bool:
            return found
        verdict = belongs(value, found, rt)
        if found is None and value is not None and not is_null:
            # What came to null decides nothing, unless null itself is what is looked for; in a
            # cell it is a test that has not passed, as Camunda has it.
            verdict = False if cell else None
        if verdict is None:
            message = f"a {kind_of(value)} cannot be tested with a {kind_of(found)}"
            rt.warn(WarningKind.NOT_COMPARABLE, message, position)
        return verdict

    return run


def _mentions_input(node: tree.Node) -> bool:
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, tree.Name) and part.name == INPUT:
            return True
        pending.extend(tree.children(part))
    return False
