"""The errors that compiling and evaluating FEEL may raise, and no others.

    FeelError
    ├── FeelSyntaxError      the text is no FEEL expression
    ├── FeelLimitError       evaluation passed a limit: steps, depth, size or time
    └── FeelAssertionError   the expression's own ``assert`` did not hold

What goes wrong inside an expression is no error: the value becomes null and a warning says why
(DMN 1.5, 10.3.2.13; `diagnostics.py`).
"""

from typing import Literal

LimitName = Literal["steps", "depth", "size", "time"]

_WINDOW = 78
"""A line of source is shown in at most this many characters around the fault."""


class FeelError(Exception):
    """The root of all errors of the language."""


class FeelSyntaxError(FeelError):
    """The text is no FEEL expression.

    Attributes:
        reason: What is wrong, in one sentence.
        line: The fault's line, from 1.
        column: The fault's column, from 1, in characters.
        expected: What would have been right there; empty where nothing in particular would.
        source: The whole text.
    """

    def __init__(self, reason: str, source: str, position: int, expected: str = "") -> None:
        self.reason = reason
        self.source = source
        self.expected = expected
        self.line, self.column = locate(source, position)
        super().__init__(reason, source, position, expected)

    def __str__(self) -> str:
        line = self.source.split("\n")[self.line - 1]
        start = max(0, self.column - 1 - _WINDOW // 2)
        shown = line[start : start + _WINDOW].replace("\t", " ").rstrip()
        caret = " " * (self.column - 1 - start) + "^"
        wanted = f"; expected {self.expected}" if self.expected else ""
        return f"line {self.line}, column {self.column}: {self.reason}{wanted}\n{shown}\n{caret}"


class FeelLimitError(FeelError):
    """Evaluation passed a limit.

    Attributes:
        limit: Which one: `steps`, `depth`, `size` or `time`.
        allowed: The limit's value: a number of steps, of nested calls, of characters or
            elements, or of seconds.
    """

    def __init__(self, limit: LimitName, allowed: float) -> None:
        self.limit: LimitName = limit
        self.allowed = allowed
        super().__init__(limit, allowed)

    def __str__(self) -> str:
        unit = " s" if self.limit == "time" else ""
        return f"the expression passed its limit of {self.limit} ({self.allowed}{unit})"


class FeelAssertionError(FeelError):
    """An ``assert`` in the expression did not hold; the text is its cause."""


def locate(source: str, position: int) -> tuple[int, int]:
    """Return line and column, both from 1, of a character offset."""
    line = source.count("\n", 0, position) + 1
    return line, position - (source.rfind("\n", 0, position) + 1) + 1
