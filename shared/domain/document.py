"""Documents: the bytes of attachments, MIME and large bodies, kept beside the variables.

A document's id follows from the delivery and the part of the mail, so that whoever does the work
again finds what is there already. It begins with the day from which it is kept: whole days expire
together.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

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


def kept_from(delivery: Delivery, now: datetime) -> datetime:
    """The moment from which the documents of one attempt are kept.

    It is the claim, and each full day after it: attempts within a day share their documents, and
    mail that has waited for weeks gets documents that live as long as any.
    """
    return delivery.claimed_at + timedelta(days=max(0, (now - delivery.claimed_at).days))


def mail_prefix(delivery: Delivery, since: datetime) -> str:
    """What the ids of all documents of one delivery begin with, of those kept from a moment on."""
    identity = hashlib.sha256(f"{delivery.key.source}\n{delivery.key.mail}".encode())
    return f"{since.astimezone(UTC):%Y%m%d}-{identity.hexdigest()[:32]}"


def document_id(delivery: Delivery, part: str, since: datetime) -> str:
    """The id of a document: usable in a path, and the same whenever it is made.

    Args:
        delivery: whose mail it is of.
        part: :data:`MIME`, :data:`BODY`, or an attachment's id behind ``attachment:``.
        since: see :func:`kept_from`.
    """
    return f"{mail_prefix(delivery, since)}-{hashlib.sha256(part.encode()).hexdigest()[:16]}"


def is_document_id(text: str) -> bool:
    """Whether a text has the form of a document's id."""
    return _ID.fullmatch(text) is not None


def kept_on(identity: str) -> date:
    """The day in a document's id."""
    return datetime.strptime(identity[:8], "%Y%m%d").replace(tzinfo=UTC).date()
