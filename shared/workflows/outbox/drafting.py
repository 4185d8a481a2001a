"""Makes the draft of a durable send, whole, or finds the one that an earlier attempt has made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from shared.domain.outbound.graph_json import new_message
from shared.domain.outbound.outbox import OutboxItem
from shared.domain.outbound.requests import SendRequest
from shared.outbound_ports import Caller, Draft
from shared.workflows.outbound import drafts
from shared.workflows.outbound.parts import Part, parts_of, weight
from shared.workflows.outbound.send import LARGEST_REQUEST, request_size
from shared.workflows.outbox.box import Outbox


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail that is ready to become a draft.

    Args:
        message: Graph's JSON; with its files, where all of it fits into one request.
        apart: files that have to be attached to the draft.
    """

    message: dict[str, Any]
    apart: list[Part]


async def content_of(box: Outbox, item: OutboxItem) -> bytes | None:
    """The send request that an item holds or names; None where it is gone."""
    if item.blob:
        return await box.contents.read(item.blob)
    return item.content or None


async def prepared(box: Outbox, content: bytes) -> Prepared:
    """The mail in the form in which it goes to Graph.

    Raises:
        SendRefused: a document is gone.
        StorageUnavailable: documents cannot be read now.
    """
    request = msgspec.json.decode(content, type=SendRequest)
    message = new_message(request)
    parts = await parts_of(request.attachments, box.sending.documents)
    if request_size(message) + weight(parts) > LARGEST_REQUEST:
        return Prepared(message, parts)
    if parts:
        message["attachments"] = [await part.whole() for part in parts]
    return Prepared(message, [])


async def found(box: Outbox, caller: Caller, item: OutboxItem, mail: Prepared) -> Draft | None:
    """The draft of an earlier attempt, if it is whole; one that may lack files is removed."""
    draft = await box.sending.operations.find_draft(caller, item.draft_key)
    if draft is None or not draft.is_draft or not mail.apart:
        return draft
    await box.sending.operations.discard_draft(caller, draft.id)
    return None


async def attach(box: Outbox, caller: Caller, draft: Draft, mail: Prepared) -> None:
    """Attaches the files that did not fit; the draft is removed where that fails."""
    if mail.apart:
        await drafts.prepared(
            box.sending,
            caller,
            draft,
            lambda: drafts.attach(box.sending, caller, draft, mail.apart),
        )
