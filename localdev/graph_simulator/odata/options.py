"""The query options of a request: `$select`, `$expand`, `$filter`, `$orderby` and the others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from localdev.graph_simulator.errors import bad_query, bad_request

_KNOWN = frozenset(
    [
        "select",
        "expand",
        "filter",
        "orderby",
        "top",
        "skip",
        "count",
        "search",
        "skiptoken",
        "format",
    ]
)
_ORDER = re.compile(r"^\s*([\w/]+)(?:\s+(asc|desc))?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Order:
    """One property to sort by."""

    path: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Expand:
    """One navigation property to bring along, with options of its own."""

    name: str
    select: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Options:
    """The parsed query options of a request."""

    select: tuple[str, ...] = ()
    expand: tuple[Expand, ...] = ()
    filter: str = ""
    order_by: tuple[Order, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    search: str = ""
    skip_token: str = ""
    include_hidden: bool = False


NO_OPTIONS = Options()


def parse_options(query: Iterable[tuple[str, str]]) -> Options:
    """Parse a query; names may lack their dollar sign, as Graph allows.

    Raises:
        GraphError: 400, for unknown or malformed options.
    """
    found: dict[str, str] = {}
    include_hidden = False
    for name, value in query:
        plain = name.lower().removeprefix("$")
        if plain == "includehiddenfolders":
            include_hidden = value.lower() == "true"
        elif plain in _KNOWN:
            if plain in found:
                raise bad_query(f"Query option '{name}' was specified more than once.")
            found[plain] = value
        elif name.startswith("$"):
            raise bad_query(f"The query parameter '{name}' is not supported.")
    if not found and not include_hidden:
        return NO_OPTIONS
    return Options(
        select=_names(found.get("select", "")),
        expand=tuple(_expand(each) for each in _split(found.get("expand", ""), ",")),
        filter=found.get("filter", "").strip(),
        order_by=tuple(_order(each) for each in _names(found.get("orderby", ""))),
        top=_number("top", found["top"]) if "top" in found else None,
        skip=_number("skip", found.get("skip", "0")),
        count=_boolean("count", found.get("count", "false")),
        search=found.get("search", "").strip(),
        skip_token=found.get("skiptoken", ""),
        include_hidden=include_hidden,
    )


def _names(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _number(name: str, value: str) -> int:
    if not value.isdigit():
        raise bad_query(
            f"Invalid value '{value}' for ${name} query option found. "
            f"The ${name} query option requires a non-negative integer value."
        )
    return int(value)


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise bad_query(f"Invalid value '{value}' for ${name} query option found.")
    return value.lower() == "true"


def _order(value: str) -> Order:
    match = _ORDER.match(value)
    if match is None:
        raise bad_query(f"Syntax error in $orderby: '{value}'.")
    return Order(match[1], descending=(match[2] or "").lower() == "desc")


def _expand(value: str) -> Expand:
    name, bracket, rest = value.strip().partition("(")
    if not bracket:
        return Expand(name)
    if not rest.endswith(")"):
        raise bad_request(f"Parsing OData Select and Expand failed: '{value}'.")
    options: dict[str, str] = {}
    for option in _split(rest[:-1], ";"):
        key, _, setting = option.partition("=")
        options[key.strip().lower().removeprefix("$")] = setting.strip()
    return Expand(name.strip(), _names(options.get("select", "")), options)


def _split(value: str, separator: str) -> list[str]:
    """Split at separators that stand in no parentheses and no quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, character in enumerate(value):
        if character == "'":
            quoted = not quoted
        elif not quoted and character in "()":
            depth += 1 if character == "(" else -1
        elif not quoted and depth == 0 and character == separator:
            parts.append(value[start:at])
            start = at + 1
    return [part for part in (*parts, value[start:]) if part.strip()]
