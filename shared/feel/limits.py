"""How much an evaluation may take before it is ended with a `FeelLimitError`."""

from .records import Record


class Limits(Record):
    """The bounds of one evaluation. The defaults let any sensible mapping of a mail through.

    Attributes:
        steps: Loop turns, function calls and elements touched, together.
        depth: FEEL functions inside FEEL functions, and lists and contexts inside each other.
        size: Characters of one string, elements of one list, and of the whole result.
        seconds: Wall-clock time, checked every few hundred steps.
    """

    steps: int = 1_000_000
    depth: int = 64
    size: int = 4_000_000
    seconds: float = 2.0


DEFAULT_LIMITS = Limits()
