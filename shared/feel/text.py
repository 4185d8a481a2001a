"""A value as FEEL text, as ``string()`` writes it: literals inside lists and contexts."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from .errors import FeelLimitError
from .numbers import plain
from .syntax.tokens import is_word
from .types import ANY
from .values import Function, Range, Value

MAX_DEPTH: Final = 200

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def quote(text: str) -> str:
    """Write a string as a literal."""
    return f'"{text.translate(_ESCAPES)}"'


def to_text(value: Value) -> str:
    """Return a value's text: a string as it is, all else as it would be written.

    Raises:
        FeelLimitError: The value is too deep to be written.
    """
    return value if type(value) is str else _literal(value, MAX_DEPTH)


def _literal(value: Value, room: int) -> str:
    if not room:
        raise FeelLimitError("depth", MAX_DEPTH)
    write = _WRITERS.get(type(value))
    return str(value) if write is None else write(value, room - 1)


def _list(items: list[Value], room: int) -> str:
    return f"[{', '.join(_literal(item, room) for item in items)}]"


def _context(entries: dict[str, Value], room: int) -> str:
    written = (f"{_key(name)}: {_literal(item, room)}" for name, item in entries.items())
    return f"{{{', '.join(written)}}}"


def _key(name: str) -> str:
    return name if is_word(name) else quote(name)


def _range(value: Range, room: int) -> str:
    if value.operator:
        end = value.end if value.start is None else value.start
        return f"({value.operator} {_literal(end, room)})"
    start, end = _literal(value.start, room), _literal(value.end, room)
    left, right = "[" if value.start_included else "(", "]" if value.end_included else ")"
    return f"{left}{start}..{end}{right}"


def _signature(function: Function, _: int) -> str:
    written = (f"{name}: {kind or ANY}" for name, kind in function.parameters)
    return f"function({', '.join(written)})"


_WRITERS: Final[dict[type, Callable[[Any, int], str]]] = {
    type(None): lambda _, __: "null",
    bool: lambda value, _: "true" if value else "false",
    str: lambda value, _: quote(value),
    Decimal: lambda value, _: plain(value),
    list: _list,
    dict: _context,
    Range: _range,
    Function: _signature,
}
