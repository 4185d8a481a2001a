"""Reads Bicep files as data: parameters, resources, modules and outputs, with their values.

It reads what this project's templates use; it evaluates nothing. What a file says is a literal
where it is one, and else an :class:`Expression`.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

INFRA = Path(__file__).resolve().parent
MAIN = INFRA / "main.bicep"
CONNECTOR = INFRA / "connector.bicep"

_LANGUAGE = Language(tree_sitter_bicep.language())


class TemplateError(Exception):
    """A file is not Bicep, as far as the parser knows it."""


@dataclass(frozen=True, slots=True)
class Expression:
    """What is computed when the template is deployed.

    Args:
        text: as it stands in the file, on one line.
        names: the identifiers in it.
    """

    text: str
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter; `default` is None where a value must be given."""

    name: str
    type: str
    default: Any
    decorators: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource; of a loop, what one turn makes.

    Args:
        condition: when it is made; empty: always.
        loop: what it is made for; empty: once.
        names: every identifier that its declaration uses.
    """

    symbol: str
    type: str
    api_version: str
    existing: bool
    condition: str
    loop: str
    body: Mapping[str, Any]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Module:
    """A module: which file, and with what parameters."""

    symbol: str
    path: Path
    condition: str
    parameters: Mapping[str, Any]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Output:
    """An output."""

    name: str
    type: str
    value: Any


@dataclass(slots=True)
class Template:
    """One file."""

    path: Path
    scope: str = "resourceGroup"
    extensions: list[str] = field(default_factory=list)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)


def templates() -> list[Template]:
    """Every Bicep file of the project."""
    return [read(path) for path in sorted(INFRA.rglob("*.bicep"))]


def read(path: Path) -> Template:
    """Reads a file.

    Raises:
        TemplateError: the parser does not understand it; it says where.
    """
    template = Template(path)
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("extension "):  # younger than the grammar
            template.extensions.append(line.split()[1])
            lines[number] = ""
    root = Parser(_LANGUAGE).parse("\n".join(lines).encode()).root_node
    for error in _errors(root):
        raise TemplateError(f"{path.name}:{error.start_point.row + 1}: {_text(error)[:60]}")
    decorators: Mapping[str, Any] = {}
    for node in root.named_children:
        if node.type == "decorators":
            decorators = _decorators(node)
        elif node.type != "comment":
            _declare(node, decorators, template)
            decorators = {}
    return template


def _errors(node: Node) -> Iterator[Node]:
    if node.type == "ERROR" or node.is_missing:
        yield node
    for child in node.children:
        yield from _errors(child)


def _declare(node: Node, decorators: Mapping[str, Any], into: Template) -> None:
    parts = _parts(node)
    name = _text(parts[0])
    match node.type:
        case "target_scope_assignment":
            into.scope = str(_value(parts[0]))
        case "parameter_declaration":
            default = _value(parts[2]) if len(parts) > 2 else None  # noqa: PLR2004 - name, type
            into.parameters[name] = Parameter(name, _text(parts[1]), default, decorators)
        case "variable_declaration":
            into.variables[name] = _value(parts[1])
        case "output_declaration":
            into.outputs[name] = Output(name, _text(parts[1]), _value(parts[2]))
        case "resource_declaration":
            for resource in _resources(node, None):
                into.resources[resource.symbol] = resource
        case "module_declaration":
            body, condition, _ = _body(parts[2])
            into.modules[name] = Module(
                symbol=name,
                path=into.path.parent / str(_value(parts[1])),
                condition=condition,
                parameters=body.get("params", {}),
                names=_names(parts[2]),
            )
        case other:
            raise TemplateError(f"{into.path.name}:{node.start_point.row + 1}: {other}")


def _resources(node: Node, parent: Resource | None) -> Iterator[Resource]:
    """A resource and those nested in it."""
    parts = _parts(node)
    type_, _, version = str(_value(parts[1])).partition("@")
    body, condition, loop = _body(parts[2])
    resource = Resource(
        symbol=_text(parts[0]),
        type=f"{parent.type}/{type_}" if parent else type_,
        api_version=version or (parent.api_version if parent else ""),
        existing=any(child.type == "existing" for child in node.children),
        condition=condition,
        loop=loop,
        body=body,
        names=_names(parts[2]) | ({parent.symbol} if parent else set()),
    )
    yield resource
    for nested in _nested(parts[2]):
        yield from _resources(nested, resource)


def _nested(node: Node) -> Iterator[Node]:
    for child in node.named_children:
        if child.type == "resource_declaration":
            yield child
        elif child.type in {"object", "object_property", "for_statement", "if_statement"}:
            yield from _nested(child)


def _body(node: Node) -> tuple[Mapping[str, Any], str, str]:
    """The object that a declaration gives, its condition and its loop."""
    if node.type == "if_statement":
        guard, inner = _parts(node)
        return _body(inner)[0], _text(guard)[1:-1], ""
    if node.type == "for_statement":
        *head, inner = _parts(node)
        body, condition, _ = _body(inner)
        return body, condition, _text(head[-1])
    body = _value(node)
    if not isinstance(body, dict):
        raise TemplateError(f"line {node.start_point.row + 1}: no object")
    return body, "", ""


def _decorators(node: Node) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for decorator in node.named_children:
        call = decorator.named_children[0]
        name, arguments = call.named_children
        values = [_value(one) for one in _parts(arguments)]
        found[_text(name)] = values[0] if values else True
    return found


def _value(node: Node) -> Any:
    """What a node says, where it says it literally."""
    reader = _LITERALS.get(node.type)
    if reader is None or (node.type == "string" and _has_interpolation(node)):
        return Expression(" ".join(_text(node).split()), _names(node))
    return reader(node)


def _has_interpolation(node: Node) -> bool:
    return any(one.type == "interpolation" for one in node.named_children)


def _object(node: Node) -> dict[str, Any]:
    found = {}
    for entry in node.named_children:
        if entry.type == "object_property" and len(_parts(entry)) > 1:
            key, value = _parts(entry)
            found[str(_value(key)) if key.type == "string" else _text(key)] = _value(value)
    return found


def _array(node: Node) -> list[Any]:
    """The elements; refuses those that the grammar tears in two: `[ names[key()] ]`."""
    parts = _parts(node)
    for one, other in itertools.pairwise(parts):
        between = (node.text or b"")[
            one.end_byte - node.start_byte : other.start_byte - node.start_byte
        ]
        if not between.strip(b" "):
            line = other.start_point.row + 1
            raise TemplateError(f"line {line}: {_text(other)[:60]} is torn off; use a variable")
    return [_value(one) for one in parts]


_LITERALS: Mapping[str, Callable[[Node], Any]] = {
    "object": _object,
    "array": _array,
    "string": lambda node: _string(_text(node)),
    "number": lambda node: int(_text(node)),
    "boolean": lambda node: _text(node) == "true",
    "null": lambda _: None,
    "for_statement": lambda node: [_value(_parts(node)[-1])],
}


def _string(text: str) -> str:
    if text.startswith("'''"):
        return text[3:-3].removeprefix("\n")
    # Bicep's escapes are Python's, but for the dollar sign
    return str(ast.literal_eval(text.replace("\\$", "$")))


def _names(node: Node) -> frozenset[str]:
    found = {_text(node)} if node.type == "identifier" else set()
    return frozenset(found.union(*(_names(child) for child in node.named_children)))


def _parts(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type not in {"comment", "decorators"}]


def _text(node: Node) -> str:
    return (node.text or b"").decode()
