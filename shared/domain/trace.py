"""W3C trace context: one trace for a mail from its claim to its end (https://www.w3.org/TR/trace-context)."""

from __future__ import annotations

import secrets


def new_traceparent() -> str:
    """A new trace with its first span."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def next_span(traceparent: str) -> str:
    """The same trace with a new span; a new trace where there was none."""
    parts = traceparent.split("-")
    if len(parts) != 4:  # noqa: PLR2004 - version, trace, span, flags
        return new_traceparent()
    return f"{parts[0]}-{parts[1]}-{secrets.token_hex(8)}-{parts[3]}"
