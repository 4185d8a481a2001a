"""Graph's type `message`: its properties as JSON, and those that filters and orders may name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from localdev.graph_simulator.content import Address
from localdev.graph_simulator.exchange import to_json
from localdev.graph_simulator.html_text import html_to_text, text_to_html
from localdev.graph_simulator.ids import web_link
from localdev.graph_simulator.message import Message
from localdev.graph_simulator.odata.predicates import Property, Schema

TYPE_NAME = "Microsoft.OutlookServices.Message"
_PREVIEW_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Shape:
    """How a caller wants messages: which kind of id, and which type of body."""

    immutable_ids: bool = False
    body_type: str | None = None

    def id_of(self, message: Message) -> str:
        """Return the id that the caller knows the message by."""
        return message.id if self.immutable_ids else message.mutable_id


Render = Callable[[Message, Shape], Any]


def timestamp(moment: datetime) -> str:
    """Return a moment in UTC as Graph writes it, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def body_text(message: Message) -> str:
    """Return the body as text, whatever it came as."""
    content = message.content
    return html_to_text(content.body) if content.body_type == "html" else content.body


def preview(message: Message) -> str:
    """Return the first 255 characters of the text."""
    content = message.content
    if content.body_type == "html":
        return html_to_text(content.body, _PREVIEW_LENGTH)
    return content.body[:_PREVIEW_LENGTH]


def _body(message: Message, shape: Shape) -> dict[str, str]:
    content = message.content
    wanted = shape.body_type or content.body_type
    if wanted == content.body_type:
        return {"contentType": wanted, "content": content.body}
    convert = html_to_text if wanted == "text" else text_to_html
    return {"contentType": wanted, "content": convert(content.body)}


def _recipient(address: Address | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return {"emailAddress": {"name": address.name, "address": address.address}}


def _recipients(addresses: list[Address]) -> list[dict[str, Any] | None]:
    return [_recipient(address) for address in addresses]


def _headers(message: Message, _: Shape) -> list[dict[str, str]] | None:
    """Return the headers of a mail that was transported; a draft has none."""
    if message.is_draft:
        return None
    return [{"name": name, "value": value} for name, value in message.headers]


# What can change without a change of content is rendered anew each time, the rest once a message.
_CHANGING: dict[str, Render] = {
    "createdDateTime": lambda m, _: timestamp(m.created),
    "lastModifiedDateTime": lambda m, _: timestamp(m.modified),
    "changeKey": lambda m, _: m.change_key,
    "categories": lambda m, _: m.categories,
    "importance": lambda m, _: m.importance,
    "parentFolderId": lambda m, _: m.parent_folder.id,
    "isDeliveryReceiptRequested": lambda m, _: False if m.is_draft else None,
    "isReadReceiptRequested": lambda _m, _: False,
    "isRead": lambda m, _: m.is_read,
    "isDraft": lambda m, _: m.is_draft,
    "flag": lambda m, _: {"flagStatus": m.flag_status},
}
_LASTING: dict[str, Render] = {
    "receivedDateTime": lambda m, _: timestamp(m.received),
    "sentDateTime": lambda m, _: timestamp(m.content.sent or m.received),
    "hasAttachments": lambda m, _: m.content.has_attachments,
    "internetMessageId": lambda m, _: m.content.internet_message_id or None,
    "subject": lambda m, _: m.content.subject,
    "bodyPreview": lambda m, _: preview(m),
    "conversationId": lambda m, _: m.mailbox.ids.conversation(m.content.thread),
    "conversationIndex": lambda m, _: m.mailbox.ids.conversation_index(m.content.thread),
    "webLink": lambda m, shape: web_link(shape.id_of(m)),
    "inferenceClassification": lambda _m, _: "focused",
    "body": _body,
    "uniqueBody": _body,
    "sender": lambda m, _: _recipient(m.content.sender),
    "from": lambda m, _: _recipient(m.content.from_),
    "toRecipients": lambda m, _: _recipients(m.content.to),
    "ccRecipients": lambda m, _: _recipients(m.content.cc),
    "bccRecipients": lambda m, _: _recipients(m.content.bcc),
    "replyTo": lambda m, _: _recipients(m.content.reply_to),
    "internetMessageHeaders": _headers,
}
DEFAULT_PROPERTIES = (
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "conversationId",
    "conversationIndex",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "webLink",
    "inferenceClassification",
    "body",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "flag",
)
ALL_PROPERTIES = (*DEFAULT_PROPERTIES, "uniqueBody", "internetMessageHeaders")
# Absent where there is no value, as in recorded answers.
_OMITTED_IF_NONE = frozenset(("sender", "from", "internetMessageHeaders"))
_DEPENDS_ON_BODY_TYPE = frozenset(("body", "uniqueBody"))


def fragment(message: Message, name: str, shape: Shape) -> str:
    """Return `"name":value` as JSON, or nothing for a property that a message lacks."""
    changing = _CHANGING.get(name)
    if changing is not None:
        return f'"{name}":{to_json(changing(message, shape))}'
    key = name
    if name in _DEPENDS_ON_BODY_TYPE:
        key = f"{name}:{shape.body_type}"
    elif name == "webLink":
        key = shape.id_of(message)
    cached = message.fragments.get(key)
    if cached is None:
        value = _LASTING[name](message, shape)
        absent = value is None and name in _OMITTED_IF_NONE
        cached = "" if absent else f'"{name}":{to_json(value)}'
        message.fragments[key] = cached
    return cached


_IDENTIFIER_FUNCTIONS = frozenset(("startswith",))


def _same(text: str) -> str:
    return text


def _address_of(read: Callable[[Message], Address | None]) -> Callable[[Message], str]:
    return lambda message: (address.address if (address := read(message)) else "").casefold()


def _name_of(read: Callable[[Message], Address | None]) -> Callable[[Message], str]:
    return lambda message: (address.name if (address := read(message)) else "").casefold()


_NO_SUFFIX = frozenset(("contains", "startswith"))

SCHEMA: Schema[Message] = Schema(
    TYPE_NAME,
    {
        "receiveddatetime": Property(datetime, lambda m: m.received),
        "sentdatetime": Property(datetime, lambda m: m.content.sent or m.received),
        "createddatetime": Property(datetime, lambda m: m.created),
        "lastmodifieddatetime": Property(datetime, lambda m: m.modified),
        "isread": Property(bool, lambda m: m.is_read),
        "isdraft": Property(bool, lambda m: m.is_draft),
        "hasattachments": Property(bool, lambda m: m.content.has_attachments),
        "importance": Property(str, lambda m: m.importance, _NO_SUFFIX),
        "subject": Property(str, lambda m: m.content.subject.casefold()),
        "from/emailaddress/address": Property(
            str, _address_of(lambda m: m.content.from_), _NO_SUFFIX
        ),
        "from/emailaddress/name": Property(str, _name_of(lambda m: m.content.from_), _NO_SUFFIX),
        "sender/emailaddress/address": Property(
            str, _address_of(lambda m: m.content.sender), _NO_SUFFIX
        ),
        "sender/emailaddress/name": Property(str, _name_of(lambda m: m.content.sender), _NO_SUFFIX),
        # Exchange looks at the beginning of a body only, so matches further down are missed.
        "body/content": Property(str, lambda m: preview(m).casefold(), frozenset(("contains",))),
        "bodypreview": Property(str, lambda m: preview(m).casefold(), _NO_SUFFIX),
        "conversationid": Property(
            str,
            lambda m: m.mailbox.ids.conversation(m.content.thread),
            _IDENTIFIER_FUNCTIONS,
            _same,
        ),
        "internetmessageid": Property(
            str, lambda m: m.content.internet_message_id.casefold(), _NO_SUFFIX
        ),
        "parentfolderid": Property(str, lambda m: m.parent_folder.id, _IDENTIFIER_FUNCTIONS, _same),
        "flag/flagstatus": Property(str, lambda m: m.flag_status.casefold(), _NO_SUFFIX),
        "inferenceclassification": Property(str, lambda _: "focused", _NO_SUFFIX),
    },
    {"categories": lambda m: (category.casefold() for category in m.categories)},
    frozenset(
        (
            "attachments",
            "bccrecipients",
            "body/contenttype",
            "ccrecipients",
            "changekey",
            "conversationindex",
            "id",
            "internetmessageheaders",
            "isdeliveryreceiptrequested",
            "isreadreceiptrequested",
            "replyto",
            "torecipients",
            "weblink",
        )
    ),
    {
        "singlevalueextendedproperties": lambda m: [
            {"id": name, "value": value} for name, value in m.content.properties.items()
        ]
    },
)
