"""Keeping a mail's body as a document, where a target cannot take it with the variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.domain.delivery import Delivery
from shared.domain.document import BODY, document_id, kept_from
from shared.domain.document_links import DocumentLinks
from shared.domain.mail import Mail
from shared.domain.target import TargetMessage
from shared.ports import Ports
from shared.workflows.documents import sliced

_TYPES = {"html": ("body.html", "text/html"), "text": ("body.txt", "text/plain")}


async def offload_body(
    message: TargetMessage, mail: Mail, delivery: Delivery, ports: Ports, links: DocumentLinks
) -> TargetMessage:
    """Stores the body, and gives the message without it.

    Wherever the mail stands in the variables it has `bodyDocument` in place of its body; where the
    body alone does there is nothing left. Identity and key stay: nothing is evaluated anew.

    Raises:
        StorageUnavailable: it cannot be stored.
    """
    name, content_type = _TYPES.get(mail["bodyContentType"], _TYPES["text"])
    content = mail["body"].encode("utf-8", "replace")
    since = kept_from(delivery, ports.clock.now())
    document = await ports.documents.store(
        document_id(delivery, BODY, since), name, content_type, sliced(content)
    )
    where = {
        "documentId": document.id,
        "url": links.url(document.id, since),
        "size": document.size,
    }
    return replace(message, variables=_without(mail["body"], message.variables, where))


def _without(body: str, value: Any, where: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        found = {name: _without(body, one, where) for name, one in value.items()}
        return {**found, "bodyDocument": where} if value.get("body") == body else found
    if isinstance(value, list):
        return [_without(body, one, where) for one in value]
    return "" if value == body else value
