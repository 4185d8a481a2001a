"""Closures of calls: built-ins found when compiling, all else when running."""

from typing import TYPE_CHECKING

from shared.feel.builtins import find
from shared.feel.builtins.registry import Builtin
from shared.feel.diagnostics import UnfitError, WarningKind
from shared.feel.syntax import tree
from shared.feel.values import Function, Value, kind_of

from .functions import apply
from .runtime import Runtime
from .scopes import Code, Frame, Scope

if TYPE_CHECKING:
    from .compiler import Compiler


def call(node: tree.Call, scope: Scope, compiler: "Compiler") -> Code:
    """`name(arguments)` or any other expression called."""
    codes = [compiler.compile(argument, scope) for argument in node.arguments]
    target = node.function
    if isinstance(target, tree.Name) and scope.find(target.name).slot is None:
        builtin = find(target.name)
        if builtin is not None:
            return _builtin_call(builtin, codes, node)
        return _value_call(_global_function(target.name), codes, node, target.name)
    return _value_call(compiler.compile(target, scope), codes, node)


def _global_function(name: str) -> Code:
    return lambda frame: frame[0].variable(name, None)


def _value_call(target: Code, codes: list[Code], node: tree.Call, name: str = "") -> Code:
    names, position = node.names, node.position

    def run(frame: Frame) -> Value:
        rt: Runtime = frame[0]
        function = target(frame)
        if type(function) is not Function:
            absent = name and function is None
            message = (
                f"there is no function '{name}'"
                if absent
                else f"a {kind_of(function)} is no function to call"
            )
            rt.warn(WarningKind.NO_FUNCTION_FOUND, message, position)
            return None
        try:
            return apply(function, [code(frame) for code in codes], names, rt)
        except UnfitError as error:
            rt.warn(error.kind, str(error), position)
            return None

    return run


def _builtin_call(builtin: Builtin, codes: list[Code], node: tree.Call) -> Code:
    position = node.position
    invoke = builtin.bind(len(codes), node.names)

    def run(frame: Frame) -> Value:
        rt: Runtime = frame[0]
        try:
            return invoke(rt, [code(frame) for code in codes])
        except UnfitError as error:
            rt.warn(error.kind, f"{builtin.name}: {error}", position)
            return None

    return run
