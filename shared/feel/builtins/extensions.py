"""What Camunda's engine adds beside the standard's families: JSON, identifiers, AI parameters."""

from typing import TYPE_CHECKING

from shared.feel.diagnostics import UnfitError
from shared.feel.json_values import from_json, to_json_text
from shared.feel.values import Value

from .registry import builtin

if TYPE_CHECKING:
    from shared.feel.engine.runtime import Runtime


@builtin("uuid()")
def _uuid() -> Value:
    from uuid import uuid4  # noqa: PLC0415 - few expressions ask

    return str(uuid4())


@builtin("to json(value: any)")
def _to_json(rt: "Runtime", value: Value) -> Value:
    rt.measure(value)
    return to_json_text(value)


@builtin("from json(value: string)")
def _from_json(rt: "Runtime", text: str) -> Value:
    try:
        found = from_json(text)
    except ValueError as error:
        raise UnfitError("the text is no JSON") from error
    return rt.adopt(found)


_SCHEMA = "[description: any], [type: any], [schema: any], [options: any]"


@builtin(f"fromAi(value: any, {_SCHEMA})")
def _from_ai(value: Value, *_about: Value) -> Value:
    # The rest describes the value to an agent; to the expression it is the value.
    return value
