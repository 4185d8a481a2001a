"""Closures of paths and filters (DMN 1.5, 10.3.2.5)."""

from decimal import Decimal
from typing import TYPE_CHECKING

from shared.feel.diagnostics import WarningKind
from shared.feel.syntax import tree
from shared.feel.values import NATIVE, Value, kind_of

from .properties import select
from .runtime import Runtime
from .scopes import Code, Frame, Scope
from .variables import growing_slot

if TYPE_CHECKING:
    from .compiler import Compiler


def path(node: tree.Path, scope: Scope, compiler: "Compiler") -> Code:
    """`source.name`."""
    names = [node.name]
    source = node.source
    while isinstance(source, tree.Path):
        names.append(source.name)
        source = source.source
    slow = _general_path(compiler.compile(node.source, scope), node)
    if isinstance(source, tree.Name):
        found = scope.find(source.name)
        if found.slot is None and not found.elements:
            return _global_path(source.name, names[::-1], slow)
    return slow


def _general_path(source: Code, node: tree.Path) -> Code:
    name, position = node.name, node.position
    return lambda frame: select(source(frame), name, frame[0], position)


def _global_path(root: str, names: list[str], slow: Code) -> Code:
    """Walk the context as it came from outside, so that only the end has to be taken in."""

    def run(frame: Frame) -> Value:
        rt: Runtime = frame[0]
        value = rt.context.get(root)
        for name in names:
            if type(value) is not dict or name not in value:
                return slow(frame)
            value = value[name]
        return value if type(value) in NATIVE else rt.adopt(value)

    return run


def filtered(node: tree.Filter, scope: Scope, compiler: "Compiler") -> Code:
    """`list[condition]` or `list[index]`; anything else than a list is a list of itself."""
    index = _constant_index(node.condition)
    growing = growing_slot(node.source, scope)
    position = node.position
    if growing is not None and index is not None:
        return lambda frame: element(frame[growing], index, frame[0], position)
    source = compiler.compile(node.source, scope)
    if index is not None:
        return lambda frame: element(source(frame), index, frame[0], position)
    slot = compiler.layout.slot()
    condition = compiler.compile(node.condition, Scope(scope, element=slot))

    def run(frame: Frame) -> Value:
        rt: Runtime = frame[0]
        items = source(frame)
        if type(items) is not list:
            if items is None:
                rt.warn(WarningKind.INVALID_TYPE, "null cannot be filtered", position)
                return None
            items = [items]
        kept = []
        for item in items:
            rt.charge()
            frame[slot] = item
            verdict = condition(frame)
            if verdict is True:
                kept.append(item)
            elif type(verdict) is Decimal:
                return element(items, verdict, rt, position)
            elif verdict is not False and verdict is not None:
                message = f"a filter takes a boolean or a number, not a {kind_of(verdict)}"
                rt.warn(WarningKind.INVALID_TYPE, message, position)
        return kept

    return run


def _constant_index(node: tree.Node) -> Decimal | None:
    if isinstance(node, tree.NumberLiteral):
        return node.value
    if isinstance(node, tree.Negation) and isinstance(node.operand, tree.NumberLiteral):
        return node.operand.value.copy_negate()
    return None


def element(items: Value, index: Decimal, rt: Runtime, position: int) -> Value:
    """Return the element at an index, from 1, or from -1 at the end; null outside the list."""
    if type(items) is not list:
        items = [] if items is None else [items]
    if index != index.to_integral_value():
        rt.warn(WarningKind.INVALID_TYPE, "an index is a whole number", position)
        return None
    if index and index.copy_abs() <= len(items):
        number = int(index)
        return items[number - 1 if number > 0 else number]
    rt.warn(WarningKind.OUT_OF_BOUNDS, f"the list of {len(items)} has no element {index}", position)
    return None
