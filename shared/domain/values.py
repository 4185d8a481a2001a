"""Reads the small values that people write into table columns and app settings.

Every reader takes what storage gave (text, or a typed value) and raises ``ValueError`` with what
is allowed, as a phrase that completes "allowed: …".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import timedelta
from urllib.parse import urlsplit

import isodate

SECRET_REFERENCE = re.compile(r"^\{\{secrets\.([A-Za-z0-9][A-Za-z0-9-]*)\}\}$")


def text(value: object) -> str:
    """Text, stripped. Never empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text that is not empty")
    return value.strip()


def boolean(value: object) -> bool:
    """A boolean, or the words true and false."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in {"true", "false"}:
        raise ValueError("true or false")
    return word == "true"


def duration(
    *, least: timedelta = timedelta(0), most: timedelta | None = None
) -> Callable[[object], timedelta]:
    """A reader of ISO 8601 durations between ``least`` and ``most``, such as ``PT30S`` or ``P1D``.

    Months and years have no fixed length and are refused.
    """
    bounds = f" from {isodate.duration_isoformat(least)}" if least else ""
    bounds += f" up to {isodate.duration_isoformat(most)}" if most is not None else ""
    allowed = f"an ISO 8601 duration such as PT30S, PT5M or P1D{bounds}"

    def read(value: object) -> timedelta:
        word = str(value).strip()
        if not any(character.isdigit() for character in word):  # isodate takes PT for no time
            raise ValueError(allowed)
        try:
            parsed = isodate.parse_duration(word, as_timedelta_if_possible=True)
        except (isodate.ISO8601Error, ValueError, OverflowError):
            raise ValueError(allowed) from None
        if not isinstance(parsed, timedelta) or parsed < least:
            raise ValueError(allowed)
        if most is not None and parsed > most:
            raise ValueError(allowed)
        return parsed

    return read


def integer(*, least: int, most: int) -> Callable[[object], int]:
    """A reader of whole numbers between ``least`` and ``most``."""

    def read(value: object) -> int:
        try:
            number = int(str(value).strip())
        except ValueError:
            raise ValueError(f"a whole number from {least} to {most}") from None
        if not least <= number <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return number

    return read


def one_of(choices: Collection[str]) -> Callable[[object], str]:
    """A reader of one of a few words, in any case; gives the word as ``choices`` spells it."""
    spelled = {choice.lower(): choice for choice in choices}

    def read(value: object) -> str:
        word = spelled.get(str(value).strip().lower())
        if word is None:
            raise ValueError(", ".join(sorted(choices)))
        return word

    return read


def words(value: object) -> tuple[str, ...]:
    """Words parted by commas; blanks around them and empty ones are dropped."""
    return tuple(word for part in str(value).split(",") if (word := part.strip()))


def secret_reference(value: object) -> str:
    """``{{secrets.NAME}}``; gives NAME. The value itself is never repeated in an error."""
    found = SECRET_REFERENCE.match(str(value).strip())
    if found is None:
        raise ValueError("a reference {{secrets.NAME}}, never the secret itself")
    return found[1]


def url(value: object) -> str:
    """An absolute http or https address without user name or password."""
    address = str(value).strip()
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        usable = usable and parts.username is None and parts.password is None
        _ = parts.port  # raises where it is no number
    except ValueError:
        usable = False
    if not usable or any(character.isspace() for character in address):
        raise ValueError("an absolute https address without user name and password")
    return address
