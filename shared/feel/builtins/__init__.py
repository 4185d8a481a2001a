"""The built-in functions (DMN 1.5, 10.3.4), and those that Camunda's engine adds."""

from typing import Final

from . import (  # noqa: F401 - importing a family declares its functions
    booleans,
    contexts,
    conversion,
    extensions,
    lists,
    numeric,
    ranges,
    statistics,
    strings,
    temporal,
)
from .registry import FUNCTIONS, Builtin

NAMES: Final = tuple(FUNCTIONS)
"""The names of all built-in functions, for the parser: many have several words."""


def find(name: str) -> Builtin | None:
    """Return a built-in function by its name."""
    return FUNCTIONS.get(name)
