r"""Reading patterns: XPath's regular expressions (XPath Functions 3.1, 5.6) and Java's habits.

DMN 1.5 takes XPath's; people who know Camunda write Java's. What means the same in both is read,
and of what only Java has: groups with flags, lookahead, `\\b`, `\\A`, `\\z`, `\\Q…\\E`.
"""

import re
from typing import Final

from shared.feel.diagnostics import UnfitError

from .charsets import ESCAPES, PLAIN_SOURCES, CharSet, Predicate, property_class
from .nodes import Assertion, Chars, Choice, Group, Look, Part, Reference, Repeat, Sequence

MAX_LENGTH: Final = 4096
MAX_GROUPS: Final = 99
MAX_NESTING: Final = 40
MAX_COUNT: Final = 1000

_FLAGS: Final = "smixq"
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "e": "\x1b", "a": "\a"}
_PLACES: Final = {"b": "word edge", "B": "no word edge", "A": "start", "z": "end", "Z": "end"}
_COUNT: Final = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{1,4})?)?\}")
_INLINE: Final = re.compile(r"\?([smix]*)(?:-([smix]+))?([:)])")
_NAMED: Final = re.compile(r"\?<[A-Za-z][A-Za-z0-9]*>")
_HEX: Final = re.compile(r"u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})")


class PatternParser:
    """Reads one pattern.

    Attributes:
        groups: How many groups capture, once it is read.
        references: Whether the pattern refers back to any.
    """

    def __init__(self, pattern: str, flags: str) -> None:
        if not set(flags) <= set(_FLAGS):
            raise UnfitError(f"the flags may be {', '.join(_FLAGS)}")
        if len(pattern) > MAX_LENGTH:
            raise UnfitError(f"the pattern is longer than {MAX_LENGTH} characters")
        self.text = pattern
        self.flags = frozenset(flags)
        self.place = 0
        self.groups = 0
        self.references = False
        self._closed: set[int] = set()
        self._nesting = 0

    def parse(self) -> Part:
        """Return the pattern's tree.

        Raises:
            UnfitError: It is no pattern.
        """
        if "q" in self.flags:
            return Sequence(tuple(self._single(char) for char in self.text))
        part = self._choice()
        if self.place < len(self.text):
            raise self._fault("a parenthesis is closed that was not opened")
        return part

    def _fault(self, reason: str) -> UnfitError:
        return UnfitError(f"in the pattern at character {self.place + 1}: {reason}")

    def _skip_space(self) -> None:
        while "x" in self.flags and self.text[self.place : self.place + 1] in tuple(" \t\n\r"):
            self.place += 1

    def _peek(self) -> str:
        self._skip_space()
        return self.text[self.place : self.place + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise self._fault("it ends too early")
        self.place += 1
        return char

    def _choice(self) -> Part:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self._fault(f"groups are nested more than {MAX_NESTING} deep")
        flags = self.flags
        choices = [self._sequence()]
        while self._peek() == "|":
            self.place += 1
            choices.append(self._sequence())
        # Flags set inside a group end with it.
        self.flags = flags
        self._nesting -= 1
        return choices[0] if len(choices) == 1 else Choice(tuple(choices))

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while (char := self._peek()) and char not in "|)":
            part = self._atom()
            if part is not None:
                parts.append(self._repeated(part))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _repeated(self, part: Part) -> Part:
        char = self._peek()
        if not char or char not in "?*+{":
            return part
        if isinstance(part, (Assertion, Look)):
            raise self._fault("a place cannot be repeated")
        if char == "{":
            match = _COUNT.match(self.text, self.place)
            if match is None:
                raise self._fault("this is no count")
            least = int(match[1])
            most = (int(match[3]) if match[3] else None) if match[2] else least
            self.place = match.end()
            if max(least, most or 0) > MAX_COUNT or (most is not None and most < least):
                raise self._fault(f"a count is at most {MAX_COUNT}, and not downwards")
        else:
            least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}[char]
            self.place += 1
        greedy = self._peek() != "?"
        if not greedy:
            self.place += 1
        following = self._peek()
        if following and following in "?*+{":
            raise self._fault("a repetition cannot be repeated")
        return Repeat(part, least, most, greedy)

    def _atom(self) -> Part | None:
        char = self._take()
        if char == "(":
            return self._parenthesis()
        if char == "[":
            return Chars(self._brackets())
        if char == ".":
            dot = CharSet(negated=True)
            if "s" not in self.flags:
                dot.singles.update("\n\r")
            return Chars(dot)
        if char in "^$":
            name = "start" if char == "^" else "end"
            return Assertion(f"line {name}" if "m" in self.flags else name)
        if char == "\\":
            return self._escape()
        if char in "?*+{":
            raise self._fault("there is nothing to repeat")
        return self._single(char)

    def _single(self, char: str) -> Chars:
        return Chars(self._with_cases(CharSet(char)))

    def _with_cases(self, chars: CharSet) -> CharSet:
        if "i" in self.flags:
            chars.ignore_case = True
            for char in tuple(chars.singles):
                chars.singles.update(c for c in (char.lower(), char.upper()) if len(c) == 1)
        return chars

    def _parenthesis(self) -> Part | None:
        rest = self.text[self.place : self.place + 2]
        inline = _INLINE.match(self.text, self.place)
        if inline is not None:
            outer = self.flags
            self.flags = (outer | set(inline[1])) - set(inline[2] or "")
            self.place = inline.end()
            if inline[3] == ")":
                return None
            inner = self._choice()
            self.flags = outer
            return self._close(Group(inner, None))
        if rest in ("?=", "?!"):
            self.place += 2
            return self._close(Look(self._choice(), negated=rest == "?!"))
        named = _NAMED.match(self.text, self.place)
        if named is not None:
            self.place = named.end()
        elif rest.startswith("?"):
            raise self._fault("this kind of group is not supported")
        self.groups += 1
        number = self.groups
        if number > MAX_GROUPS:
            raise self._fault(f"there are more than {MAX_GROUPS} groups")
        part = self._close(Group(self._choice(), number))
        self._closed.add(number)
        return part

    def _close(self, part: Part) -> Part:
        if self._peek() != ")":
            raise self._fault("a parenthesis is not closed")
        self.place += 1
        return part

    def _escape(self) -> Part | None:
        char = self._take()
        if char.isdecimal():
            return self._reference(char)
        if char in _PLACES:
            return Assertion(_PLACES[char])
        if char == "Q":
            end = self.text.find("\\E", self.place)
            end = len(self.text) if end < 0 else end
            quoted = self.text[self.place : end]
            self.place = end + 2
            return Group(Sequence(tuple(self._single(one) for one in quoted)), None)
        self.place -= 1
        chars = CharSet()
        self._escaped(chars)
        return Chars(self._with_cases(chars))

    def _reference(self, digit: str) -> Part:
        number = int(digit)
        following = self.text[self.place : self.place + 1]
        if following.isdecimal() and number * 10 + int(following) in self._closed:
            number = number * 10 + int(following)
            self.place += 1
        if number not in self._closed:
            raise self._fault(f"there is no group {number} before this reference")
        self.references = True
        return Reference(number, "i" in self.flags)

    def _escaped(self, chars: CharSet) -> str | None:
        """Add what an escape means to a set; return it if it is one character."""
        char = self._take()
        if char in _CONTROLS:
            char = _CONTROLS[char]
        elif char in "ux":
            match = _HEX.match(self.text, self.place - 1)
            if match is None:
                raise self._fault("this is no code point")
            self.place = match.end()
            char = chr(int(match[1] or match[2], 16))
        elif char in "pP":
            chars.classes.append(self._property(complement=char == "P"))
            return None
        elif char.lower() in ESCAPES:
            low = char.lower()
            chars.classes.append((ESCAPES[low], char != low, PLAIN_SOURCES.get(low, "")))
            return None
        elif char.isalnum():
            raise self._fault(f"there is no escape '\\{char}'")
        chars.singles.add(char)
        return char

    def _property(self, *, complement: bool) -> tuple[Predicate, bool, str]:
        name = self._take()
        if name == "{":
            end = self.text.find("}", self.place)
            if end < 0:
                raise self._fault("the property is not closed")
            name = self.text[self.place : end]
            self.place = end + 1
            if "x" in self.flags:
                name = "".join(name.split())
        test = property_class(name)
        if test is None:
            raise self._fault("there is no such property")
        return test, complement, ""

    def _brackets(self) -> CharSet:
        chars = CharSet()
        # Inside brackets spaces count, even where flag x drops them elsewhere.
        flags, self.flags = self.flags, self.flags - {"x"}
        if self._peek() == "^":
            self.place += 1
            chars.negated = True
        first = True
        while (char := self._take()) != "]" or first:
            first = False
            if char == "[":
                raise self._fault("a '[' inside brackets is written '\\['")
            if char == "-" and self._peek() == "[":
                self.place += 1
                chars.minus = self._brackets()
                if self._take() != "]":
                    raise self._fault("a subtraction ends the brackets")
                break
            low: str | None = char
            if char == "\\":
                low = self._escaped(chars)
            if low is not None and self._is_range():
                self._range(low, chars)
            elif char != "\\":
                chars.singles.add(char)
        self.flags = flags
        return self._with_cases(chars)

    def _is_range(self) -> bool:
        following = self.text[self.place : self.place + 2]
        return following.startswith("-") and following[1:] not in ("]", "[", "")

    def _range(self, low: str, chars: CharSet) -> None:
        self.place += 1
        high: str | None = self._take()
        if high == "\\":
            high = self._escaped(CharSet())
        if high is None or high < low:
            raise self._fault("this is no range of characters")
        chars.singles.discard(low)
        chars.ranges.append((low, high))
