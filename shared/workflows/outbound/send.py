"""Sends a new mail: in one request where that is enough, else as a draft."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from shared.domain.errors import Refusal, SendRefused
from shared.domain.outbound.graph_json import addresses, new_message
from shared.domain.outbound.requests import SendRequest
from shared.outbound_ports import Caller
from shared.workflows.outbound import drafts
from shared.workflows.outbound.loops import refuse_new
from shared.workflows.outbound.parts import Part, parts_of, weight
from shared.workflows.outbound.sending import Sending, Sent

LARGEST_REQUEST = 4_000_000
"""Bytes of one request to Graph, which takes 4 MB: 3 MB of files are 4 MB in base64."""


async def send(sending: Sending, caller: Caller, request: SendRequest) -> Sent:
    """Sends a mail.

    Raises:
        SendRefused: the connector does not send it.
        AnswerLost: nobody knows whether it is sent.
        MailboxError: it is not sent.
        StorageUnavailable: it is not sent.
    """
    refuse_new(caller, request)
    message = new_message(request)
    parts = await parts_of(request.attachments, sending.documents)
    size = request_size(message)
    fits = size + weight(parts) <= LARGEST_REQUEST
    if not fits and not request.save_to_sent_items:
        raise SendRefused(
            Refusal.NO_COPY,
            "a mail of more than 3 MB goes as a draft, of which a copy stays in Sent Items. Leave"
            " saveToSentItems out, or send less.",
        )
    if fits and parts:
        message["attachments"] = [await part.whole() for part in parts]
    async with sending.counted(addresses(message)):
        if fits and not request.identify:
            sending.begins()
            await sending.operations.send_at_once(caller, message, save=request.save_to_sent_items)
            return Sent(kept=request.save_to_sent_items)
        return await _as_draft(sending, caller, message, [] if fits else parts)


async def _as_draft(
    sending: Sending, caller: Caller, message: dict[str, Any], apart: list[Part]
) -> Sent:
    """Sends a mail as a draft, to which files are attached that did not fit into it."""
    key = str(uuid.uuid4())
    draft = await drafts.made(
        sending, caller, key, lambda: sending.operations.create_draft(caller, message, key)
    )
    if apart:
        await drafts.prepared(
            sending, caller, draft, lambda: drafts.attach(sending, caller, draft, apart)
        )
    return Sent(await drafts.dispatch(sending, caller, draft, key))


def request_size(message: Mapping[str, Any]) -> int:
    """Bytes of a message without its files in a request.

    Raises:
        SendRefused: too many, and no way around: a body cannot be sent in parts.
    """
    size = len(json.dumps(message))
    if size > LARGEST_REQUEST:
        raise SendRefused(
            Refusal.TOO_LARGE, "the body is too large for a request of 4 MB. Send it as a file."
        )
    return size
