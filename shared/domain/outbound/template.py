"""Mail from a template: strings of a send request that are FEEL, over variables in the request.

Only where ``"template": true`` stands in the request, and then in every string that begins with
``=``; so ordinary text that begins so is safe without it. Within a template, text that begins with
``=`` is written as an expression that is a string: ``= "=text"``.

A text field takes text. `to`, `cc`, `bcc`, `replyTo` and `from` take addresses: text, a context
with `address` and `name`, or, but for `from`, a list of both. The bytes of attachments (`content`)
are never evaluated. A request is rendered once, when it is accepted: every attempt sends the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.feel import (
    FeelAssertionError,
    FeelError,
    FeelSyntaxError,
    Limits,
    compile_expression,
    to_json,
)

MOST_EXPRESSIONS = 100
LONGEST_EXPRESSION = 10_000
"""Characters."""

LARGEST_VARIABLES = 1024 * 1024
"""Bytes as JSON."""

SECONDS = 1.0
"""The time that all expressions of a request have together."""

STEPS = 200_000
LONGEST_VALUE = 2_000_000
"""Characters or elements of one value."""

_PEOPLE = frozenset({"to", "cc", "bcc", "replyTo"})
_PERSON = "from"
_NEVER = frozenset({"content"})
_KINDS = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a context"}

Evaluate = Callable[[str, str], Any]


class TemplateError(ValueError):
    """A template has no usable mail; all its problems at once, each with its field.

    Attributes:
        problems: what is wrong, for a person; never a value of a variable.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Unusable(Exception):
    """An expression, or its value, is of no use here."""


def render(request: Mapping[str, Any], now: datetime | None = None) -> dict[str, Any]:
    """The request as it is sent: without `template` and `variables`, all expressions evaluated.

    Args:
        request: JSON of a send request.
        now: what ``now()`` is in expressions.

    Raises:
        TemplateError: it cannot be rendered.
    """
    plain = {k: v for k, v in request.items() if k not in {"template", "variables"}}
    wanted, variables = request.get("template", False), request.get("variables")
    if not isinstance(wanted, bool):
        raise TemplateError(("template: true or false is wanted",))
    if not wanted:
        if variables is not None:
            raise TemplateError(("variables: they are for a template; set template to true",))
        return plain
    if variables is not None and not isinstance(variables, Mapping):
        raise TemplateError(("variables: an object is wanted",))
    if len(msgspec.json.encode(variables)) > LARGEST_VARIABLES:
        raise TemplateError((f"variables: at most {LARGEST_VARIABLES} bytes as JSON",))
    return _Template(variables or {}, now or datetime.now(UTC)).rendered(plain)


class _Template:
    """One rendering."""

    def __init__(self, variables: Mapping[str, Any], now: datetime) -> None:
        self._variables = variables
        # plain words need not be told to the parser, and so share its cache
        self._names = tuple(name for name in map(str, variables) if not name.isidentifier())
        self._now = now
        self._problems: list[str] = []
        self._expressions = 0
        self._ends = time.monotonic() + SECONDS

    def rendered(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request with values in place of expressions."""
        found = {name: self._field(name, value) for name, value in request.items()}
        if self._problems:
            raise TemplateError(tuple(self._problems))
        return found

    def _field(self, name: str, value: Any) -> Any:
        if name in _PEOPLE:
            entries = value if isinstance(value, list) else [value]
            if not isinstance(value, list) and not _is_expression(value):
                return value
            return [
                person
                for number, entry in enumerate(entries)
                for person in self._people(f"{name}[{number}]", entry)
            ]
        if name == _PERSON and _is_expression(value):
            people = self._people(name, value)
            if len(people) == 1:
                return people[0]
            self._problems.append(f"{name}: one address is wanted, not {len(people)}")
            return value
        return self._text(name, value)

    def _people(self, where: str, entry: Any) -> list[Any]:
        if not _is_expression(entry):
            return [self._text(where, entry)]
        value = self._value(where, entry, _people)
        return [] if value is None else value

    def _text(self, where: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                name: one if name in _NEVER else self._text(f"{where}.{name}", one)
                for name, one in value.items()
            }
        if isinstance(value, list):
            return [self._text(f"{where}[{number}]", one) for number, one in enumerate(value)]
        return self._value(where, value, _text) if _is_expression(value) else value

    def _value(self, where: str, expression: str, fit: Callable[[Any], Any]) -> Any:
        """What an expression gives, as it is wanted there; None, and a problem, where it cannot."""
        self._expressions += 1
        if self._expressions > MOST_EXPRESSIONS:
            if self._expressions == MOST_EXPRESSIONS + 1:
                self._problems.append(f"{where}: at most {MOST_EXPRESSIONS} expressions")
            return None
        try:
            return fit(self._evaluated(expression))
        except _Unusable as error:
            self._problems.append(f"{where}: {error}")
            return None

    def _evaluated(self, text: str) -> Any:
        if len(text) > LONGEST_EXPRESSION:
            raise _Unusable(f"an expression has at most {LONGEST_EXPRESSION} characters")
        left = self._ends - time.monotonic()
        if left <= 0:
            raise _Unusable(f"the expressions before it took more than {SECONDS:g} s")
        try:
            result = compile_expression(text, self._names).diagnose(
                self._variables,
                limits=Limits(STEPS, size=LONGEST_VALUE, seconds=left),
                now=self._now,
            )
        except FeelSyntaxError as error:
            raise _Unusable(f"a FEEL expression is wanted. {error}") from None
        except FeelAssertionError:
            # its text may hold a value
            raise _Unusable("an assert in it does not hold") from None
        except FeelError as error:
            raise _Unusable(str(error)) from None
        value = to_json(result.value)
        if value is None:
            why = "; ".join(str(warning) for warning in result.warnings[:3])
            raise _Unusable(f"its value is null{f' ({why})' if why else ''}")
        return value


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("=")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise _Unusable(f"text is wanted, not {_kind(value)}; string(…) makes text of numbers")


def _people(value: Any) -> list[Any]:
    people = value if isinstance(value, list) else [value]
    for person in people:
        if not isinstance(person, str | dict):
            raise _Unusable(
                "addresses are wanted: text, or contexts with address and name, or a list of them;"
                f" not {_kind(person)}"
            )
    return people


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null" if value is None else "this")
