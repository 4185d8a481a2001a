"""A draft, or the mail that it became, in Graph's JSON."""

from __future__ import annotations

from shared.domain.outbound.graph_json import addresses, senders
from shared.outbound_ports import Draft, Json

DRAFT_SELECT = (
    "id,internetMessageId,conversationId,isDraft,from,sender,toRecipients,ccRecipients,"
    "bccRecipients,body"
)
"""The properties that make a draft; for `$select`."""


def draft_of(message: Json) -> Draft:
    """A mail that Graph's JSON shows; it names an id."""
    body = message.get("body") or {}
    return Draft(
        id=str(message["id"]),
        internet_message_id=message.get("internetMessageId") or "",
        conversation_id=message.get("conversationId") or "",
        is_draft=bool(message.get("isDraft", True)),
        recipients=addresses(message),
        cc=tuple(message.get("ccRecipients") or ()),
        senders=senders(message),
        body=body.get("content") or "",
        body_content_type=body.get("contentType") or "text",
    )
