"""Names of mailboxes, as callers and orders give them."""

from __future__ import annotations

import re

ME = "me-token-to-replace"
"""What Microsoft's library makes `/me` of, which is another mailbox than the one that is named."""

_NAME = re.compile(r"(?!\.+$)[^\s/\\?%\x00-\x1f\x7f]{1,256}")


def mailbox_name(value: str) -> str:
    """The address or the id of a mailbox.

    Raises:
        ValueError: it is neither.
    """
    if _NAME.fullmatch(value) is None or ME in value.lower():
        raise ValueError("userId is the address or the id of a mailbox")
    return value
