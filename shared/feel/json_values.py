"""Values as JSON, for variables of a process, and back."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from .errors import FeelLimitError
from .numbers import NUMBERS, plain
from .text import to_text
from .values import Value

MAX_DEPTH: Final = 200

_SMALL: Final = 34
"""Whole numbers with more digits than numbers carry become a float: their zeros say nothing."""

_HEX: Final = "[0-9a-fA-F]{2}"
_SURROGATES: Final = re.compile(
    rf"(\\u[dD][89abAB]{_HEX}\\u[dD][c-fC-F]{_HEX}|\\\\)|\\u[dD][89a-fA-F]{_HEX}"
)
"""A whole pair or an escaped backslash, which stay, or half a pair."""

_SCALARS: Final = frozenset((str, bool, type(None), int, float))


def to_json(value: Value) -> Any:
    """Return a value as what `json.dumps` takes.

    Whole numbers become `int`, others `float`; one that no float holds becomes its digits as text.
    Dates, times, durations, ranges and functions become their FEEL text.

    Raises:
        FeelLimitError: The value is more than `MAX_DEPTH` levels deep.
    """
    return _json(value, MAX_DEPTH)


def _json(value: Value, room: int) -> Any:
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Decimal):
        return _number(value)
    if not room:
        raise FeelLimitError("depth", MAX_DEPTH)
    if isinstance(value, (list, tuple)):
        return [_json(item, room - 1) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _json(item, room - 1) for name, item in value.items()}
    return to_text(value)


def _number(number: Decimal) -> int | float | str:
    if number == number.to_integral_value() and number.adjusted() < _SMALL:
        return int(number)
    near = float(number)
    return plain(number) if near in (float("inf"), float("-inf")) or not near else near


def to_json_text(value: Value) -> str:
    """Return a value as JSON text, without spaces.

    Raises:
        FeelLimitError: The value is more than `MAX_DEPTH` levels deep.
    """
    import json  # noqa: PLC0415 - few expressions ask for JSON

    return json.dumps(to_json(value), ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> Any:
    """Read JSON, every number exactly.

    Raises:
        ValueError: The text is no JSON, or too deep.
    """
    import json  # noqa: PLC0415 - as above

    try:
        return json.loads(
            _whole_pairs(text),
            parse_int=NUMBERS.create_decimal,
            parse_float=NUMBERS.create_decimal,
            parse_constant=_no_constant,
        )
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None


def _whole_pairs(text: str) -> str:
    # Half a surrogate pair is no character, and could not be written out as UTF-8 later.
    if "\\u" not in text:
        return text
    return _SURROGATES.sub(lambda match: match[1] or r"\ufffd", text)


def _no_constant(name: str) -> Any:
    raise ValueError(name)
