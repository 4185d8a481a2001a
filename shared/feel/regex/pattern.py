"""A compiled pattern, and what the functions of strings do with it."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from shared.feel.diagnostics import UnfitError

from .cost import source, ways
from .matcher import Charge, Matcher, Spans
from .parser import PatternParser
from .program import Program

_CHEAP: Final = 4_000_000
"""The worst case, in elementary moves, up to which Python's `re` is used: some tens of ms."""

_MOST_STEPS: Final = 256
_SHORT: Final = 256
_SMALL: Final = 500
"""Instructions of a pattern that is kept."""

_REPLACEMENT: Final = re.compile(r"\\(.)|\$([0-9]{1,2})|([\\$])", re.DOTALL)


def compile_pattern(text: str, flags: str = "") -> "Pattern":
    """Return a compiled pattern; the last 256 short ones are kept.

    Args:
        text: The pattern, as XPath or Java has it.
        flags: Any of `s`, `m`, `i`, `x`, `q` (XPath Functions 3.1, 5.6.2).

    Raises:
        UnfitError: It is no pattern, or too large a one.
    """
    # A pattern may come from a mail as well: what is kept of it is to stay small.
    if len(text) > _SHORT:
        return Pattern(text, flags)
    try:
        return _kept(text, flags)
    except _LargePatternError as error:
        return error.pattern


@lru_cache(maxsize=256)
def _kept(text: str, flags: str) -> "Pattern":
    pattern = Pattern(text, flags)
    # What ends in an error is not kept.
    if pattern.size > _SMALL:
        raise _LargePatternError(pattern)
    return pattern


class _LargePatternError(Exception):
    """Raised with a pattern whose text is short, but whose repetitions are many."""

    def __init__(self, pattern: "Pattern") -> None:
        super().__init__()
        self.pattern = pattern


class Pattern:
    """A pattern over texts.

    Attributes:
        size: Its number of instructions.

    Each method is told the `charge` of the evaluation, which ends it where it takes too much.
    """

    def __init__(self, text: str, flags: str) -> None:
        parser = PatternParser(text, flags)
        part = parser.parse()
        self.groups = parser.groups
        self.literal = "q" in flags
        self._references = parser.references
        self._program = Program(part, parser.groups)
        self.size = self._program.size
        self._ways = ways(part)
        python = source(part)
        self._python = None if python is None else re.compile(python)

    def _searcher(self, text: str, charge: Charge) -> Callable[[int], Spans | None]:
        worst = self._ways.over(len(text)) * len(self._program.code)
        python = self._python
        if python is None or worst > _CHEAP:
            return Matcher(self._program, text, charge, remember=not self._references).search

        # What may take long makes the evaluation look at its clock.
        charge(min(int(worst) >> 12, _MOST_STEPS))

        def search(start: int) -> Spans | None:
            found = python.search(text, start)
            return found and tuple(edge for span in found.regs for edge in span)

        return search

    def found_in(self, text: str, charge: Charge) -> bool:
        """Tell whether the pattern matches anywhere in a text."""
        return self._searcher(text, charge)(0) is not None

    def _matches(self, text: str, charge: Charge) -> Iterator[Spans]:
        search = self._searcher(text, charge)
        place = 0
        while place <= len(text):
            found = search(place)
            if found is None:
                return
            charge(1)
            yield found
            place = found[1] + (found[0] == found[1])

    def extract(self, text: str, charge: Charge) -> list[str]:
        """Return the parts of a text that match."""
        return [text[found[0] : found[1]] for found in self._matches(text, charge)]

    def split(self, text: str, charge: Charge) -> list[str]:
        """Return what stands before, between and after the matches in a text."""
        parts: list[str] = []
        place = 0
        for found in self._matches(text, charge):
            if found[0] == found[1] and found[0] in (0, len(text)):
                continue
            parts.append(text[place : found[0]])
            place = found[1]
        return [*parts, text[place:]]

    def replace(
        self, text: str, replacement: str, charge: Charge, room_for: Callable[[int], None]
    ) -> str:
        """Return a text with each match replaced; `$1` stands for the first group's part.

        Raises:
            UnfitError: The replacement names a group that the pattern does not have.
        """
        pieces = [replacement] if self.literal else self._pieces(replacement)
        parts: list[str] = []
        place = size = 0
        for found in self._matches(text, charge):
            parts.append(text[place : found[0]])
            for piece in pieces:
                if isinstance(piece, str):
                    parts.append(piece)
                elif found[2 * piece] >= 0:
                    parts.append(text[found[2 * piece] : found[2 * piece + 1]])
                size += len(parts[-1])
            place = found[1]
            charge(len(pieces))
            room_for(size)
        return "".join([*parts, text[place:]])

    def _pieces(self, replacement: str) -> list[str | int]:
        """Return a replacement as texts and numbers of groups."""
        pieces: list[str | int] = []
        place = 0
        for match in _REPLACEMENT.finditer(replacement):
            pieces.append(replacement[place : match.start()])
            place = match.end()
            if match[3]:
                raise UnfitError("in the replacement a '$' or '\\' by itself is written '\\$'")
            if match[1]:
                pieces.append(match[1])
                continue
            digits = match[2]
            # As many digits as still name a group; the rest is text.
            if int(digits) > self.groups and len(digits) > 1:
                digits = digits[:1]
                place -= 1
            if int(digits) > self.groups:
                raise UnfitError(f"the pattern has no group {digits} to put in")
            pieces.append(int(digits))
        return [piece for piece in (*pieces, replacement[place:]) if piece != ""]
