"""The tree of an expression.

Nodes are immutable and equal by content; where they stand in the text is no part of it.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar

from shared.feel.records import Record, fields_of, hidden
from shared.feel.types import FeelType


class Node(Record):
    """Any part of an expression. `position` is its offset in the text, in characters."""

    _hidden: ClassVar[tuple[str, ...]] = ("position",)

    position: int = hidden(default=0, kw_only=True)


class Literal(Node):
    """A string, a boolean or null."""

    value: str | bool | None


class NumberLiteral(Node):
    """A number, never negative: the sign is an operator."""

    value: Decimal


class TemporalLiteral(Node):
    """`@"text"`."""

    text: str


class Name(Node):
    """A variable or function by its name."""

    name: str


class ListLiteral(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]


class ContextLiteral(Node):
    """`{a: 1, "b": 2}`, in the order written."""

    entries: tuple[tuple[str, Node], ...]


class RangeLiteral(Node):
    """`[a..b]`, with either end open or closed."""

    start: Node
    end: Node
    start_included: bool
    end_included: bool


class UnaryTest(Node):
    """`< 10` and its kin, in an ``in`` or as a range of its own."""

    operator: str
    operand: Node


class Negation(Node):
    """`-a`."""

    operand: Node


class Binary(Node):
    """Arithmetic or a comparison of two operands."""

    operator: str
    left: Node
    right: Node


class Logic(Node):
    """`a and b and c`, or the same with ``or``: two operands or more."""

    operator: str
    operands: tuple[Node, ...]


class Between(Node):
    """`value between low and high`."""

    value: Node
    low: Node
    high: Node


class In(Node):
    """`value in test` or `value in (test, …)`."""

    value: Node
    tests: tuple[Node, ...]


class InstanceOf(Node):
    """`value instance of type`."""

    value: Node
    type: FeelType


class If(Node):
    """`if condition then consequence else alternative`."""

    condition: Node
    consequence: Node
    alternative: Node


class Iteration(Node):
    """`name in source`, or `name in source..end`; a part of `For` and `Quantified`."""

    name: str
    source: Node
    end: Node | None = None


class For(Node):
    """`for a in x, b in y return body`."""

    iterations: tuple[Iteration, ...]
    body: Node


class Quantified(Node):
    """`some a in x satisfies body`, or the same with ``every``."""

    quantifier: str
    iterations: tuple[Iteration, ...]
    body: Node


class Path(Node):
    """`source.name`."""

    source: Node
    name: str


class Filter(Node):
    """`source[condition]`, by a condition or an index."""

    source: Node
    condition: Node


class Call(Node):
    """`function(arguments)`; `names` has one name for each, or is empty."""

    function: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...] = ()


class FunctionDefinition(Node):
    """`function(a: type, b) body`; an external one is read but never run."""

    parameters: tuple[tuple[str, FeelType | None], ...]
    body: Node
    external: bool = False


class UnaryTests(Node):
    """The whole of a unary-tests text: `-` (no tests at all), tests, or `not(tests)`."""

    tests: tuple[Node, ...]
    negated: bool = False


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes directly inside one."""
    for name in fields_of(node):
        value = getattr(node, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, Node):
                    yield item
                elif isinstance(item, tuple) and item and isinstance(item[-1], Node):
                    yield item[-1]


def depth(root: Node) -> int:
    """Return how many nodes stand inside each other at most; the tree may be of any depth."""
    deepest = 0
    pending = [(root, 1)]
    while pending:
        node, level = pending.pop()
        deepest = max(deepest, level)
        pending.extend((child, level + 1) for child in children(node))
    return deepest
