"""How much backtracking a pattern can cause at worst, and its form for Python's `re`.

`re` backtracks: `(a+)+b` takes ages over thirty letters, `.*a.*b` over a long mail. It is used
where the worst case, computed here, is small; `matcher.py` does the rest, in time that grows with
the text and no faster.
"""

from collections.abc import Callable
from typing import Any, Final

from shared.feel.records import Record

from .nodes import Assertion, Chars, Choice, Group, Look, Part, Reference, Repeat, Sequence

_UNBOUNDED: Final = 99
"""A degree that no text is short enough for."""

_MOST_WAYS: Final = 10**6


class Ways(Record):
    """An upper bound, as `factor * length ** degree`, of the ways to match from one place."""

    factor: int = 1
    degree: int = 0

    def times(self, other: "Ways") -> "Ways":
        """Return the bound for one part after the other."""
        return Ways(min(self.factor * other.factor, _MOST_WAYS), self.degree + other.degree)

    def plus(self, other: "Ways") -> "Ways":
        """Return the bound for one part or the other."""
        factor = min(self.factor + other.factor, _MOST_WAYS)
        return Ways(factor, max(self.degree, other.degree))

    def over(self, length: int) -> float:
        """Return the bound for a text of this length, from all of its places."""
        if self.degree >= _UNBOUNDED or self.factor >= _MOST_WAYS:
            return float("inf")
        return float(self.factor) * float(length + 1) ** (self.degree + 1)


def ways(part: Part) -> Ways:
    """Return the bound for a whole pattern."""
    parts = part.parts if isinstance(part, Sequence) else (part,)
    total = Ways()
    for place, inner in enumerate(parts):
        # A repeated character at the very end is never taken back: nothing after it can fail.
        last = place == len(parts) - 1
        if last and isinstance(inner, Repeat) and isinstance(inner.inner, Chars):
            return total
        total = total.times(_ways(inner))
    return total


def _ways(part: Part) -> Ways:
    if isinstance(part, (Chars, Assertion)):
        return Ways()
    if isinstance(part, (Group, Look)):
        return _ways(part.inner)
    if isinstance(part, Reference):
        return Ways(1, 1)
    total = Ways(1 if isinstance(part, Sequence) else 0)
    if isinstance(part, Sequence):
        for inner in part.parts:
            total = total.times(_ways(inner))
        return total
    if isinstance(part, Choice):
        for inner in part.parts:
            total = total.plus(_ways(inner))
        return total
    return _repeat_ways(part)


def _repeat_ways(part: Repeat) -> Ways:
    inner = _ways(part.inner)
    single = inner == Ways() and _fixed_length(part.inner)
    if part.most is None:
        # Each turn takes the same text in one way, so only the number of turns is open.
        return Ways(1, 1) if single else Ways(1, _UNBOUNDED)
    if single:
        return Ways(part.most - part.least + 1)
    if part.most > 8:  # noqa: PLR2004 - the bound would be past all use
        return Ways(1, _UNBOUNDED)
    total = Ways()
    for _ in range(part.most):
        total = total.times(inner.plus(Ways()))
    return total


def _fixed_length(part: Part) -> int:
    """Return how many characters a part always takes; 0 where that varies."""
    if isinstance(part, Chars):
        return 1
    if isinstance(part, Group):
        return _fixed_length(part.inner)
    if isinstance(part, Sequence):
        lengths = [_fixed_length(inner) for inner in part.parts]
        return sum(lengths) if all(lengths) else 0
    return 0


_PLACES: Final = {
    "start": r"\A",
    "end": r"\Z",
    # XPath has no line after a newline that ends the text.
    "line start": r"(?:\A|(?<=\n)(?!\Z))",
    "line end": r"(?=\n|\Z)",
    "word edge": r"\b",
    "no word edge": r"\B",
}


def source(part: Part) -> str | None:
    """Return the pattern as Python's `re` writes it, or None where that cannot."""
    return _WRITERS[type(part)](part)


def _chars(part: Chars) -> str | None:
    text = part.set.source()
    return text and (f"(?i:{text})" if part.set.ignore_case else text)


def _group(part: Group) -> str | None:
    inner = source(part.inner)
    return None if inner is None else f"({'?:' if part.number is None else ''}{inner})"


def _look(part: Look) -> str | None:
    inner = source(part.inner)
    return None if inner is None else f"(?{'!' if part.negated else '='}{inner})"


def _repeat(part: Repeat) -> str | None:
    inner = source(part.inner)
    count = f"{{{part.least},{'' if part.most is None else part.most}}}"
    return None if inner is None else f"(?:{inner}){count}{'' if part.greedy else '?'}"


def _joined(separator: str, parts: tuple[Part, ...]) -> str | None:
    texts = [source(inner) for inner in parts]
    if None in texts:
        return None
    return f"(?:{separator.join(text or '' for text in texts)})"


_WRITERS: Final[dict[type[Part], Callable[[Any], str | None]]] = {
    Chars: _chars,
    Assertion: lambda part: _PLACES[part.place],
    # XPath has a group that took no part match the empty text; `re` has it fail.
    Reference: lambda _: None,
    Group: _group,
    Look: _look,
    Repeat: _repeat,
    Sequence: lambda part: _joined("", part.parts),
    Choice: lambda part: _joined("|", part.parts),
}
