"""Exchange-like ids: opaque, case-sensitive, base64url; of one kind that moves change, and one not.

The shapes follow recorded traffic: 152 characters for a message, 120 for a folder, with `-`, `_`
and `=` in them. Ids of neighbours differ in few characters, sometimes only in the case of one: code
that folds case or cuts ids short fails here as it would in production.
"""

from __future__ import annotations

import binascii
import hashlib
import uuid
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from enum import Enum
from urllib.parse import quote

_FOLDER = b"\x00\x2e\x00\x00\x00\x00\x00"
_MESSAGE = b"\x00\x46\x00\x00\x00\x00\x00"
_IMMUTABLE = urlsafe_b64decode("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A")
_ATTACHMENT = b"\x01\x12\x00\x10\x00"
_GUID_TEXT_LENGTH = 36
_MUTABLE_PREFIX = b"\x00\x03\x24\x00"


class Origin(Enum):
    """What an id says of itself before anything is looked up."""

    MALFORMED = "malformed"
    ANOTHER_MAILBOX = "another mailbox"
    THIS_MAILBOX = "this mailbox"


class MailboxIds:
    """Makes the ids of one mailbox; the same mailbox gets the same ids in every run.

    Args:
        guid: The mailbox's own identifier; it is part of every id.
    """

    def __init__(self, guid: uuid.UUID) -> None:
        self._guid = str(guid).encode()
        self._store = hashlib.sha256(b"store" + self._guid).digest()[:16]
        # Three bytes that read `_` and `-` in any alignment stand in front.
        self._replica = b"\xff\xef\xbf" + hashlib.sha256(b"replica" + self._guid).digest()[:13]

    def folder(self, number: int) -> str:
        """Return the id of a folder; it stays the same wherever the folder goes."""
        return _encode(
            _MUTABLE_PREFIX + self._guid + _FOLDER + self._store + b"\x01\x00" + self._at(number)
        )

    def message(self, folder_number: int, number: int) -> str:
        """Return the id that a message has as long as it stays in its folder."""
        return _encode(
            _MUTABLE_PREFIX
            + self._guid
            + _MESSAGE
            + self._store
            + b"\x07\x00"
            + self._at(folder_number)
            + self._at(number)
        )

    def immutable(self, number: int) -> str:
        """Return the id of a message that moves leave alone."""
        return _encode(
            _IMMUTABLE + self._guid + self._store + bytes(1) + self._at(number) + bytes(9)
        )

    def conversation(self, key: str) -> str:
        """Return the conversation id for what the messages of a thread have in common."""
        digest = hashlib.md5(key.encode("utf-8", "replace"), usedforsecurity=False).digest()
        return _encode(_MUTABLE_PREFIX + self._guid + b"\x00\x10\x00" + digest)

    def conversation_index(self, key: str) -> str:
        """Return the plain base64 value that Outlook keeps beside the conversation id."""
        digest = hashlib.md5(key.encode("utf-8", "replace"), usedforsecurity=False).digest()
        return b64encode(b"\x01\x01\xdb\x66\x9e\xfe" + digest).decode()

    def change_key(self, version: int) -> str:
        """Return the change key (plain base64, so it may hold `/` and `+`)."""
        return b64encode(b"\x09\x00\x00\x00\x16\x00\x00\x00" + self._at(version)).decode()

    def origin(self, identifier: str) -> Origin:
        """Tell malformed ids, ids of another mailbox and ids of this mailbox apart."""
        raw = _decode(identifier)
        for prefix in (_MUTABLE_PREFIX, _IMMUTABLE):
            if raw.startswith(prefix) and len(raw) >= len(prefix) + _GUID_TEXT_LENGTH:
                if raw[len(prefix) :].startswith(self._guid):
                    return Origin.THIS_MAILBOX
                return Origin.ANOTHER_MAILBOX
        return Origin.MALFORMED

    def _at(self, number: int) -> bytes:
        return self._replica + number.to_bytes(6, "big") + bytes(2)


def attachment_id(message_id: str, index: int) -> str:
    """Return an attachment's id; it holds the message's, so it changes when that one does."""
    tag = hashlib.md5(index.to_bytes(4, "big"), usedforsecurity=False).digest()
    return _encode(_decode(message_id) + _ATTACHMENT + tag)


def web_link(message_id: str) -> str:
    """Return the address that opens a message in Outlook on the web."""
    item = quote(b64encode(_decode(message_id)).decode(), safe="")
    return f"https://outlook.office365.com/owa/?ItemID={item}&exvsurl=1&viewmodel=ReadMessageItem"


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode()


def _decode(identifier: str) -> bytes:
    if "+" in identifier or "/" in identifier:
        return b""
    try:
        return b64decode(identifier.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""
