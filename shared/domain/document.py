"""Documents: the bytes of attachments, MIME and large bodies, kept beside the variables.

A document's id follows from the delivery and the part of the mail, so that whoever does the work
again finds what is there already. It begins with the day on which the mail was claimed: whole days
expire together.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from shared.domain.delivery import Delivery
from shared.domain.document_names import LONGEST_TYPE, shortened

_ID = re.compile(r"[0-9]{8}-[0-9a-f]{32}-[0-9a-f]{16}")
MIME = "mime"
BODY = "body"


@dataclass(frozen=True, slots=True)
class Document:
    """What is known of a document beside its bytes.

    Args:
        id: see :func:`document_id`.
        name: file name as the mail has it, shortened where it is very long; attacker-made.
        content_type: as the mail has it; attacker-made.
        size: bytes.
    """

    id: str
    name: str
    content_type: str
    size: int


def new_document(identity: str, name: str, content_type: str, size: int) -> Document:
    """The document that is kept of a file: what its sender has named it may be of any length."""
    content_type = content_type.encode("utf-8", "replace").decode()[:LONGEST_TYPE]
    return Document(identity, shortened(name), content_type, size)


def mail_prefix(delivery: Delivery) -> str:
    """What the ids of all documents of one delivery begin with."""
    identity = hashlib.sha256(f"{delivery.key.source}\n{delivery.key.mail}".encode())
    return f"{delivery.claimed_at.astimezone(UTC):%Y%m%d}-{identity.hexdigest()[:32]}"


def document_id(delivery: Delivery, part: str) -> str:
    """The id of a document: usable in a path, and the same whenever it is made.

    Args:
        delivery: whose mail it is of.
        part: :data:`MIME`, :data:`BODY`, or an attachment's id behind ``attachment:``.
    """
    return f"{mail_prefix(delivery)}-{hashlib.sha256(part.encode()).hexdigest()[:16]}"


def is_document_id(text: str) -> bool:
    """Whether a text has the form of a document's id."""
    return _ID.fullmatch(text) is not None


def claimed_on(identity: str) -> date:
    """The day in a document's id."""
    return datetime.strptime(identity[:8], "%Y%m%d").replace(tzinfo=UTC).date()
