"""Functions of contexts (DMN 1.5, 10.3.4.10); `put` and `put all` are Camunda's old names."""

from typing import TYPE_CHECKING

from shared.feel.diagnostics import UnfitError, WarningKind
from shared.feel.values import Value, kind_of

from .registry import builtin

if TYPE_CHECKING:
    from shared.feel.engine.runtime import Runtime

Context = dict[str, Value]


@builtin("get value(m: context, key: string)", "get value(context: context, key: string)")
def _get_value(context: Context, key: str) -> Value:
    if key not in context:
        raise UnfitError("the context has no such entry", WarningKind.NO_CONTEXT_ENTRY_FOUND)
    return context[key]


@builtin("get value(m: context, keys: list)", "get value(context: context, keys: list)")
def _get_nested_value(context: Context, keys: list[Value]) -> Value:
    found: Value = context
    for key in _checked(keys):
        if type(found) is not dict:
            raise UnfitError(f"a {kind_of(found)} has no entries")
        found = _get_value(found, key)
    return found


@builtin("get entries(m: context)", "get entries(context: context)")
def _get_entries(context: Context) -> Value:
    return [{"key": key, "value": value} for key, value in context.items()]


@builtin("context(entries: list)")
def _context(entries: list[Value]) -> Value:
    context: Context = {}
    for entry in entries:
        if type(entry) is not dict or type(entry.get("key")) is not str or "value" not in entry:
            raise UnfitError("an entry is a context with a string 'key' and a 'value'")
        if entry["key"] in context:
            raise UnfitError("there are two entries of the same key")
        context[entry["key"]] = entry["value"]
    return context


@builtin(
    "context put(context: context, key: string, value: any)",
    "put(context: context, key: string, value: any)",
)
def _context_put(context: Context, key: str, value: Value) -> Value:
    return {**context, key: value}


@builtin("context put(context: context, keys: list, value: any)")
def _context_put_nested(rt: "Runtime", context: Context, keys: list[Value], value: Value) -> Value:
    path = _checked(keys)
    result = inner = dict(context)
    for key in path[:-1]:
        below = inner.get(key, {})
        if type(below) is not dict:
            raise UnfitError(f"an entry on the way is a {kind_of(below)}, no context")
        rt.charge(len(below))
        inner[key] = dict(below)
        inner = inner[key]
    inner[path[-1]] = value
    return result


def _checked(keys: list[Value]) -> list[str]:
    if not keys or any(type(key) is not str for key in keys):
        raise UnfitError("the keys are one or more strings")
    return keys


@builtin(
    "context merge(contexts: list)",
    "context merge(...contexts: context)",
    "put all(contexts: list)",
    "put all(...contexts: context)",
)
def _context_merge(rt: "Runtime", *items: Value) -> Value:
    contexts = items[0] if len(items) == 1 and type(items[0]) is list else items
    merged: Context = {}
    for context in contexts:
        if type(context) is not dict:
            raise UnfitError(f"the list holds a {kind_of(context)}, no context")
        rt.charge(len(context))
        merged.update(context)
    return merged
