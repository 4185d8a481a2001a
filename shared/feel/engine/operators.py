"""Closures of operators: arithmetic, comparison, logic, ``instance of``."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from shared.feel.diagnostics import UnfitError, WarningKind
from shared.feel.syntax import tree
from shared.feel.values import Value, kind_of

from .arithmetic import OPERATIONS, negate
from .comparison import equal, order
from .conformance import instance_of
from .runtime import Runtime
from .scopes import Code, Frame, Scope

if TYPE_CHECKING:
    from .compiler import Compiler

Verdict = Callable[[Value, Value, Runtime, int], bool | None]

ORDERINGS: Final[dict[str, Callable[[int], bool]]] = {
    "<": lambda found: found < 0,
    "<=": lambda found: found <= 0,
    ">": lambda found: found > 0,
    ">=": lambda found: found >= 0,
}


def comparison(operator: str) -> Verdict:
    """Return what decides an operator of comparison: true, false or null (10.3.2.13)."""
    if operator in ORDERINGS:
        return _ordering(ORDERINGS[operator])
    return _equality(wanted=operator == "=")


def _ordering(holds: Callable[[int], bool]) -> Verdict:
    def decide(left: Value, right: Value, rt: Runtime, position: int) -> bool | None:
        found = order(left, right)
        return _incomparable(left, right, rt, position) if found is None else holds(found)

    return decide


def _equality(*, wanted: bool) -> Verdict:
    def decide(left: Value, right: Value, rt: Runtime, position: int) -> bool | None:
        if type(left) is str and type(right) is str:
            return (left == right) is wanted
        found = equal(left, right, rt)
        return _incomparable(left, right, rt, position) if found is None else found is wanted

    return decide


def _incomparable(left: Value, right: Value, rt: Runtime, position: int) -> bool | None:
    message = f"a {kind_of(left)} and a {kind_of(right)} cannot be compared"
    rt.warn(WarningKind.NOT_COMPARABLE, message, position)
    return None


def binary(node: tree.Binary, scope: Scope, compiler: "Compiler") -> Code:
    """`left operator right`."""
    left = compiler.compile(node.left, scope)
    right = compiler.compile(node.right, scope)
    position = node.position
    if node.operator in OPERATIONS:
        return _arithmetic(node.operator, left, right, position)
    decide = comparison(node.operator)
    return lambda frame: decide(left(frame), right(frame), frame[0], position)


def _arithmetic(operator: str, left: Code, right: Code, position: int) -> Code:
    numbers, others = OPERATIONS[operator]

    def run(frame: Frame) -> Value:
        one, other = left(frame), right(frame)
        if type(one) is Decimal and type(other) is Decimal:
            result = numbers(one, other)
            if result.is_finite():
                return result
        rt: Runtime = frame[0]
        if type(one) is str and type(other) is str:
            rt.room_for(len(one) + len(other))
        try:
            return rt.made(others(one, other))
        except UnfitError as error:
            rt.warn(error.kind, str(error), position)
            return None

    return run


def negation(node: tree.Negation, scope: Scope, compiler: "Compiler") -> Code:
    """`-operand`."""
    operand, position = compiler.compile(node.operand, scope), node.position

    def run(frame: Frame) -> Value:
        try:
            return negate(operand(frame))
        except UnfitError as error:
            frame[0].warn(error.kind, str(error), position)
            return None

    return run


def logic(node: tree.Logic, scope: Scope, compiler: "Compiler") -> Code:
    """`a and b` or `a or b`, in three values; what comes after a decision is not evaluated."""
    codes = [compiler.compile(operand, scope) for operand in node.operands]
    position = node.position
    decisive = node.operator == "or"

    def run(frame: Frame) -> Value:
        verdict: bool | None = not decisive
        for code in codes:
            value = code(frame)
            if value is decisive:
                return decisive
            if type(value) is not bool:
                verdict = None
                if value is not None:
                    message = f"a {kind_of(value)} is no boolean"
                    frame[0].warn(WarningKind.INVALID_TYPE, message, position)
        return verdict

    return run


def instance(node: tree.InstanceOf, scope: Scope, compiler: "Compiler") -> Code:
    """`value instance of type`."""
    value, kind, position = compiler.compile(node.value, scope), node.type, node.position

    def run(frame: Frame) -> Value:
        try:
            return instance_of(value(frame), kind, frame[0].charge)
        except UnfitError as error:
            frame[0].warn(error.kind, str(error), position)
            return None

    return run
