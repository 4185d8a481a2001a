"""Small rules of HTTP that more than one adapter needs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

LONGEST_RETRY_AFTER = 24 * 3600.0
"""Seconds: nobody means more, and a queue does not take a message for longer than seven days."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from Retry-After: an integer, ``2.128``, or a date; None where absent.

    At most :data:`LONGEST_RETRY_AFTER`.
    """
    value = next((v for name, v in headers.items() if name.lower() == "retry-after"), None)
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, min(seconds, LONGEST_RETRY_AFTER)) if isfinite(seconds) else None
