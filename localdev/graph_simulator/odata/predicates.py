"""A syntax tree to a predicate over the objects of one type, refusing what Exchange refuses."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from localdev.graph_simulator.errors import (
    bad_query,
    bad_request,
    unknown_property,
    unsupported_filter,
)
from localdev.graph_simulator.odata.syntax import (
    Both,
    Call,
    Comparison,
    Either,
    Exists,
    Flag,
    Literal,
    Node,
    Not,
)

T = TypeVar("T")
Predicate = Callable[[T], bool]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
_EDM = {bool: "Edm.Boolean", str: "Edm.String", datetime: "Edm.DateTimeOffset", int: "Edm.Int32"}


@dataclass(frozen=True, slots=True)
class Property(Generic[T]):
    """A property that filters may name.

    Attributes:
        kind: The type of its values.
        read: How to get the value; text is compared without case, so this gives it folded.
        functions: The functions that Exchange runs on it.
        convert: What a literal becomes before it is compared.
    """

    kind: type[bool | str | int | datetime]
    read: Callable[[T], Any]
    functions: frozenset[str] = frozenset(("contains", "startswith", "endswith"))
    convert: Callable[[str], str] = str.casefold


@dataclass(frozen=True, slots=True)
class Schema(Generic[T]):
    """What the filters of a type may name.

    Attributes:
        type_name: How errors call the type.
        properties: What can be filtered by, under its path in lower case.
        collections: Collections of text, for `any`.
        unsupported: Paths that exist, but that Exchange does not filter by.
        records: Collections of records of text, for `any`; `id` is compared as it is written.
    """

    type_name: str
    properties: Mapping[str, Property[T]]
    collections: Mapping[str, Callable[[T], Iterable[str]]]
    unsupported: frozenset[str] = frozenset()
    records: Mapping[str, Callable[[T], Iterable[Mapping[str, str]]]] = field(default_factory=dict)


def compile_predicate(node: Node, schema: Schema[T]) -> Predicate[T]:
    """Return the predicate that a filter means.

    Raises:
        GraphError: 400, for unknown properties, types that do not fit, what Exchange cannot run.
    """
    if isinstance(node, Both | Either):
        left, right = compile_predicate(node.left, schema), compile_predicate(node.right, schema)
        if isinstance(node, Both):
            return lambda item: left(item) and right(item)
        return lambda item: left(item) or right(item)
    if isinstance(node, Not):
        condition = compile_predicate(node.condition, schema)
        return lambda item: not condition(item)
    if isinstance(node, Exists):
        return _exists(node, schema)
    if isinstance(node, Call):
        return _called(node, schema)
    comparison = Comparison(node.path, "eq", value=True) if isinstance(node, Flag) else node
    return _compared(comparison, schema)


def requires(node: Node, path: str, *, value: bool) -> bool:
    """Tell whether nothing can pass the filter unless a boolean property has that value."""
    if isinstance(node, Both):
        return requires(node.left, path, value=value) or requires(node.right, path, value=value)
    if not isinstance(node, Comparison) or node.path.lower() != path.lower():
        return False
    return (node.operator, node.value) in (("eq", value), ("ne", not value))


def _property(path: str, schema: Schema[T]) -> Property[T]:
    known = schema.properties.get(path.lower())
    if known is not None:
        return known
    if path.lower() in schema.unsupported:
        raise unsupported_filter()
    raise unknown_property(path, schema.type_name)


def _compared(node: Comparison, schema: Schema[T]) -> Predicate[T]:
    known = _property(node.path, schema)
    read, compare = known.read, _OPERATORS[node.operator]
    value = _literal(node, known)
    if value is None or known.kind is bool:
        if node.operator not in ("eq", "ne"):
            raise bad_query(f"The operator '{node.operator}' does not fit '{node.path}'.")
        return lambda item: compare(read(item), value)

    def predicate(item: T) -> bool:
        actual = read(item)
        return actual is not None and compare(actual, value)

    return predicate


def _literal(node: Comparison, known: Property[T]) -> Literal:
    value = node.value
    if value is None:
        return None
    if type(value) is not known.kind:
        found = _EDM.get(type(value), "Edm.Double")
        raise bad_request(
            "A binary operator with incompatible types was detected. Found operand types "
            f"'{_EDM[known.kind]}' and '{found}' for operator kind '{node.operator}'."
        )
    return known.convert(value) if isinstance(value, str) else value


def _called(node: Call, schema: Schema[T]) -> Predicate[T]:
    function = _FUNCTIONS.get(node.function)
    if function is None:
        raise bad_query(f"An unknown function with name '{node.function}' was found.")
    known = _property(node.path, schema)
    if known.kind is not str or not isinstance(node.value, str):
        raise bad_query(f"No function signature for the function with name '{node.function}'.")
    if node.function not in known.functions:
        raise unsupported_filter()
    read, value = known.read, known.convert(node.value)
    return lambda item: function(read(item) or "", value)


def _any_record(node: Exists, read: Callable[[T], Iterable[Mapping[str, str]]]) -> Predicate[T]:
    """Return whether any record meets a condition, as with extended properties."""
    if node.condition is None:
        raise bad_request("The filter has to name the id of an extended property.")
    prefix = node.variable.lower()
    fields: dict[str, Property[Mapping[str, str]]] = {
        f"{prefix}/id": Property(str, lambda record: record["id"], convert=str),
        f"{prefix}/value": Property(str, lambda record: record["value"].casefold()),
    }
    inner = compile_predicate(node.condition, Schema("Edm.ComplexType", fields, {}))
    return lambda item: any(inner(record) for record in read(item))


def _exists(node: Exists, schema: Schema[T]) -> Predicate[T]:
    records = schema.records.get(node.path.lower())
    if records is not None:
        return _any_record(node, records)
    read = schema.collections.get(node.path.lower())
    if read is None:
        if node.path.lower() in schema.unsupported:
            raise unsupported_filter()
        raise unknown_property(node.path, schema.type_name)
    if node.condition is None:
        return lambda item: any(True for _ in read(item))
    element: Property[str] = Property(str, str.casefold)
    inner = compile_predicate(
        node.condition, Schema("Edm.String", {node.variable.lower(): element}, {})
    )
    return lambda item: any(inner(value) for value in read(item))
