"""The tree of a pattern."""

from typing import TypeAlias

from shared.feel.records import Record

from .charsets import CharSet


class Chars(Record):
    """One character of a set."""

    set: CharSet


class Assertion(Record):
    """A place: `start`, `end`, `line start`, `line end`, `word edge` or `no word edge`."""

    place: str


class Group(Record):
    """A part in parentheses; without a number it captures nothing."""

    inner: "Part"
    number: int | None


class Look(Record):
    """A part that has to follow, or must not, without being taken."""

    inner: "Part"
    negated: bool


class Reference(Record):
    """The text that a group captured, once more."""

    number: int
    ignore_case: bool


class Sequence(Record):
    """Parts one after the other."""

    parts: tuple["Part", ...]


class Choice(Record):
    """Parts of which the first that leads to a match is taken."""

    parts: tuple["Part", ...]


class Repeat(Record):
    """A part some number of times; `most` is None without a limit."""

    inner: "Part"
    least: int
    most: int | None
    greedy: bool


Part: TypeAlias = Chars | Assertion | Group | Look | Reference | Sequence | Choice | Repeat
