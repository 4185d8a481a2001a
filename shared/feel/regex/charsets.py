r"""Sets of characters: what a class such as `[a-z-[aeiou]]` or `\p{Lu}` holds."""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from .blocks import BLOCKS

Predicate = Callable[[str], bool]

_SPACES: Final = " \t\n\r\x0b\f"
_NAME_START: Final = (
    (":", ":"),
    ("A", "Z"),
    ("_", "_"),
    ("a", "z"),
    ("\u00c0", "\u00d6"),
    ("\u00d8", "\u00f6"),
    ("\u00f8", "\u02ff"),
    ("\u0370", "\u037d"),
    ("\u037f", "\u1fff"),
    ("\u200c", "\u200d"),
    ("\u2070", "\u218f"),
    ("\u2c00", "\u2fef"),
    ("\u3001", "\ud7ff"),
    ("\uf900", "\ufdcf"),
    ("\ufdf0", "\ufffd"),
    ("\U00010000", "\U000effff"),
)
_NAME_MORE: Final = (
    ("-", "."),
    ("0", "9"),
    ("\u00b7", "\u00b7"),
    ("\u0300", "\u036f"),
    ("\u203f", "\u2040"),
)
_CATEGORIES: Final = re.compile("C[cfnos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?")
_ASCII: Final[dict[str, str]] = {
    "Lower": "abcdefghijklmnopqrstuvwxyz",
    "Upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "Digit": "0123456789",
    "XDigit": "0123456789abcdefABCDEF",
    "Punct": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "Space": _SPACES,
    "Blank": " \t",
}
_ASCII["Alpha"] = _ASCII["Lower"] + _ASCII["Upper"]
_ASCII["Alnum"] = _ASCII["Alpha"] + _ASCII["Digit"]
_MEMORY: Final = 512


def _within(ranges: tuple[tuple[str, str], ...]) -> Predicate:
    return lambda char: any(low <= char <= high for low, high in ranges)


def _is_word(char: str) -> bool:
    return char == "_" or char.isalnum()


ESCAPES: Final[dict[str, Predicate]] = {
    "d": str.isdecimal,
    "w": _is_word,
    "s": lambda char: char in _SPACES,
    "i": _within(_NAME_START),
    "c": _within(_NAME_START + _NAME_MORE),
}
"""The classes of one letter; in upper case each is its complement."""

PLAIN_SOURCES: Final = {"d": r"\d", "w": r"\w", "s": r" \t\n\r\x0b\f"}
"""How Python's `re` writes, inside brackets, those that it has."""


def property_class(name: str) -> Predicate | None:
    r"""Return the class of `\p{name}`: a category, a block, or one of Java's ASCII classes."""
    if _CATEGORIES.fullmatch(name):
        return lambda char: unicodedata.category(char).startswith(name)
    if name in _ASCII:
        members = frozenset(_ASCII[name])
        return members.__contains__
    if name.startswith("Is") and name[2:] in BLOCKS:
        low, high = BLOCKS[name[2:]]
        return lambda char: low <= ord(char) <= high
    return None


class CharSet:
    """A set of characters.

    Attributes:
        singles: Characters that belong to it.
        ranges: First and last characters of ranges that do.
        classes: Predicates, each with whether its complement is meant, and its source for `re`.
        negated: Whether it is all characters but those.
        minus: A set that is taken away from it.
        ignore_case: Whether a character also counts in its other cases.
        known: What has been found out of characters so far.
    """

    def __init__(self, *singles: str, negated: bool = False) -> None:
        self.singles = set(singles)
        self.ranges: list[tuple[str, str]] = []
        self.classes: list[tuple[Predicate, bool, str]] = []
        self.negated = negated
        self.minus: CharSet | None = None
        self.ignore_case = False
        self.known: dict[str, bool] = {}

    def has(self, char: str) -> bool:
        """Tell whether a character belongs to the set."""
        known = self.known.get(char)
        return self.decide(char) if known is None else known

    def decide(self, char: str) -> bool:
        """Find out whether a character belongs to the set, and keep that in `known`."""
        cases = _cases(char) if self.ignore_case else (char,)
        held = any(map(self._holds, cases)) is not self.negated
        verdict = held and not (self.minus is not None and self.minus.has(char))
        if len(self.known) >= _MEMORY:
            self.known.clear()
        self.known[char] = verdict
        return verdict

    def only(self) -> str | None:
        """Return the one character of the set, or None where it has any other number of them."""
        if self.negated or self.ranges or self.classes or self.ignore_case or self.minus:
            return None
        return next(iter(self.singles)) if len(self.singles) == 1 else None

    def _holds(self, char: str) -> bool:
        return (
            char in self.singles
            or any(low <= char <= high for low, high in self.ranges)
            or any(test(char) is not complement for test, complement, _ in self.classes)
        )

    def source(self) -> str | None:
        """Return the set as Python's `re` writes it, or None where that cannot."""
        parts = [_escape(char) for char in sorted(self.singles)]
        parts += [f"{_escape(low)}-{_escape(high)}" for low, high in self.ranges]
        for _, complement, text in self.classes:
            if not text or (complement and text == PLAIN_SOURCES["s"]):
                return None
            parts.append(text.upper() if complement else text)
        if not parts:
            return r"[\s\S]" if self.negated and self.minus is None else None
        text = f"[{'^' if self.negated else ''}{''.join(parts)}]"
        if self.minus is None:
            return text
        minus = self.minus.source()
        return minus and f"(?:(?!{minus}){text})"


def _escape(char: str) -> str:
    return f"\\U{ord(char):08x}"


def _cases(char: str) -> tuple[str, ...]:
    return (char, *(other for other in (char.lower(), char.upper()) if len(other) == 1))
