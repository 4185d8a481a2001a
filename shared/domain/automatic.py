"""Mail from machines: nobody should answer it, or two robots write to each other for ever.

Sources: RFC 3834 (Auto-Submitted), RFC 2919 and 2369 (lists), RFC 3464 (delivery reports),
MS-OXCMAIL (X-Auto-Response-Suppress), and what Zammad, Exchange and list software send.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_PRECEDENCE = {"bulk", "junk", "list", "auto_reply", "auto-reply"}
_PRESENT = (
    "list-unsubscribe",
    "list-id",
    "x-loop",
    "x-autoreply",
    "x-autorespond",
    "x-autoreply-from",
    "x-failed-recipients",
)
"""Headers that no person's mail has."""

_SUPPRESSED = {"all", "oof", "autoreply"}
_MACHINE = re.compile(
    r"^(?:(?:[a-z]+[._-])?(?:no|do[._-]?not)[._-]?reply|mailer-daemon|postmaster|"
    r"bounces?|daemon)(?:[+=._-].*)?$",
    re.IGNORECASE,
)
"""Local parts of addresses behind which nobody reads."""


def is_automatic(headers: Mapping[str, str], sender: str) -> bool:
    """Whether a machine wrote a mail.

    Args:
        headers: names in lower case.
        sender: address of the sender.
    """
    return (
        _first(headers.get("auto-submitted", ""), ";") not in {"", "no"}
        or _first(headers.get("precedence", ""), ";") in _PRECEDENCE
        or bool(_words(headers.get("x-auto-response-suppress", "")) & _SUPPRESSED)
        or any(name in headers for name in _PRESENT)
        or headers.get("return-path", "").strip() == "<>"
        or _first(headers.get("content-type", ""), ";") == "multipart/report"
        or _MACHINE.match(sender.partition("@")[0]) is not None
    )


def _first(value: str, separator: str) -> str:
    return value.partition(separator)[0].strip().lower()


def _words(value: str) -> set[str]:
    return {word.strip() for word in value.lower().split(",")}
