"""Closures of operands: literals, names, lists and contexts."""

from typing import TYPE_CHECKING

from shared.feel.builtins import find
from shared.feel.diagnostics import WarningKind
from shared.feel.syntax import tree
from shared.feel.temporal.parsing import parse_temporal
from shared.feel.values import Value

from . import functions
from .runtime import MISSING, Runtime
from .scopes import Code, Found, Frame, Scope

if TYPE_CHECKING:
    from .compiler import Compiler


def literal(node: tree.Literal | tree.NumberLiteral, _scope: Scope, _: "Compiler") -> Code:
    """`"text"`, `12`, `true`, `null`."""
    value = node.value
    return lambda _frame: value


def temporal(node: tree.TemporalLiteral, _scope: Scope, _: "Compiler") -> Code:
    """`@"2026-02-28"`."""
    value = parse_temporal(node.text)
    if value is not None:
        return lambda _frame: value
    position = node.position

    def run(frame: Frame) -> Value:
        message = "the literal is no date, time or duration"
        frame[0].warn(WarningKind.INVALID_TYPE, message, position)

    return run


def name(node: tree.Name, scope: Scope, _: "Compiler") -> Code:
    """A variable. A built-in function is none: where a variable `date` is missing, it is null."""
    found = scope.find(node.name)
    code = _outer(node, found)
    for slot in reversed(found.elements):
        code = _entry_first(slot, node.name, code)
    return code


def _outer(node: tree.Name, found: Found) -> Code:
    slot = found.slot
    if slot is None:
        return _global(node)
    if found.growing:
        return lambda frame: frame[0].made(list(frame[slot]))
    return lambda frame: frame[slot]


def _global(node: tree.Name) -> Code:
    variable, position = node.name, node.position

    def run(frame: Frame) -> Value:
        rt: Runtime = frame[0]
        value = rt.variable(variable)
        if value is MISSING:
            known = ", only a function" if find(variable) else ""
            message = f"there is no variable '{variable}'{known}"
            rt.warn(WarningKind.NO_VARIABLE_FOUND, message, position)
            return None
        return value

    return run


def _entry_first(slot: int, variable: str, otherwise: Code) -> Code:
    # Inside a filter the entries of the element are variables (10.3.2.5).
    def run(frame: Frame) -> Value:
        element = frame[slot]
        if type(element) is dict and variable in element:
            return element[variable]
        return otherwise(frame)

    return run


def growing_slot(node: tree.Node, scope: Scope) -> int | None:
    """Return the slot of a loop's `partial`, if that is what the node names."""
    if isinstance(node, tree.Name):
        found = scope.find(node.name)
        if found.growing and not found.elements:
            return found.slot
    return None


def list_literal(node: tree.ListLiteral, scope: Scope, compiler: "Compiler") -> Code:
    """`[a, b]`."""
    codes = [compiler.compile(item, scope) for item in node.items]
    size = len(codes)

    def run(frame: Frame) -> Value:
        frame[0].charge(size)
        return [code(frame) for code in codes]

    return run


def context_literal(node: tree.ContextLiteral, scope: Scope, compiler: "Compiler") -> Code:
    """`{a: 1, b: a + 1}`: an entry sees those before it; a function also sees itself."""
    inner = Scope(scope)
    entries: list[tuple[str, int, Code]] = []
    for key, value in node.entries:
        slot = compiler.layout.slot()
        if isinstance(value, tree.FunctionDefinition):
            own = Scope(inner, {key: slot})
            code = functions.definition(value, own, compiler, name=key, own_slot=slot)
        else:
            code = compiler.compile(value, inner)
        inner.slots[key] = slot
        entries.append((key, slot, code))
    position = node.position

    def run(frame: Frame) -> Value:
        context = {}
        frame[0].charge(len(entries))
        for key, slot, code in entries:
            frame[slot] = context[key] = code(frame)
        if len(context) < len(entries):
            message = "the context has two entries of the same name"
            frame[0].warn(WarningKind.INVALID_TYPE, message, position)
            return None
        return context

    return run
