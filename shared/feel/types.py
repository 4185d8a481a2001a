"""The types that expressions may name (DMN 1.5, 10.3.2.9): in ``instance of`` and parameters.

Only their shape is here; which values belong to one is asked in `engine/conformance.py`.
"""

from typing import Final, TypeAlias

from .records import Record


class NamedType(Record):
    """A type known by its name alone: `number`, `date and time`, or one that nobody defined."""

    name: str

    def __str__(self) -> str:
        return self.name


class ListType(Record):
    """`list<item>`."""

    item: "FeelType"

    def __str__(self) -> str:
        return f"list<{self.item}>"


class RangeType(Record):
    """`range<item>`."""

    item: "FeelType"

    def __str__(self) -> str:
        return f"range<{self.item}>"


class ContextType(Record):
    """`context<name: type, …>`: at least these entries, each of its type."""

    entries: tuple[tuple[str, "FeelType"], ...]

    def __str__(self) -> str:
        return f"context<{', '.join(f'{name}: {kind}' for name, kind in self.entries)}>"


class FunctionType(Record):
    """`function<parameter, …> -> result`."""

    parameters: tuple["FeelType", ...]
    result: "FeelType"

    def __str__(self) -> str:
        return f"function<{', '.join(map(str, self.parameters))}> -> {self.result}"


FeelType: TypeAlias = NamedType | ListType | RangeType | ContextType | FunctionType

ANY: Final = NamedType("Any")

TYPE_NAMES: Final = frozenset(
    (
        "Any",
        "Null",
        "number",
        "string",
        "boolean",
        "date",
        "time",
        "date and time",
        "days and time duration",
        "years and months duration",
        "list",
        "context",
        "function",
        "range",
    )
)
"""The types of the standard; the last four stand for any item, entries or signature."""
