"""The requests for the bytes of a mail and its attachments, and what one of them answers."""

from __future__ import annotations

import binascii
from base64 import b64decode

from shared.adapters.graph.answers import GraphAnswer
from shared.adapters.graph.client import GraphRequest
from shared.domain.errors import MailboxUnavailable

_MAIL = "/users/{user}/messages/{mail}"


def contents(mailbox: str, mail_id: str) -> GraphRequest:
    """All attachments; files with their bytes in base64, items and references without."""
    return GraphRequest(
        what="read attachments",
        template=f"{_MAIL}/attachments",
        path={"user": mailbox, "mail": mail_id},
    )


def value(mailbox: str, mail_id: str, attachment_id: str) -> GraphRequest:
    """The bytes of one attachment; Graph refuses it for a reference with 405."""
    return GraphRequest(
        what="read attachment",
        template=f"{_MAIL}/attachments/{{attachment}}/$value",
        path={"user": mailbox, "mail": mail_id, "attachment": attachment_id},
    )


def mime(mailbox: str, mail_id: str) -> GraphRequest:
    """The mail as it came."""
    return GraphRequest(
        what="read MIME",
        template=f"{_MAIL}/$value",
        path={"user": mailbox, "mail": mail_id},
    )


def decoded(mailbox: str, answer: GraphAnswer) -> dict[str, bytes]:
    """The bytes of the files in an answer to :func:`contents`, by attachment id.

    A file whose bytes Graph left out is left out. The answer's base64 is let go meanwhile.

    Raises:
        MailboxUnavailable: what Graph gave is no base64.
    """
    found: dict[str, bytes] = {}
    for attachment in answer.body.get("value", ()):
        encoded = attachment.pop("contentBytes", None)
        if encoded is None:
            continue
        try:
            found[attachment["id"]] = b64decode(encoded, validate=True)
        except binascii.Error as error:
            what = "read attachments: Graph's answer is broken"
            raise MailboxUnavailable(mailbox, what) from error
    return found
