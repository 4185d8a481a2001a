"""Reading numbers and ranges from text, for the functions ``number`` and ``range``."""

import re
from decimal import Decimal
from typing import Final

from shared.feel.engine.comparison import order
from shared.feel.errors import FeelSyntaxError
from shared.feel.numbers import NUMBERS
from shared.feel.syntax import tree
from shared.feel.syntax.parser import parse_expression
from shared.feel.temporal.durations import parse_duration
from shared.feel.temporal.parsing import parse_date, parse_date_time, parse_temporal, parse_time
from shared.feel.values import Range, Value

_GROUPINGS: Final = (" ", ",", ".")
_DECIMALS: Final = (",", ".")
_NUMBER: Final = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_MAX_DIGITS: Final = 10_000
_MAX_RANGE: Final = 1000
"""Two literals are shorter; what is longer is not worth the parser's time."""

_READERS: Final = {
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_date_time,
    "duration": parse_duration,
}


def read_number(text: str, grouping: str | None, decimal: str | None) -> Decimal | None:
    """Read a number written with these separators; None where it is none (10.3.4.1)."""
    if grouping is not None:
        if grouping not in _GROUPINGS or grouping == decimal:
            return None
        text = text.replace(grouping, "")
    if decimal is not None:
        if decimal not in _DECIMALS:
            return None
        text = text.replace(decimal, ".")
    if len(text) > _MAX_DIGITS or _NUMBER.fullmatch(text) is None:
        return None
    number = NUMBERS.create_decimal(text)
    return number if number.is_finite() else None


def read_range(text: str) -> Range | None:
    """Read a range whose ends are literals, in order; None where it is none (10.3.4.1)."""
    if len(text) > _MAX_RANGE:
        return None
    try:
        node = parse_expression(text, ("date and time",))
    except FeelSyntaxError:
        return None
    if not isinstance(node, tree.RangeLiteral):
        return None
    start, end = _literal(node.start), _literal(node.end)
    found = order(start, end)
    if found is None or found > 0:
        return None
    return Range(start, end, node.start_included, node.end_included)


def _literal(node: tree.Node) -> Value:
    if isinstance(node, (tree.Literal, tree.NumberLiteral)):
        return node.value
    if isinstance(node, tree.Negation) and isinstance(node.operand, tree.NumberLiteral):
        return node.operand.value.copy_negate()
    if isinstance(node, tree.TemporalLiteral):
        return parse_temporal(node.text)
    # `date("2026-02-28")` counts as a literal; a call that computes something does not.
    if isinstance(node, tree.Call) and len(node.arguments) == 1:
        read = _READERS.get(node.function.name) if isinstance(node.function, tree.Name) else None
        argument = node.arguments[0]
        if read and isinstance(argument, tree.Literal) and isinstance(argument.value, str):
            return read(argument.value)
    return None
