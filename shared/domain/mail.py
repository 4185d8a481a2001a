"""What an e-mail looks like to targets and expressions, made from Graph's JSON."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from shared.domain.automatic import is_automatic

Mail: TypeAlias = dict[str, Any]
"""JSON of one e-mail, with the keys that :func:`mail_from_graph` sets."""

GRAPH_SELECT = (
    "id,conversationId,internetMessageId,subject,body,bodyPreview,from,sender,replyTo,toRecipients,"
    "ccRecipients,bccRecipients,receivedDateTime,sentDateTime,isRead,importance,categories,"
    "hasAttachments,webLink,internetMessageHeaders"
)
"""The properties of a message that :func:`mail_from_graph` reads."""

# contentBytes and contentId belong to a derived type: Graph refuses them in this $select.
GRAPH_EXPAND = "attachments($select=id,name,size,contentType,isInline)"

_KINDS = {
    "#microsoft.graph.fileAttachment": "file",
    "#microsoft.graph.itemAttachment": "item",
    "#microsoft.graph.referenceAttachment": "reference",
}


def mail_from_graph(message: Mapping[str, Any]) -> Mail:
    """The e-mail of a Graph message.

    Text that Graph leaves out is ``""``, lists are ``[]``: a mail without subject or sender has
    the same shape as any other.

    Args:
        message: Graph's JSON, with the properties of :data:`GRAPH_SELECT` and :data:`GRAPH_EXPAND`.
    """
    body = message.get("body") or {}
    headers = _headers(message.get("internetMessageHeaders") or ())
    sender = _address(message.get("sender") or message.get("from"))
    author = _address(message.get("from"))
    return {
        "id": message["id"],
        "conversationId": message.get("conversationId") or "",
        "internetMessageId": message.get("internetMessageId") or "",
        "subject": message.get("subject") or "",
        "body": body.get("content") or "",
        "bodyContentType": body.get("contentType") or "text",
        "bodyPreview": message.get("bodyPreview") or "",
        "from": author,
        "sender": sender,
        "replyTo": _addresses(message.get("replyTo")),
        "recipients": _addresses(message.get("toRecipients")),
        "cc": _addresses(message.get("ccRecipients")),
        "bcc": _addresses(message.get("bccRecipients")),
        "receivedDateTime": message.get("receivedDateTime") or "",
        "sentDateTime": message.get("sentDateTime") or "",
        "isRead": bool(message.get("isRead")),
        "importance": message.get("importance") or "normal",
        "categories": list(message.get("categories") or ()),
        "hasAttachments": bool(message.get("hasAttachments")),
        "webLink": message.get("webLink") or "",
        "automatic": is_automatic(headers, author["address"]),
        "headers": headers,
        "attachments": [_attachment(one) for one in message.get("attachments") or ()],
    }


def completed(mail: Mail) -> Mail:
    """A mail as an earlier version may have queued it, with what it lacks."""
    if "automatic" in mail:
        return mail
    return {**mail, "automatic": is_automatic(mail["headers"], mail["from"]["address"])}


def mail_key(mail_id: str, received: datetime) -> str:
    """The table key of a mail: its immutable id, hashed, behind its time of receipt.

    Ids hold characters that keys must not. The time keeps mail that is listed together together in
    the table, so that a page of the list is compared with the ledger by a few range queries.
    """
    digest = hashlib.sha256(mail_id.encode()).digest()[:18]
    return f"{max(0, int(received.timestamp())):08x}-{urlsafe_b64encode(digest).decode()}"


def received_at(message: Mapping[str, Any]) -> datetime:
    """When Exchange received a message (Graph's JSON or ours), in UTC; the epoch where unknown."""
    return parse_time(message.get("receivedDateTime") or "")


def parse_time(stamp: str) -> datetime:
    """A Graph time such as ``2025-01-14T16:11:39Z``; the epoch where it cannot be read."""
    try:
        parsed = datetime.fromisoformat(stamp)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def _address(recipient: Mapping[str, Any] | None) -> dict[str, str]:
    address = (recipient or {}).get("emailAddress") or {}
    return {"name": address.get("name") or "", "address": address.get("address") or ""}


def _addresses(recipients: Iterable[Mapping[str, Any]] | None) -> list[dict[str, str]]:
    return [_address(recipient) for recipient in recipients or ()]


def _headers(headers: Iterable[Mapping[str, str | None]]) -> dict[str, str]:
    """Header names in lower case, for they differ only in case; repeated ones a line each."""
    collected: dict[str, str] = {}
    for header in headers:
        name, value = (header.get("name") or "").lower(), header.get("value") or ""
        collected[name] = f"{collected[name]}\n{value}" if name in collected else value
    return collected


def _attachment(attachment: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": attachment.get("id") or "",
        "name": attachment.get("name") or "",
        "contentType": attachment.get("contentType") or "",
        "size": attachment.get("size") or 0,
        "isInline": bool(attachment.get("isInline")),
        "kind": _KINDS.get(attachment.get("@odata.type", ""), "file"),
        "documentId": None,
        "url": None,
        "error": None,
    }
