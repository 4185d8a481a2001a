"""Readers of the columns that hold more than a plain value; see :mod:`shared.domain.values`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shared.domain import values
from shared.domain.subscription import Folder, Operation

Reader = Callable[[object], Any]


def operations(value: object) -> tuple[Operation, ...]:
    """Mailbox operations by commas, each once, in the order in which they are done."""
    read = values.one_of([operation.value for operation in Operation])
    chosen = {Operation(read(word)) for word in values.words(value)}
    if not chosen:
        raise ValueError(f"one or more of {', '.join(Operation)}, parted by commas")
    return tuple(operation for operation in Operation if operation in chosen)


def folder(value: object) -> Folder:
    """A well-known name, or a path of display names."""
    parts = [part.strip() for part in values.text(value).split("/")]
    if not all(parts):
        raise ValueError(
            "a well-known name such as inbox, or a path such as Inquiries/Tech-Support"
        )
    return Folder(path="/".join(parts))


def on_dead(value: object) -> Folder | None:
    """``leave`` (None), or ``move:PATH``."""
    word = values.text(value)
    if word.lower() == "leave":
        return None
    kind, _, path = word.partition(":")
    if kind.strip().lower() != "move" or not path.strip():
        raise ValueError("leave, or move:PATH such as move:Inbox/Failed")
    return folder(path)


def matching(pattern: re.Pattern[str], allowed: str) -> Reader:
    """A reader of texts that a pattern matches."""

    def read(value: object) -> str:
        word = values.text(value)
        if pattern.match(word) is None:
            raise ValueError(allowed)
        return word

    return read


def json_object(value: object) -> dict[str, Any]:
    """A JSON object, of numbers that JSON has: no NaN, nothing infinite."""
    try:
        parsed = json.loads(str(value), parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise ValueError(  # noqa: TRY004 - what every reader raises
            'a JSON object such as {"group": "Sales"}'
        )
    return parsed


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number


def moment(value: object) -> datetime:
    """A date (its beginning) or a time in ISO 8601; UTC where no offset is given."""
    if isinstance(value, datetime):
        parsed = value
    else:
        try:
            parsed = datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise ValueError(
                "a date or time in ISO 8601 such as 2026-01-01 or 2026-01-01T08:00:00Z"
            ) from None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
