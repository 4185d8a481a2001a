"""Names and content types that senders of mail have made up: kept short, and given out safely."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST_NAME = 150
"""Characters of a name that are kept: each may take twelve in a header or in a blob's metadata."""

LONGEST_TYPE = 100
LONGEST_ENDING = 20
UNKNOWN_TYPE = "application/octet-stream"

_WORD = r"[A-Za-z0-9!#$&^_.+-]+"
_TYPE = re.compile(rf"{_WORD}/{_WORD}")
_SEPARATORS = re.compile(r'[/\\:*?"<>|;%\s]+')
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Categories of characters that nobody sees, or that turn the direction of what follows."""


def shortened(name: str) -> str:
    """A name of at most :data:`LONGEST_NAME` characters, its ending kept; always valid Unicode."""
    name = name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if len(name) <= LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > LONGEST_ENDING:
        return name[:LONGEST_NAME]
    return stem[: LONGEST_NAME - len(ending) - 1] + dot + ending


def with_ending(name: str, ending: str) -> str:
    """A name with an ending such as ``.eml``, which it may have already."""
    return name if name.lower().endswith(ending) else f"{name}{ending}"


def safe_name(name: str) -> str:
    """A name under which a file may be saved on any system.

    Without separators of paths, characters that are not seen, and dots or blanks at its ends.
    """
    seen = "".join(c for c in _SEPARATORS.sub(" ", name) if unicodedata.category(c) not in _UNSEEN)
    return shortened(" ".join(seen.split())).strip(". ") or "document"


def content_disposition(name: str) -> str:
    """The header that makes a browser save a file instead of showing it (RFC 6266, RFC 8187).

    Old clients take the first form, in which what is not ASCII is ``_``.
    """
    name = safe_name(name)
    plain = re.sub(r"[^ -~]", "_", unicodedata.normalize("NFC", name))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def safe_type(content_type: str) -> str:
    """A content type without its parameters; :data:`UNKNOWN_TYPE` where it has not that form."""
    kind = content_type.partition(";")[0].strip(" \t").lower()
    return kind if len(kind) <= LONGEST_TYPE and _TYPE.fullmatch(kind) else UNKNOWN_TYPE
