"""Mail written through Graph: JSON to content, and content to MIME."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BinasciiError
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import Any
from uuid import uuid4

from localdev.graph_simulator.content import Address, Attachment, BodyType, Content
from localdev.graph_simulator.errors import GraphError, bad_request
from localdev.graph_simulator.mime import clean, content_from_mime

_POLICY = policy.SMTP.clone(cte_type="8bit", utf8=True)
_UNSAFE = re.compile(r"[\r\n\x00]+")
_IMPORTANCES = ("low", "normal", "high")
_MOST_HEADERS = 5
_PROPERTY = re.compile(
    r"^(String|Boolean|Integer|SystemTime|Binary|Long|Double) "
    r"(0x[0-9A-Fa-f]{1,4}|\{[0-9A-Fa-f-]{36}\} (Name .+|Id 0x[0-9A-Fa-f]{1,4}))$"
)
_HEADER_PROPERTY = "String {00020386-0000-0000-C000-000000000046} Name "
_RECIPIENTS = {
    "toRecipients": "to",
    "ccRecipients": "cc",
    "bccRecipients": "bcc",
    "replyTo": "reply_to",
}


def content_from_json(source: dict[str, Any]) -> Content:
    """Read a message as the body of a request gives it.

    Raises:
        GraphError: 400, for what Graph does not take.
    """
    content = Content(
        internet_message_id=f"<{uuid4().hex.upper()}@simulator.prod.outlook.com>",
        sent=datetime.now(UTC).replace(microsecond=0),
    )
    change_content(content, source)
    content.thread = content.internet_message_id
    return content


def change_content(content: Content, source: dict[str, Any]) -> None:
    """Write the properties that a request gives into a draft.

    Raises:
        GraphError: 400, for what Graph does not take.
    """
    if (subject := source.get("subject")) is not None:
        content.subject = clean(str(subject))
    if (body := source.get("body")) is not None:
        content.body, content.body_type = _body(body)
    if (importance := source.get("importance")) is not None:
        content.importance = importance_from_json(importance)
    if (from_ := source.get("from")) is not None:
        content.from_ = _address(from_)
        content.sender = content.sender or content.from_
    if (sender := source.get("sender")) is not None:
        content.sender = _address(sender)
    for name, attribute in _RECIPIENTS.items():
        if (recipients := source.get(name)) is not None:
            setattr(content, attribute, [_address(recipient) for recipient in recipients])
    _change_rest(content, source)


def _change_rest(content: Content, source: dict[str, Any]) -> None:
    """Write what stands around the text: headers, attachments, ids, extended properties."""
    if (headers := source.get("internetMessageHeaders")) is not None:
        own = [(name, value) for name, value in content.headers if not _is_own(name)]
        content.headers = [*own, *_headers(headers)]
    if (attachments := source.get("attachments")) is not None:
        content.attachments = [attachment_from_json(each) for each in attachments]
    if (message_id := source.get("internetMessageId")) is not None:
        content.internet_message_id = _UNSAFE.sub("", str(message_id))
    if (properties := source.get("singleValueExtendedProperties")) is not None:
        content.properties |= _properties(properties)


def importance_from_json(value: object) -> str:
    """Read an importance.

    Raises:
        GraphError: 400, unless it is low, normal or high.
    """
    for importance in _IMPORTANCES:
        if str(value).lower() == importance:
            return importance
    raise GraphError(
        400,
        "RequestBodyRead",
        f"Cannot convert the literal '{value}' to the expected type 'Edm.Importance'.",
    )


def attachment_from_json(source: dict[str, Any]) -> Attachment:
    """Read a file, item or reference attachment.

    Raises:
        GraphError: 400, if the kind is unknown or the bytes are no base64.
    """
    kind = str(source.get("@odata.type", "")).rsplit(".", 1)[-1].removesuffix("Attachment")
    name = clean(str(source.get("name", "")))
    if kind == "file":
        return Attachment(
            kind="file",
            name=name,
            content_type=source.get("contentType") or "application/octet-stream",
            content=_base64(source.get("contentBytes", "")),
            is_inline=bool(source.get("isInline")),
            content_id=source.get("contentId"),
        )
    if kind == "item":
        item = mime_from_content(content_from_json(source.get("item") or {}))
        return Attachment(kind="item", name=name, content_type="message/rfc822", content=item)
    if kind == "reference":
        return Attachment(kind="reference", name=name, content_type="", content=b"")
    raise bad_request("The property '@odata.type' of an attachment is missing or unknown.")


def mime_from_content(content: Content) -> bytes:
    """Write a mail as MIME with Exchange's line ends."""
    message = EmailMessage(policy=_POLICY)
    for name, addresses in (
        ("From", [content.from_] if content.from_ else []),
        ("To", content.to),
        ("Cc", content.cc),
        ("Reply-To", content.reply_to),
    ):
        if addresses:
            message[name] = ", ".join(_written(address) for address in addresses)
    message["Subject"] = _UNSAFE.sub(" ", content.subject)
    message["Date"] = format_datetime(content.sent or datetime.now(UTC))
    message["Message-ID"] = _UNSAFE.sub("", content.internet_message_id)
    taken = {name.lower() for name in message} | {"mime-version"}
    for name, value in (*content.headers, *_kept_headers(content)):
        if name.lower() not in taken and not name.lower().startswith("content-"):
            message[name] = _UNSAFE.sub(" ", value)
    message.set_content(content.body, subtype="html" if content.body_type == "html" else "plain")
    for attachment in content.attachments:
        if attachment.kind != "reference":
            _attach(message, attachment)
    return message.as_bytes()


def _kept_headers(content: Content) -> list[tuple[str, str]]:
    """Return own headers that were set as extended properties, which is how Exchange keeps them."""
    known = {name.lower() for name, _ in content.headers}
    named = [
        (identity.removeprefix(_HEADER_PROPERTY), value)
        for identity, value in content.properties.items()
        if identity.startswith(_HEADER_PROPERTY)
    ]
    return [(name, value) for name, value in named if _is_own(name) and name.lower() not in known]


def reply_to(content: Content, sender: Address, *, everybody: bool = False) -> Content:
    """Return the draft that answers a mail: addressed, quoted and threaded."""
    reply = _follow_up(content, sender, "RE:")
    reply.to = list(content.reply_to or ([content.from_] if content.from_ else []))
    if everybody:
        known = {address.address.lower() for address in (*reply.to, sender)}
        reply.to += [one for one in content.to if one.address.lower() not in known]
        reply.cc = [one for one in content.cc if one.address.lower() not in known]
    reply.headers = [
        ("In-Reply-To", content.internet_message_id),
        ("References", f"{content.thread} {content.internet_message_id}".strip()),
    ]
    return reply


def forward_of(content: Content, sender: Address) -> Content:
    """Return the draft that hands a mail on, with what is attached to it; addressed to nobody."""
    forward = _follow_up(content, sender, "FW:")
    forward.attachments = list(content.attachments)
    return forward


def comment_on(content: Content, comment: str) -> None:
    """Put a comment above what a draft quotes."""
    if content.body_type == "html":
        content.body = f"<p>{escape(comment)}</p>\r\n{content.body}"
    else:
        content.body = f"{comment}\r\n{content.body}"


def _follow_up(content: Content, sender: Address, prefix: str) -> Content:
    draft = content_from_json({})
    prefixed = content.subject.lower().startswith(prefix.lower())
    draft.subject = content.subject if prefixed else f"{prefix} {content.subject}"
    draft.body, draft.body_type = content.body, content.body_type
    draft.from_ = draft.sender = sender
    draft.thread = content.thread
    return draft


def content_from_base64_mime(body: bytes) -> tuple[Content, bytes]:
    """Read the body of a `sendMail` in MIME.

    Raises:
        GraphError: 400, if it is no base64.
    """
    try:
        mime = b64decode(b"".join(body.split()), validate=True)
    except (BinasciiError, ValueError):
        raise GraphError(
            400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content."
        ) from None
    return content_from_mime(mime), mime


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    maintype, _, subtype = attachment.content_type.partition("/")
    if attachment.kind == "item" or not subtype or maintype in ("multipart", "message"):
        maintype, subtype = "application", "octet-stream"
    message.add_attachment(
        attachment.content,
        maintype=maintype,
        subtype=subtype.split(";", 1)[0],
        filename=_UNSAFE.sub(" ", attachment.name) or "attachment",
        disposition="inline" if attachment.is_inline else "attachment",
        cid=f"<{attachment.content_id}>" if attachment.content_id else None,
    )


def _written(address: Address) -> str:
    name = _UNSAFE.sub(" ", address.name).replace("\\", "").replace('"', "")
    return f'"{name}" <{_UNSAFE.sub("", address.address)}>'


def _body(source: Any) -> tuple[str, BodyType]:
    if not isinstance(source, dict):
        raise bad_request("The property 'body' is no object.")
    kind = str(source.get("contentType") or "text").lower()
    if kind not in ("text", "html"):
        raise GraphError(
            400,
            "RequestBodyRead",
            f"Requested value '{source['contentType']}' was not found.",
        )
    return clean(str(source.get("content") or "")), "html" if kind == "html" else "text"


def _address(source: dict[str, Any]) -> Address:
    try:
        email_address = source["emailAddress"]
        address = clean(str(email_address.get("address") or ""))
        return Address(clean(str(email_address.get("name") or "")) or address, address)
    except (KeyError, TypeError, AttributeError):
        raise bad_request("A recipient needs an 'emailAddress'.") from None


def _is_own(name: str) -> bool:
    return name.lower().startswith("x-")


def _headers(source: list[dict[str, Any]]) -> list[tuple[str, str]]:
    if len(source) > _MOST_HEADERS:
        raise GraphError(
            400,
            "InvalidInternetMessageHeaderCollection",
            "Maximum number of headers in one message should be less than or equal to 5.",
        )
    headers = [(str(header.get("name")), str(header.get("value"))) for header in source]
    for name, _ in headers:
        if not _is_own(name):
            raise GraphError(
                400,
                "InvalidInternetMessageHeader",
                f"The internet message header name '{name}' should start with 'x-' or 'X-'.",
            )
    return headers


def _properties(source: Any) -> dict[str, str]:
    """Read single-value extended properties."""
    try:
        found = {str(each["id"]): str(each["value"]) for each in source}
    except (KeyError, TypeError):
        raise bad_request("An extended property needs an 'id' and a 'value'.") from None
    for name in found:
        if _PROPERTY.match(name) is None:
            raise bad_request(f"The extended property id '{name}' is not valid.")
    return found


def _base64(source: str) -> bytes:
    try:
        return b64decode(source, validate=True)
    except (BinasciiError, ValueError):
        raise GraphError(
            400, "RequestBodyRead", "Cannot convert the contentBytes to 'Edm.Binary'."
        ) from None
