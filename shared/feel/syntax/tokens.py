"""Text to tokens (DMN 1.5, 10.3.1.2 and 10.3.1.4).

Words are single here. Which words make one name is the parser's question, since only a scope
can answer it (`names.py`).
"""

import re
from enum import Enum, auto
from typing import Final

from shared.feel.errors import FeelSyntaxError

MAX_SOURCE: Final = 65_536
"""The longest expression text, in characters; a longer one is no expression that a person wrote."""


class Kind(Enum):
    """What a token is."""

    NAME = auto()
    QUOTED_NAME = auto()
    NUMBER = auto()
    STRING = auto()
    TEMPORAL = auto()
    SYMBOL = auto()
    END = auto()


class Token:
    """One token: its kind, its text (strings decoded), and its place in the source."""

    __slots__ = ("end", "kind", "start", "text")

    def __init__(self, kind: Kind, text: str, start: int, end: int) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end


_SPACE = r"[\t-\r \u0085\u00a0\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]"
_NAME_START = (
    r"?A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d"
    r"\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)  # of these ranges, the spaces above are taken first
_NAME_PART = _NAME_START + r"0-9\u00b7\u0300-\u036f\u203f-\u2040"
_STRING = r'"(?:[^"\\]|\\.)*"'

_TOKEN = re.compile(
    rf"""
      (?P<space>{_SPACE}+|//[^\n]*|/\*.*?\*/)
    | (?P<NUMBER>(?:[0-9]+(?:\.(?!\.)[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<NAME>[{_NAME_START}][{_NAME_PART}]*)
    | (?P<STRING>{_STRING})
    | (?P<TEMPORAL>@{_SPACE}*{_STRING})
    | (?P<QUOTED_NAME>`[^`]+`)
    | (?P<SYMBOL>\.\.|\*\*|!=|<=|>=|->|/(?!\*)|[-+*=<>()\[\]{{}},.:'])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))", re.DOTALL)
_SIMPLE_ESCAPES: Final = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
}
_SURROGATES = re.compile("([\ud800-\udbff][\udc00-\udfff])|[\ud800-\udfff]")
_LAST_CODE_POINT: Final = 0x10FFFF


def is_word(text: str) -> bool:
    """Tell whether the text is one word of a name."""
    match = _TOKEN.match(text)
    return match is not None and match.lastgroup == "NAME" and match.end() == len(text)


def tokenize(source: str) -> list[Token]:
    """Return the tokens of a text, an `END` last.

    Raises:
        FeelSyntaxError: At a character that begins no token, or a string or comment without end.
    """
    if len(source) > MAX_SOURCE:
        raise FeelSyntaxError(
            f"the expression is longer than {MAX_SOURCE} characters", source, MAX_SOURCE
        )
    tokens: list[Token] = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise _fault(source, position)
        name = match.lastgroup or "space"
        if name != "space":
            kind = Kind[name]
            tokens.append(Token(kind, _text(kind, match[0]), position, match.end()))
        position = match.end()
    tokens.append(Token(Kind.END, "", position, position))
    return tokens


def _text(kind: Kind, raw: str) -> str:
    if kind is Kind.STRING:
        return _decode(raw[1:-1])
    if kind is Kind.TEMPORAL:
        return _decode(raw[raw.index('"') + 1 : -1])
    if kind is Kind.QUOTED_NAME:
        return raw[1:-1]
    return raw


def _decode(body: str) -> str:
    if "\\" not in body:
        return body
    return _SURROGATES.sub(_join_surrogates, _ESCAPE.sub(_unescape, body))


def _unescape(match: re.Match[str]) -> str:
    short, long, other = match.groups()
    if other is not None:
        # An unknown escape stands for itself: a pattern is written "\d", not "\\d".
        return _SIMPLE_ESCAPES.get(other, match[0])
    code = int(short or long, 16)
    return chr(code) if code <= _LAST_CODE_POINT else "\ufffd"


def _join_surrogates(match: re.Match[str]) -> str:
    # Half a pair is no character and could not be written out as UTF-8 later.
    if match[1] is None:
        return "\ufffd"
    return match[0].encode("utf-16", "surrogatepass").decode("utf-16")


def _fault(source: str, position: int) -> FeelSyntaxError:
    rest = source[position:]
    if rest.startswith(('"', "@")):
        return FeelSyntaxError("this string has no end", source, position, 'a closing "')
    if rest.startswith("/*"):
        return FeelSyntaxError("this comment has no end", source, position, "a closing */")
    if rest.startswith("`"):
        return FeelSyntaxError("this quoted name has no end", source, position, "a closing `")
    return FeelSyntaxError(f"{rest[0]!r} begins no part of an expression", source, position)
