"""Functions of strings (DMN 1.5, 10.3.4.3, and Camunda's)."""

from binascii import a2b_base64, b2a_base64
from decimal import Decimal
from typing import TYPE_CHECKING

from shared.feel.diagnostics import UnfitError
from shared.feel.values import Value, kind_of

from .registry import builtin

if TYPE_CHECKING:
    from shared.feel.engine.runtime import Runtime
    from shared.feel.regex import Pattern


@builtin("substring(string: string, start position: number, [length: number])")
def _substring(string: str, start: Decimal, length: Decimal | None = None) -> Value:
    place = int(start)
    if not place or -place > len(string):
        raise UnfitError("there is no such start position")
    first = place - 1 if place > 0 else len(string) + place
    if length is None:
        return string[first:]
    if length < 1:
        raise UnfitError("the length is less than 1")
    return string[first : first + int(min(length, Decimal(len(string))))]


@builtin("string length(string: string)")
def _string_length(string: str) -> Value:
    return Decimal(len(string))


@builtin("upper case(string: string)")
def _upper_case(string: str) -> Value:
    return string.upper()


@builtin("lower case(string: string)")
def _lower_case(string: str) -> Value:
    return string.lower()


@builtin("substring before(string: string, match: string)")
def _substring_before(string: str, match: str) -> Value:
    before, found, _ = string.partition(match) if match else ("", "", "")
    return before if found else ""


@builtin("substring after(string: string, match: string)")
def _substring_after(string: str, match: str) -> Value:
    return string.partition(match)[2] if match else string


@builtin("contains(string: string, match: string)")
def _contains(string: str, match: str) -> Value:
    return match in string


@builtin("starts with(string: string, match: string)")
def _starts_with(string: str, match: str) -> Value:
    return string.startswith(match)


@builtin("ends with(string: string, match: string)")
def _ends_with(string: str, match: str) -> Value:
    return string.endswith(match)


def _pattern(text: str, flags: str | None = None) -> "Pattern":
    from shared.feel.regex import compile_pattern  # noqa: PLC0415 - a start without patterns goes without it

    return compile_pattern(text, flags or "")


@builtin("matches(input: string, pattern: string, [flags: string?])")
def _matches(rt: "Runtime", string: str, pattern: str, flags: str | None = None) -> Value:
    return _pattern(pattern, flags).found_in(string, rt.charge)


@builtin("replace(input: string, pattern: string, replacement: string, [flags: string?])")
def _replace(
    rt: "Runtime", string: str, pattern: str, replacement: str, flags: str | None = None
) -> Value:
    return _pattern(pattern, flags).replace(string, replacement, rt.charge, rt.room_for)


@builtin("split(string: string, delimiter: string)")
def _split(rt: "Runtime", string: str, delimiter: str) -> Value:
    return _pattern(delimiter).split(string, rt.charge)


@builtin(
    "extract(string: string, pattern: string)",
    "extract(input: string, pattern: string)",
)
def _extract(rt: "Runtime", string: str, pattern: str) -> Value:
    return _pattern(pattern).extract(string, rt.charge)


@builtin("trim(string: string)")
def _trim(string: str) -> Value:
    return string.strip()


@builtin("is blank(string: string)")
def _is_blank(string: str) -> Value:
    return not string.strip()


@builtin("to base64(value: string)")
def _to_base64(value: str) -> Value:
    return b2a_base64(value.encode("utf-8", "replace"), newline=False).decode("ascii")


@builtin("from base64(value: string)")
def _from_base64(value: str) -> Value:
    try:
        return a2b_base64(value, strict_mode=True).decode()
    except ValueError as error:
        raise UnfitError("the text is no Base64 of UTF-8") from error


@builtin(
    "string join(list: list, [delimiter: string?])",
    "string join(list: list, delimiter: string?, prefix: string?, suffix: string?)",
)
def _string_join(
    rt: "Runtime",
    items: list[Value],
    delimiter: str | None = None,
    prefix: str | None = None,
    suffix: str | None = None,
) -> Value:
    texts = [item for item in items if item is not None]
    for text in texts:
        if type(text) is not str:
            raise UnfitError(f"the list holds a {kind_of(text)}")
    between = delimiter or ""
    rt.room_for(sum(map(len, texts)) + len(between) * len(texts))
    return f"{prefix or ''}{between.join(texts)}{suffix or ''}"
