"""OData parameters that callers may pass on to Graph, and what values make sense.

Source: query parameters of list messages, get message and list mailFolders (Microsoft Graph v1.0);
a page of messages has 1 to 1000 entries, `$search` goes with neither `$filter` nor `$orderby`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

LARGEST_PAGE = 1000
LONGEST_VALUE = 4000
LONGEST_QUERY = 4500
"""Characters of all parameters, escaped: the link to the rest of a list carries them."""

MOST_SKIPPED = 1_000_000

_NAMES = r"^[A-Za-z@][A-Za-z0-9_.@/]*(,[A-Za-z@][A-Za-z0-9_.@/]*)*$(?!\n)"
_ORDERS = r"^[A-Za-z][A-Za-z0-9_/]*( (asc|desc))?(,[A-Za-z][A-Za-z0-9_/]*( (asc|desc))?)*$(?!\n)"
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_EXPANDABLE = re.compile(
    r" *(attachments|singleValueExtendedProperties|childFolders|extensions) *(\(.*\))? *"
)


@dataclass(frozen=True, slots=True)
class Option:
    """One parameter.

    Args:
        meaning: for people.
        schema: JSON Schema of its value.
        check: gives what is allowed where a value is not, else nothing.
    """

    meaning: str
    schema: Mapping[str, Any]
    check: Callable[[str], str]


def _number(least: int, most: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        fits = value.isascii() and value.isdigit() and len(value) < 10  # noqa: PLR2004 - digits
        return "" if fits and least <= int(value) <= most else f"a number from {least} to {most}"

    return check


def _matching(pattern: str, allowed: str) -> Callable[[str], str]:
    return lambda value: "" if re.search(pattern, value) else allowed


def _condition(value: str) -> str:
    """Quotes and parentheses must match: then it cannot end early, whoever wrote its parts."""
    outside = _QUOTED.sub("", value)
    depth = 0
    for character in outside:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            break
    if not value.strip() or depth or "'" in outside:
        return "an OData condition whose quotes and parentheses match"
    return ""


def _expansion(value: str) -> str:
    if _condition(value) or not all(map(_EXPANDABLE.fullmatch, _parts(value))):
        return (
            "attachments, singleValueExtendedProperties, childFolders or extensions, with options"
        )
    return ""


def _parts(value: str) -> list[str]:
    """What commas part, but for those in quotes or parentheses, which match."""
    parts, depth, is_quoted = [""], 0, False
    for character in value:
        is_quoted ^= character == "'"
        if not is_quoted:
            depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth and not is_quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _text(meaning: str, check: Callable[[str], str], pattern: str = "") -> Option:
    schema: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST_VALUE}
    return Option(meaning, schema | ({"pattern": pattern} if pattern else {}), check)


def _whole(meaning: str, least: int, most: int) -> Option:
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Option(meaning, schema, _number(least, most))


SELECT = _text("Properties to give.", _matching(_NAMES, "names parted by commas"), _NAMES)
EXPAND = _text("Related things to bring along, such as `attachments`.", _expansion)
ONE: Mapping[str, Option] = {"$select": SELECT, "$expand": EXPAND}
"""Parameters of one message."""

LIST: Mapping[str, Option] = {
    "$top": _whole("How many on a page.", 1, LARGEST_PAGE),
    "$skip": _whole("How many to leave out at the beginning.", 0, MOST_SKIPPED),
    "$filter": _text("An OData condition.", _condition),
    "$select": SELECT,
    "$orderby": _text(
        "Order; each property must lead the filter as well.",
        _matching(_ORDERS, "properties with asc or desc, parted by commas"),
        _ORDERS,
    ),
    "$search": _text("Words to look for, in double quotes.", lambda _: ""),
    "$count": Option(
        "Whether the number of all matches is wanted.",
        {"type": "boolean"},
        _matching(r"^(true|false)$(?!\n)", "true or false"),
    ),
    "$expand": EXPAND,
}
"""Parameters of a list."""

_GOING_ON = ("$skiptoken", "$deltatoken")


def checked(query: Mapping[str, str], options: Mapping[str, Option]) -> dict[str, str]:
    """Parameters that may go to Graph.

    Raises:
        ValueError: some may not; says which, and what is allowed, all of them at once.
    """
    problems = []
    for name, value in query.items():
        option = options.get(name)
        if option is None:
            problems.append(f"{name!r} is not known; allowed: {', '.join(options) or 'none'}")
        elif len(value) > LONGEST_VALUE or _CONTROL.search(value):
            problems.append(f"{name}: at most {LONGEST_VALUE} characters on one line")
        elif not value or (allowed := option.check(value)):
            problems.append(f"{name}: {allowed if value else 'a value'} is wanted")
    if "$search" in query and {"$filter", "$orderby"} & query.keys():
        problems.append("$search goes with neither $filter nor $orderby")
    if len(urlencode(query, quote_via=quote, safe="", errors="replace")) > LONGEST_QUERY:
        problems.append(f"at most {LONGEST_QUERY} characters together, when they are escaped")
    if problems:
        raise ValueError("; ".join(problems))
    return dict(query)


def check_rest(query: Mapping[str, str]) -> None:
    """Lets parameters of the rest of a list pass: those of lists, and where Graph goes on.

    Their values are Graph's to judge, which wrote them, but for what brings other things along.

    Raises:
        ValueError: there is another one.
    """
    names = {name.lower() for name in query}
    if not names <= {*LIST, *_GOING_ON} or any(
        _expansion(value) for name, value in query.items() if name.lower() == "$expand"
    ):
        raise ValueError("parameters of a list")
