"""Functions of booleans and of what may be missing (DMN 1.5, 10.3.4.2, and Camunda's)."""

from shared.feel.errors import FeelAssertionError
from shared.feel.values import Value

from .registry import builtin


@builtin("not(negand: any)")
def _not(negand: Value) -> Value:
    return not negand if type(negand) is bool else None


@builtin("is defined(value: any)")
def _is_defined(value: Value) -> Value:
    return value is not None


@builtin("get or else(value: any, default: any)")
def _get_or_else(value: Value, default: Value) -> Value:
    return default if value is None else value


@builtin("assert(value: any, condition: any, [cause: string])")
def _assert(value: Value, condition: Value, cause: str | None = None) -> Value:
    if condition is True:
        return value
    raise FeelAssertionError(cause or "the condition of an assert is not fulfilled")
