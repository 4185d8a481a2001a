"""`$filter` text to a syntax tree; knows OData's grammar and nothing of mail."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn

from localdev.graph_simulator.errors import bad_query

Literal = str | bool | int | float | datetime | None

COMPARISONS = frozenset(("eq", "ne", "gt", "ge", "lt", "le"))
_MIRRORED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<moment>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_.]*(?:/[A-Za-z_][A-Za-z0-9_.]*)*)
    | (?P<mark>[(),:])
    )""",
    re.VERBOSE,
)
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator literal`."""

    path: str
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Call:
    """`function(path, literal)`."""

    function: str
    path: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Exists:
    """`path/any(variable: condition)`; without a condition, whether there is any."""

    path: str
    variable: str
    condition: Node | None


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean property standing alone."""

    path: str


@dataclass(frozen=True, slots=True)
class Not:
    """`not condition`."""

    condition: Node


@dataclass(frozen=True, slots=True)
class Both:
    """`left and right`."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Either:
    """`left or right`."""

    left: Node
    right: Node


Node = Comparison | Call | Exists | Flag | Not | Both | Either


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter and the properties that it names, in the order of the text."""

    root: Node
    paths: tuple[str, ...]


def parse_filter(source: str) -> Filter:
    """Parse a `$filter`.

    Raises:
        GraphError: 400, with the place where the text stops making sense.
    """
    parser = _Parser(source)
    root = parser.expression(0)
    if parser.token.kind != "end":
        parser.fail()
    return Filter(root, tuple(parser.paths))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


@dataclass
class _Parser:
    source: str
    at: int = 0
    paths: list[str] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.token = self._next()

    def fail(self) -> NoReturn:
        """Refuse the text at the current token."""
        what = f"'{self.token.text}'" if self.token.text else "end of text"
        raise bad_query(
            f"Invalid filter clause: syntax error, unexpected {what} at position {self.token.at} "
            f"in '{self.source}'."
        )

    def expression(self, depth: int) -> Node:
        """Or binds weakest."""
        node = self._conjunction(depth)
        while self._keyword("or"):
            node = Either(node, self._conjunction(depth))
        return node

    def _conjunction(self, depth: int) -> Node:
        node = self._negation(depth)
        while self._keyword("and"):
            node = Both(node, self._negation(depth))
        return node

    def _negation(self, depth: int) -> Node:
        if self._keyword("not"):
            return Not(self._negation(_deeper(depth)))
        return self._primary(depth)

    def _primary(self, depth: int) -> Node:
        if self._mark("("):
            node = self.expression(_deeper(depth))
            self._expect(")")
            return node
        if self.token.kind == "name" and not self._is_literal_name():
            name = self._take().text
            if self._mark("("):
                return self._called(name, depth)
            return self._compared(self._path(name))
        value = self._literal()
        operator = self._operator()
        path = self._path(self._take("name").text)
        return Comparison(path, _MIRRORED.get(operator, operator), value)

    def _called(self, name: str, depth: int) -> Node:
        path, _, last = name.rpartition("/")
        if path and last.lower() == "any":
            return self._any(self._path(path), depth)
        if path:
            self.fail()
        argument = self._path(self._take("name").text)
        self._expect(",")
        value = self._literal()
        self._expect(")")
        call = Call(name.lower(), argument, value)
        if self.token.text.lower() in ("eq", "ne"):
            operator = self._operator()
            truth = self._literal() is (operator == "eq")
            return call if truth else Not(call)
        return call

    def _any(self, path: str, depth: int) -> Node:
        if self._mark(")"):
            return Exists(path, "", None)
        variable = self._take("name").text
        self._expect(":")
        self.variables.append(variable)
        condition = self.expression(_deeper(depth))
        self.variables.pop()
        self._expect(")")
        return Exists(path, variable, condition)

    def _compared(self, path: str) -> Node:
        if self.token.text.lower() not in COMPARISONS:
            return Flag(path)
        operator = self._operator()
        return Comparison(path, operator, self._literal())

    def _path(self, name: str) -> str:
        if name.split("/", 1)[0] not in self.variables and name not in self.paths:
            self.paths.append(name)
        return name

    def _operator(self) -> str:
        operator = self.token.text.lower()
        if self.token.kind != "name" or operator not in COMPARISONS:
            self.fail()
        self._take()
        return operator

    def _is_literal_name(self) -> bool:
        return self.token.text.lower() in ("true", "false", "null")

    def _literal(self) -> Literal:
        kind, text = self.token.kind, self.token.text
        if kind == "text":
            value: Literal = text[1:-1].replace("''", "'")
        elif kind == "moment":
            value = self._moment(text)
        elif kind == "number":
            value = float(text) if "." in text else int(text)
        elif kind == "name" and self._is_literal_name():
            value = {"true": True, "false": False, "null": None}[text.lower()]
        else:
            self.fail()
        self._take()
        return value

    def _moment(self, text: str) -> datetime:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail()
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

    def _keyword(self, word: str) -> bool:
        if self.token.kind == "name" and self.token.text.lower() == word:
            self._take()
            return True
        return False

    def _mark(self, mark: str) -> bool:
        if self.token.kind == "mark" and self.token.text == mark:
            self._take()
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._mark(mark):
            self.fail()

    def _take(self, kind: str | None = None) -> _Token:
        token = self.token
        if kind is not None and token.kind != kind:
            self.fail()
        self.token = self._next()
        return token

    def _next(self) -> _Token:
        if not self.source[self.at :].strip():
            return _Token("end", "", len(self.source))
        match = _TOKEN.match(self.source, self.at)
        if match is None or match.lastgroup is None:
            raise bad_query(f"Invalid filter clause: syntax error at position {self.at}.")
        self.at = match.end()
        return _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup))


def _deeper(depth: int) -> int:
    """Count one more level of nesting; a limit keeps hostile filters from exhausting the stack."""
    if depth >= _DEEPEST:
        raise bad_query("The node count limit of a filter has been exceeded.")
    return depth + 1
