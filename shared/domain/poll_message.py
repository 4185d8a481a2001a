"""The message on the queue `polls`: the sources that a worker is to poll."""

from __future__ import annotations

import json
from collections.abc import Sequence

from shared.domain.errors import EnvelopeError

VERSION = 1


def encode_poll(source_ids: Sequence[str]) -> str:
    """The queue message: JSON in ASCII."""
    return json.dumps({"version": VERSION, "sources": list(source_ids)}, separators=(",", ":"))


def decode_poll(message: str | bytes) -> list[str]:
    """The ids of the sources that a queue message names.

    Raises:
        EnvelopeError: it is no such message, or of a version that this one does not know.
    """
    try:
        fields = json.loads(message)
        version, sources = fields["version"], fields["sources"]
    except (ValueError, KeyError, TypeError) as error:
        # by its type alone: text and cause repeat what the message holds
        what = type(error).__name__
        raise EnvelopeError(f"a queue message that names no sources ({what})") from None
    if version != VERSION:
        raise EnvelopeError(f"a poll message of version {version!r}; this app reads {VERSION}")
    if not isinstance(sources, list) or not all(isinstance(one, str) for one in sources):
        raise EnvelopeError("a poll message whose sources are no list of ids")
    return sources
