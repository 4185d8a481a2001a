"""Closures of function definitions, and what calling the functions does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.feel.diagnostics import UnfitError, WarningKind
from shared.feel.syntax import tree
from shared.feel.values import Function, Value

from .conformance import conform
from .runtime import Runtime
from .scopes import Code, Frame, Scope

if TYPE_CHECKING:
    from .compiler import Compiler


def definition(
    node: tree.FunctionDefinition,
    scope: Scope,
    compiler: "Compiler",
    *,
    name: str = "",
    own_slot: int | None = None,
) -> Code:
    """`function(a, b) body`, with the variables around it as they are when it is made.

    Args:
        node: The definition.
        scope: The scope around it.
        compiler: The compiler.
        name: The name it is given, for messages.
        own_slot: The slot it will be stored in, so that it can call itself.
    """
    slots = [compiler.layout.slot() for _ in node.parameters]
    parameter_scope = Scope(
        scope,
        {parameter: slot for (parameter, _), slot in zip(node.parameters, slots, strict=True)},
    )
    body = compiler.compile(node.body, parameter_scope)
    external, position = node.external, node.position

    def run(frame: Frame) -> Value:
        # What is kept is to cost steps: eight variables as much as one element.
        frame[0].charge(len(frame) >> 3)
        captured = frame.copy()

        def call(rt: Runtime, arguments: Sequence[Value]) -> Value:
            if external:
                # 10.3.2.13.3 would load Java or PMML here. Nothing leaves the language.
                message = "external functions are not run"
                rt.warn(WarningKind.FUNCTION_INVOCATION_FAILURE, message, position)
                return None
            own = captured.copy()
            own[0] = rt
            for slot, argument in zip(slots, arguments, strict=True):
                own[slot] = argument
            rt.enter()
            try:
                return body(own)
            finally:
                rt.depth -= 1

        function = Function(name, node.parameters, call)
        if own_slot is not None:
            captured[own_slot] = function
        return function

    return run


def apply(
    function: Function, arguments: Sequence[Value], names: Sequence[str], rt: Runtime
) -> Value:
    """Call a function value with arguments by place or by name (10.3.2.13.2).

    Raises:
        UnfitError: The arguments do not suit the parameters.
    """
    parameters = function.parameters
    if len(arguments) != len(parameters):
        message = f"the function takes {len(parameters)} arguments, not {len(arguments)}"
        raise UnfitError(message, WarningKind.FUNCTION_INVOCATION_FAILURE)
    if names:
        by_name = dict(zip(names, arguments, strict=True))
        if by_name.keys() != {name for name, _ in parameters}:
            message = f"the function has no such parameters: {', '.join(names)}"
            raise UnfitError(message, WarningKind.FUNCTION_INVOCATION_FAILURE)
        arguments = [by_name[name] for name, _ in parameters]
    conformed = [
        argument if kind is None else conform(argument, kind, rt.charge)
        for argument, (_, kind) in zip(arguments, parameters, strict=True)
    ]
    return function.call(rt, conformed)
