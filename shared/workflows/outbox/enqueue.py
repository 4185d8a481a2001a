"""Accepts a mail that is to be sent for sure, and tells what became of it.

The item is stored before it is queued. From then on it is sent, even if the caller hears nothing:
a caller who repeats the request with the same key gets the same send.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec

from shared.domain.accounts import AccountRefused, account_name
from shared.domain.errors import SendRefused, StorageUnavailable
from shared.domain.outbound.graph_json import new_message
from shared.domain.outbound.mailbox import mailbox_name
from shared.domain.outbound.outbox import (
    INLINE_BYTES,
    KeyReused,
    NotDurable,
    OutboxItem,
    OutboxMessage,
    SendState,
    fingerprint,
    send_id,
)
from shared.domain.outbound.requests import SendRequest
from shared.domain.outbound.template import render
from shared.outbound_ports import Caller
from shared.telemetry import logger
from shared.workflows.accounts.acting import from_its_mailbox, through_account
from shared.workflows.outbound.loops import refuse_new
from shared.workflows.outbound.parts import parts_of
from shared.workflows.outbound.send import request_size
from shared.workflows.outbox.box import Outbox


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A send that is promised, or was before.

    Args:
        item: where it stands.
        is_new: whether this call has stored it.
    """

    item: OutboxItem
    is_new: bool


def read_request(body: Mapping[str, Any]) -> tuple[SendRequest, str]:
    """A send request, rendered where it is a template, and the fingerprint of how it was written.

    Raises:
        ValidationError: it is none (msgspec's).
        TemplateError: its template fails.
    """
    return msgspec.convert(render(body), SendRequest), fingerprint(body)


async def enqueue(
    box: Outbox, caller: Caller, request: SendRequest, key: str, written: str
) -> Enqueued:
    """Promises to send a mail.

    Args:
        box: the outbox.
        caller: the mailbox; without a token of the caller's, which would have to be kept.
        request: the mail.
        key: names the send, see :func:`~shared.domain.outbound.outbox.read_key`.
        written: fingerprint of the request as the caller wrote it.

    Raises:
        KeyReused: the key names another mail.
        NotDurable: the mail cannot be kept until it is sent.
        SendRefused: it could never be sent.
        StorageUnavailable: it is not promised; it may be sent all the same if the storage did what
            it did not answer, which the same key shows.
    """
    if caller.bearer:
        raise NotDurable("a token is used for one request and never kept. Send as the app instead.")
    try:
        _check(caller, request)
        request_size(new_message(request))
        await parts_of(request.attachments, box.sending.documents)
    except (NotDurable, SendRefused):
        # it may be a repetition: what it was made of may be gone, and the mail sent
        known = await box.table.read(send_id(caller.mailbox, key))
        if known is None or known.fingerprint != written:
            raise
        return Enqueued(known, is_new=False)
    stored = await _stored(box, _new_item(box, caller, key, written), request)
    if stored.item.fingerprint != written:
        raise KeyReused(key)
    message = OutboxMessage(mailbox=stored.item.mailbox, key=key)
    if stored.is_new:
        await _queued(box, replace(message, item=stored.item, is_new=True))
    elif stored.item.is_untouched:
        # the caller may repeat it because we ended between storing and queueing; a first attempt
        # that is under way is not to be disturbed
        await _queued(box, message, box.deadline)
    return stored


async def find_send(box: Outbox, mailbox: str, key: str) -> OutboxItem | None:
    """Where a send stands; None where the key is not known (any more)."""
    return await box.table.read(send_id(mailbox, key))


async def ordered(box: Outbox, message: OutboxMessage) -> tuple[OutboxItem | None, bool]:
    """Stores a send that another system has put on the queue; one that is no mail as failed.

    Returns:
        the send to go on with, None where there is nothing to do; and whether it was stored now.
    """
    body = message.request or {}
    try:
        caller = await _orderer(box, message)
        request, written = await asyncio.to_thread(read_request, body)
        request = from_its_mailbox(request, caller)
        _check(caller, request)
    except (ValueError, NotDurable, SendRefused, AccountRefused) as error:
        await _refuse(box, message, f"the message on the queue is no send request: {error}")
        return None, False
    stored = await _stored(box, _new_item(box, caller, message.key, written), request)
    if stored.item.fingerprint != written:
        # the send of that key goes on; this one has no name under which to be remembered
        logger().error("send.refused", reason=str(KeyReused(message.key)))
        return None, False
    return stored.item, stored.is_new


async def _refuse(box: Outbox, message: OutboxMessage, reason: str) -> None:
    """Remembers a message on the queue that cannot be sent as a send that failed."""
    written = fingerprint(message.request or {})
    item = _new_item(box, Caller(message.mailbox), message.key, written)
    await box.table.add(item.failed(box.sending.clock.now(), reason))
    logger().error("send.refused", reason=reason)


async def _orderer(box: Outbox, message: OutboxMessage) -> Caller:
    """The mailbox of an order, and as whom it is opened."""
    mailbox = mailbox_name(message.mailbox)
    if not message.account:
        return Caller(mailbox)
    return await through_account(box.accounts, account_name(message.account), mailbox)


def _check(caller: Caller, request: SendRequest) -> None:
    refuse_new(caller, request)
    if not request.save_to_sent_items:
        raise NotDurable(
            "a durable send goes as a draft, of which a copy stays in Sent Items. Leave"
            " saveToSentItems out, or send at once."
        )


def _new_item(box: Outbox, caller: Caller, key: str, written: str) -> OutboxItem:
    now = box.sending.clock.now()
    return OutboxItem(
        mailbox=caller.mailbox,
        key=key,
        credential=caller.credential,
        fingerprint=written,
        draft_key=str(uuid.uuid4()),
        state=SendState.ACCEPTED,
        accepted_at=now,
        updated_at=now,
        due_at=now,
    )


async def _stored(box: Outbox, item: OutboxItem, request: SendRequest) -> Enqueued:
    """The item of a key: this one, with its content, or the one that was there before."""
    content = msgspec.json.encode(request)
    if request.attachments or len(content) > INLINE_BYTES:
        # a name of its own: a rival with the same key does not write over it
        blob = f"{item.accepted_at:%Y%m%d}/{item.draft_key}.json"
        await box.contents.store(blob, content)
        item = replace(item, blob=blob, size=len(content))
    else:
        item = replace(item, content=content)
    try:
        added = await box.table.add(item)
    except StorageUnavailable:
        # it may have been stored, with only the answer lost
        added = await box.table.read(item.id)
        if added is None or added.draft_key != item.draft_key:
            raise
    if added is not None:
        return Enqueued(added, is_new=True)
    if item.blob:
        await box.contents.remove(item.blob)
    known = await box.table.read(item.id)
    if known is None:
        raise StorageUnavailable("table outbox: a send was forgotten this very moment; try again")
    return Enqueued(known, is_new=False)


async def _queued(box: Outbox, message: OutboxMessage, delay: timedelta = timedelta(0)) -> None:
    try:
        await box.queue.put(message, delay)
    except StorageUnavailable as error:
        # it is promised: recovery queues it
        logger().warning("send.not_queued", reason=str(error), send=message.key)
