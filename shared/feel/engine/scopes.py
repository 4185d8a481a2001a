"""Where a name's value is found: known when compiling, but for what filters bring in.

A running expression has one frame, a list: slot 0 holds the runtime, each variable has a slot.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from shared.feel.records import Record
from shared.feel.values import Value

Frame: TypeAlias = list[Any]
Code: TypeAlias = Callable[[Frame], Value]


class Layout:
    """Hands out the slots of one expression's frame; the first one is the runtime's."""

    def __init__(self) -> None:
        self.size = 1

    def slot(self) -> int:
        """Return a slot that nobody has."""
        self.size += 1
        return self.size - 1


class Found(Record):
    """Where a name may be.

    Attributes:
        elements: Slots of filtered elements that may have it as an entry, innermost first.
        slot: Its slot, if it is a variable of the expression; else it is one of the context.
        growing: It is the `partial` of a loop, and changes while the loop runs.
    """

    elements: tuple[int, ...]
    slot: int | None
    growing: bool = False


class Scope:
    """The variables that one clause adds, inside those of another.

    Attributes:
        outer: The scope around it.
        slots: Its variables' slots.
        element: The slot of the element being filtered, whose entries are variables too.
        partial: The slot of a loop's results so far.
    """

    def __init__(
        self,
        outer: "Scope | None" = None,
        slots: dict[str, int] | None = None,
        *,
        element: int | None = None,
    ) -> None:
        self.outer = outer
        self.slots = {} if slots is None else slots
        self.element = element
        self.partial: int | None = None

    def find(self, name: str) -> Found:
        """Look a name up from the inside out."""
        elements: list[int] = []
        scope: Scope | None = self
        while scope is not None:
            if scope.element is not None:
                elements.append(scope.element)
                if name == "item":
                    return Found(tuple(elements), scope.element)
            if name in scope.slots:
                return Found(tuple(elements), scope.slots[name])
            if name == "partial" and scope.partial is not None:
                return Found(tuple(elements), scope.partial, growing=True)
            scope = scope.outer
        return Found(tuple(elements), None)
