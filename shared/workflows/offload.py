"""Keeping a mail's body as a document, where a target cannot take it with the variables."""

from __future__ import annotations

from collections.abc import AsyncIterator

from shared.domain.delivery import Delivery
from shared.domain.document import BODY, document_id
from shared.domain.document_links import DocumentLinks
from shared.domain.mail import Mail
from shared.ports import Ports

_SLICE = 1024 * 1024
_TYPES = {"html": ("body.html", "text/html"), "text": ("body.txt", "text/plain")}


async def offload_body(mail: Mail, delivery: Delivery, ports: Ports, links: DocumentLinks) -> Mail:
    """Stores the body, and gives a copy of the mail with `bodyDocument` in place of its body.

    Raises:
        StorageUnavailable: it cannot be stored.
    """
    name, content_type = _TYPES.get(mail["bodyContentType"], _TYPES["text"])
    content = mail["body"].encode("utf-8", "replace")
    document = await ports.documents.store(
        document_id(delivery, BODY), name, content_type, _sliced(content)
    )
    where = {
        "documentId": document.id,
        "url": links.url(document.id, delivery.claimed_at),
        "size": document.size,
    }
    return {**mail, "body": "", "bodyDocument": where}


async def _sliced(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _SLICE):
        yield content[start : start + _SLICE]
