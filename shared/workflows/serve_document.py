"""Giving documents out over HTTP, and removing those that are too old.

The platform holds an answer in memory whole. So what is large is given out by the storage itself,
or in parts, for those who ask for parts.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.document import Document
from shared.domain.document_links import DocumentLinks
from shared.domain.document_names import content_disposition, safe_type
from shared.domain.errors import StorageUnavailable
from shared.ports import Ports
from shared.telemetry import logger

LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes of one answer."""

EXPIRY_SECONDS = 120.0
"""How long one run removes documents."""

DIRECT_LIFETIME = timedelta(minutes=5)
"""How long an address in the storage is good: a download only has to begin by then."""

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)

_OK = 200
_PARTIAL = 206
_FOUND = 302
_FORBIDDEN = 403
_NOT_FOUND = 404
_NOT_SATISFIABLE = 416
_UNAVAILABLE = 503

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
}
"""A document is data: nothing in it runs, nobody keeps it, and its address goes nowhere."""


@dataclass(frozen=True, slots=True)
class ServedDocument:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


async def serve(identity: str, range_header: str | None, ports: Ports) -> ServedDocument:
    """Answers a GET of a document by somebody who may have any.

    Args:
        identity: the document's id, or whatever stands in its place in the path.
        range_header: the header ``Range``; one that cannot be read is ignored, as HTTP wants it.
        ports: of which the documents are used.
    """
    try:
        document = await ports.documents.find(identity)
        if document is None:
            return _said(_NOT_FOUND, "There is no such document, or it has expired.")
        return await _found(document, range_header or "", ports)
    except StorageUnavailable as error:
        if error.status == _NOT_FOUND:  # it expired meanwhile
            return _said(_NOT_FOUND, "There is no such document, or it has expired.")
        logger().warning("document.not_served", document=identity, reason=error.what)
        return _said(_UNAVAILABLE, "The document cannot be read now.")


async def serve_signed(  # noqa: PLR0917 - what the link and the request hold
    identity: str,
    expires: str,
    signature: str,
    range_header: str | None,
    ports: Ports,
    links: DocumentLinks,
) -> ServedDocument:
    """Answers a GET by somebody who has nothing but a link.

    Args:
        identity: as for :func:`serve`.
        expires: from the link.
        signature: from the link.
        range_header: as for :func:`serve`.
        ports: of which clock and documents are used.
        links: what has made the link, if it is genuine.
    """
    if not links.accepts(identity, expires, signature, ports.clock.now()):
        return _said(_FORBIDDEN, "This link is not valid, or not any more.")
    return await serve(identity, range_header, ports)


async def expire_documents(ports: Ports, retention: timedelta, now: datetime) -> int:
    """Removes documents that are older than the retention, in whole days; gives how many.

    Where there is nothing to remove it costs one request.
    """
    try:
        async with asyncio.timeout(EXPIRY_SECONDS):
            return await ports.documents.expire((now - retention).date())
    except TimeoutError:
        logger().info("documents.expiry_goes_on")  # with what is left, at the next time
        return 0


async def _found(document: Document, range_header: str, ports: Ports) -> ServedDocument:
    headers = {
        **_ALWAYS,
        "Accept-Ranges": "bytes",
        "Content-Type": safe_type(document.content_type),
        "Content-Disposition": content_disposition(document.name),
    }
    wanted = _range(range_header, document.size)
    if wanted is None and document.size > LARGEST_ANSWER:
        location = await ports.documents.direct_url(document, DIRECT_LIFETIME)
        return ServedDocument(_FOUND, {**_ALWAYS, "Location": location})
    if wanted is None:
        return ServedDocument(
            _OK, headers, await ports.documents.read(document.id, 0, document.size)
        )
    if not wanted:
        unsatisfied = {**_ALWAYS, "Content-Range": f"bytes */{document.size}"}
        return ServedDocument(_NOT_SATISFIABLE, unsatisfied)
    headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{document.size}"
    body = await ports.documents.read(document.id, wanted.start, len(wanted))
    return ServedDocument(_PARTIAL, headers, body)


def _range(header: str, size: int) -> range | None:
    """The bytes that are asked for, as many as one answer holds.

    Returns:
        None where all are; an empty range where there are no such bytes.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:  # the last so many
        start, stop = max(0, size - int(found[2])), size
    else:
        start = int(found[1])
        if found[2] and int(found[2]) < start:
            return None
        stop = min(size, int(found[2]) + 1) if found[2] else size
    return range(start, min(stop, start + LARGEST_ANSWER))


def _said(status: int, text: str) -> ServedDocument:
    headers = {**_ALWAYS, "Content-Type": "text/plain; charset=utf-8"}
    return ServedDocument(status, headers, f"{text}\n".encode())
