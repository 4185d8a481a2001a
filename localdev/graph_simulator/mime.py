"""MIME to content: whatever arrives, however broken, becomes a mail and never an exception.

The parser runs with the `compat32` policy: it keeps every header as it came, where the modern
policy parses each by a strict grammar, which costs several times as much and raises on some headers
of real mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime

from localdev.graph_simulator.content import Address, Attachment, BodyType, Content

_PARSER = BytesParser(policy=policy.compat32)
_IMPORTANCE = {"high": "high", "1": "high", "2": "high", "low": "low", "4": "low", "5": "low"}
_FOLD = re.compile(r"\r?\n[ \t]*")
_REPLY_PREFIX = re.compile(r"^(?:\s*(?:re|fw|fwd|aw|wg)\s*:)+\s*", re.IGNORECASE)
_CONTENT_ID = re.compile(r"cid:([^\s\"'>)]+)", re.IGNORECASE)
_LONGEST_NAME = 255


def content_from_mime(raw: bytes) -> Content:
    """Read a mail; every field that cannot be read is empty.

    Args:
        raw: The mail as bytes, with any line ends.
    """
    message = _PARSER.parsebytes(raw)
    raw_headers = [(name, _characters(value)) for name, value in message.raw_items()]
    headers = [(name, _unfolded(_words(value))) for name, value in raw_headers]
    first: dict[str, str] = {}
    for name, value in headers:
        first.setdefault(name.lower(), value)
    parts = list(_leaves(message))
    body, body_type, body_parts = _body(parts)
    from_ = _first(_addresses(raw_headers, "from"))
    subject = first.get("subject", "")
    internet_message_id = first.get("message-id", "").strip()
    references = first.get("references", "").split() or first.get("in-reply-to", "").split()
    return Content(
        subject=subject,
        body=body,
        body_type=body_type,
        from_=from_,
        sender=_first(_addresses(raw_headers, "sender")) or from_,
        to=_addresses(raw_headers, "to"),
        cc=_addresses(raw_headers, "cc"),
        bcc=_addresses(raw_headers, "bcc"),
        reply_to=_addresses(raw_headers, "reply-to"),
        headers=headers,
        internet_message_id=internet_message_id,
        sent=_date(first.get("date", "")),
        importance=_importance(first),
        thread=references[0] if references else internet_message_id or thread_topic(subject),
        attachments=_attachments(parts, body_parts, body if body_type == "html" else ""),
    )


def thread_topic(subject: str) -> str:
    """Return a subject without the prefixes of replies and forwards."""
    return _REPLY_PREFIX.sub("", subject).strip()


def clean(text: str) -> str:
    """Return text that every JSON reader takes: without lone surrogates and NULs."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def _text(value: object) -> str:
    """Read one raw header value."""
    return _unfolded(_words(_characters(value)))


def _characters(value: object) -> str:
    """Read a raw header's bytes as UTF-8, or as Latin-1 where they are not."""
    source = str(value)
    if source.isascii():
        return source
    try:
        raw = source.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return clean(source)
    try:
        return clean(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return clean(raw.decode("latin-1"))


def _words(source: str) -> str:
    """Decode the encoded words in a header."""
    if "=?" not in source:
        return source
    try:
        pieces = decode_header(source)
    except (ValueError, LookupError):
        return source
    # What stands between encoded words comes back in the encoding that decode_header uses itself.
    return clean(
        "".join(_decoded(piece, charset or "raw-unicode-escape") for piece, charset in pieces)
    )


def _decoded(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    try:
        return piece.decode(charset or "utf-8", "replace")
    except LookupError:
        return piece.decode("utf-8", "replace")


def _unfolded(value: str) -> str:
    return _FOLD.sub(" ", value).replace("\r", " ").replace("\n", " ").strip()


def _addresses(headers: list[tuple[str, str]], wanted: str) -> list[Address]:
    values = [_unfolded(value) for name, value in headers if name.lower() == wanted]
    pairs = getaddresses(values) if values else []
    return [Address(_words(name) or address, address) for name, address in pairs if address]


def _first(addresses: list[Address]) -> Address | None:
    return addresses[0] if addresses else None


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(microsecond=0)


def _importance(headers: dict[str, str]) -> str:
    value = headers.get("importance") or headers.get("x-priority", "")[:1]
    return _IMPORTANCE.get(value.strip().lower(), "normal")


def _leaves(message: Message) -> Iterator[Message]:
    """Walk to the parts that are no multipart; an attached mail is one part."""
    children = message.get_payload()
    if message.get_content_maintype() == "multipart" and isinstance(children, list):
        for part in children:
            if isinstance(part, Message):
                yield from _leaves(part)
    else:
        yield message


def _body(parts: list[Message]) -> tuple[str, BodyType, set[int]]:
    """Choose the body: the first HTML part, else the first text part that is no attachment."""
    texts = [part for part in parts if _is_text(part)]
    html = next((part for part in texts if part.get_content_subtype() == "html"), None)
    plain = next((part for part in texts if part.get_content_subtype() != "html"), None)
    chosen = html or plain
    if chosen is None:
        return "", "text", set()
    taken = {id(part) for part in (html, plain) if part is not None}
    text = "\r\n".join(clean(_decoded(_payload(chosen), _charset(chosen))).splitlines())
    return text, "text" if html is None else "html", taken


def _is_text(part: Message) -> bool:
    """Tell whether a part can be the body: text, or a multipart in which no part was found."""
    return (
        part.get_content_type().startswith(("text/plain", "text/html", "multipart/"))
        and _disposition(part) != "attachment"
        and not _file_name(part)
    )


def _attachments(parts: list[Message], body_parts: set[int], html: str) -> list[Attachment]:
    shown = {match.lower() for match in _CONTENT_ID.findall(html)}
    return [
        _attachment(part, number, shown)
        for number, part in enumerate(
            (part for part in parts if id(part) not in body_parts and not _is_empty(part)), start=1
        )
    ]


def _attachment(part: Message, number: int, shown: set[str]) -> Attachment:
    is_item = part.get_content_type() == "message/rfc822"
    content = _payload(part)
    content_id = _header(part, "content-id").strip("<> \t") or None
    named_inline = _disposition(part) == "inline" and content_id is not None
    return Attachment(
        kind="item" if is_item else "file",
        name=_file_name(part) or _default_name(part, content, number, is_item=is_item),
        content_type=part.get_content_type(),
        content=content,
        is_inline=named_inline or (content_id is not None and content_id.lower() in shown),
        content_id=content_id,
        content_location=_header(part, "content-location") or None,
    )


def _default_name(part: Message, content: bytes, number: int, *, is_item: bool) -> str:
    """Name what has no name as Exchange does: an attached mail by its subject, others ATT00001."""
    if is_item:
        subject = _text(_PARSER.parsebytes(content, headersonly=True)["subject"] or "")
        return subject or "Untitled"
    extension = {"text/plain": ".txt", "text/html": ".htm"}.get(part.get_content_type(), "")
    return f"ATT{number:05}{extension}"


def _is_empty(part: Message) -> bool:
    """Tell whether a part that could have been the body says nothing."""
    return _is_text(part) and not _payload(part).strip()


def _disposition(part: Message) -> str:
    return _header(part, "content-disposition").split(";", 1)[0].strip().lower()


def _header(part: Message, name: str) -> str:
    for header, value in part.raw_items():
        if header.lower() == name:
            return _text(value)
    return ""


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename()
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    return _text(name)[:_LONGEST_NAME] if name else ""


def _charset(part: Message) -> str | None:
    try:
        return part.get_content_charset()
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _payload(part: Message) -> bytes:
    """Return a part's bytes; an attached mail is given as its source."""
    children = part.get_payload()
    if isinstance(children, list):
        return b"\r\n".join(_source(child) for child in children if isinstance(child, Message))
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        payload = None
    if isinstance(payload, bytes):
        return payload
    return str(children or "").encode("utf-8", "surrogateescape")


def _source(message: Message) -> bytes:
    try:
        return message.as_bytes()
    except (ValueError, LookupError, AttributeError, TypeError):
        return str(message.get_payload()).encode("utf-8", "replace")
