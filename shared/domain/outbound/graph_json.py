"""Mail that goes out, as Graph's JSON."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.outbound.mail import (
    AUTOMATIC_HEADER,
    MailContent,
    Recipient,
    Someone,
    recipient,
)
from shared.domain.outbound.requests import ForwardRequest, ReplyRequest, SendRequest

KEY_PROPERTY = "String {7d9c1f5a-64b0-4a35-9b1e-3f0c8e5b2a41} Name MailConnectorKey"
"""The extended property by which a draft is found again; the namespace is the connector's own."""

_HEADER_PROPERTY = "String {00020386-0000-0000-C000-000000000046} Name"
"""What Exchange keeps headers as; those of a draft that begin with `x-` become headers again."""

AUTO_SUBMITTED_PROPERTY = f"{_HEADER_PROPERTY} Auto-Submitted"
"""The named property that Exchange keeps for a header of RFC 3834. Reported to be left out when the
mail leaves the organisation: `X-Auto-Response-Suppress` is what others see."""


def new_message(request: SendRequest) -> dict[str, Any]:
    """A new mail, without its attachments."""
    message = _common(request)
    message["subject"] = request.subject
    message["toRecipients"] = recipients(request.to)
    message["body"] = body(request.body, request.body_content_type)
    return message


def answer_changes(request: ReplyRequest | ForwardRequest, *, quote: bool) -> dict[str, Any]:
    """What an answer has that the draft which Graph makes of it has not.

    Args:
        request: the answer.
        quote: whether Graph's own body, with the quoted mail, is wanted: then there is none here.
    """
    changes = _common(request)
    if request.to:
        changes["toRecipients"] = recipients(request.to)
    if not quote:
        changes["body"] = body(request.body, request.body_content_type)
    return changes


def marks() -> dict[str, Any]:
    """What marks a draft of an automatic answer, whatever Graph has taken over of its request.

    That the actions which make answers take headers and extended properties is not documented, and
    what they answer does not show them; that these may be changed on a draft is.
    """
    marked = {AUTO_SUBMITTED_PROPERTY: "auto-replied"}
    marked[f"{_HEADER_PROPERTY} {AUTOMATIC_HEADER}"] = "All"
    return {"singleValueExtendedProperties": [_property(*one) for one in marked.items()]}


def body(content: str, content_type: str) -> dict[str, str]:
    """A body."""
    return {"contentType": content_type, "content": content}


def attachment(
    name: str, content_type: str, content_id: str | None, content: bytes
) -> dict[str, Any]:
    """A file attachment with its bytes."""
    found = {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": name,
        "contentType": content_type or "application/octet-stream",
        "contentBytes": b64encode(content).decode(),
    }
    return found if content_id is None else found | {"isInline": True, "contentId": content_id}


def with_key(message: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A message that carries a key."""
    known = message.get("singleValueExtendedProperties", [])
    return {
        **message,
        "singleValueExtendedProperties": [*known, _property(KEY_PROPERTY, key)],
    }


def addresses(message: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses of all who get a message (Graph's JSON), each once, in lower case."""
    names = ("toRecipients", "ccRecipients", "bccRecipients")
    return _addresses(one for name in names for one in message.get(name) or ())


def senders(message: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses from which a message (Graph's JSON) goes, each once, in lower case."""
    return _addresses(message.get(name) for name in ("from", "sender"))


def _addresses(people: Iterable[Any]) -> tuple[str, ...]:
    found = (((one or {}).get("emailAddress") or {}).get("address") or "" for one in people)
    return tuple(dict.fromkeys(address.lower() for address in found if address))


def _common(content: MailContent) -> dict[str, Any]:
    message: dict[str, Any] = {}
    for name, people in (
        ("ccRecipients", content.cc),
        ("bccRecipients", content.bcc),
        ("replyTo", content.reply_to),
    ):
        if people:
            message[name] = recipients(people)
    if content.sender is not None:
        message["from"] = _recipient(recipient(content.sender))
    if content.importance != "normal":
        message["importance"] = content.importance
    headers = content.all_headers
    if headers:
        message["internetMessageHeaders"] = [
            {"name": name, "value": value} for name, value in headers.items()
        ]
    if content.automatic:
        submitted = "auto-generated" if isinstance(content, SendRequest) else "auto-replied"
        message["singleValueExtendedProperties"] = [_property(AUTO_SUBMITTED_PROPERTY, submitted)]
    return message


def _property(name: str, value: str) -> dict[str, str]:
    return {"id": name, "value": value}


def recipients(people: Iterable[Someone]) -> list[dict[str, Any]]:
    """People as Graph names them."""
    return [_recipient(recipient(one)) for one in people]


def _recipient(one: Recipient) -> dict[str, Any]:
    address = {"address": one.address}
    return {"emailAddress": address | {"name": one.name} if one.name else address}
