"""Taking mail in: claim it in the ledger, then queue what was claimed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.delivery import Delivery, DeliveryKey, State
from shared.domain.envelope import Envelope
from shared.domain.errors import AnswerTooLarge, MailboxUnavailable
from shared.domain.mail import Mail, mail_from_graph, mail_key, received_at
from shared.domain.source import Source
from shared.ports import MailboxAddress, Ports
from shared.telemetry import logger, mail_span, span
from shared.telemetry.metrics import mails_found
from shared.workflows.concurrency import for_each

PUTS_AT_ONCE = 16
READS_AT_ONCE = 200
FETCHED_AT_ONCE = 20
"""Mails fetched by one `$batch`, which takes 20 requests."""

GraphMessage = Mapping[str, Any]


async def take_in(source: Source, messages: Sequence[GraphMessage], ports: Ports) -> None:
    """Claims the messages that the ledger does not know, and queues an envelope for each.

    A crash between the two leaves claims without an envelope; recovery makes those.
    """
    if not messages:
        return
    now = ports.clock.now()
    by_key = {_key(message): message for message in messages}
    waiting: Mapping[str, tuple[str, ...]] = dict.fromkeys(by_key, source.subscriptions)
    if source.predecessors:
        waiting = await _waiting(source, messages, ports)
    wanted = [
        _delivery(source, message, waiting[key], now)
        for key, message in by_key.items()
        if key in waiting
    ]

    async def queue(delivery: Delivery) -> None:
        await _queue(delivery, ports, mail_from_graph(by_key[delivery.key.mail]))

    with span("claim", found=len(messages)) as page:
        claimed = await ports.ledger.claim(wanted)
        mails_found(claimed)
        page.note(new=len(claimed))
        await for_each(queue, claimed, PUTS_AT_ONCE)
    if claimed:
        logger().info("poll.taken_in", found=len(messages), new=len(claimed))


async def take_in_by_id(
    source: Source,
    messages: Sequence[GraphMessage],
    ports: Ports,
    retention: timedelta,
    goes_on: Callable[[], Awaitable[bool]],
) -> bool:
    """Takes in mails of which only id and time are known, fetching those that are new.

    A mail that is larger than an answer may be, or that Graph fails to give, is claimed and queued
    without its content: it is processed alone, and blocks no other.

    Args:
        source: the source that lists them.
        messages: Graph's JSON with `id` and `receivedDateTime`.
        ports: the world outside.
        retention: how long the ledger remembers; a memory that is needed is renewed in time.
        goes_on: asked after each request whether there is time for another.

    Returns:
        whether all of them were taken in.
    """
    waiting = await _waiting(source, messages, ports, renewed_after=retention / 2)
    unknown = [message for message in messages if _key(message) in waiting]
    address = MailboxAddress(source.polling.credential, source.polling.mailbox)
    step, start = FETCHED_AT_ONCE, 0
    while start < len(unknown):
        some = unknown[start : start + step]
        try:
            whole = await ports.mailboxes.fetch_messages(
                address, [message["id"] for message in some], source.polling.body_format
            )
        except (AnswerTooLarge, MailboxUnavailable) as error:
            if isinstance(error, MailboxUnavailable) and error.retry_after is not None:
                raise
            if len(some) > 1:
                step = max(1, len(some) // 2)
                continue
            await _claim_unread(source, some[0], waiting[_key(some[0])], ports)
        else:
            await take_in(source, whole, ports)
        start += len(some)
        step = min(step * 2, FETCHED_AT_ONCE)
        if start < len(unknown) and not await goes_on():
            return False
    return True


async def _waiting(
    source: Source,
    messages: Sequence[GraphMessage],
    ports: Ports,
    renewed_after: timedelta | None = None,
) -> dict[str, tuple[str, ...]]:
    """The subscriptions that have yet to get each mail, by its key; mail for none is left out.

    A mail that this source has claimed is for none. One that a predecessor has claimed is for those
    that the predecessor did not serve.

    Args:
        source: the source that lists them.
        messages: Graph's JSON.
        ports: the world outside.
        renewed_after: age at which a memory that is still needed is renewed; None for never.
    """
    now = ports.clock.now()
    waiting: dict[str, tuple[str, ...]] = {}

    async def recall(identity: str, message: GraphMessage) -> tuple[str, ...]:
        delivery = await ports.ledger.read(DeliveryKey(identity, _key(message)))
        if delivery is None:
            return ()
        old = renewed_after is not None and delivery.updated_at < now - renewed_after
        if delivery.state.is_final and old:
            await ports.ledger.save(replace(delivery, updated_at=now))
        return delivery.subscriptions or source.subscriptions

    async def look_up(message: GraphMessage) -> None:
        if await recall(source.id, message):
            return
        served = {name for one in source.predecessors for name in await recall(one, message)}
        names = tuple(name for name in source.subscriptions if name not in served)
        if names:
            waiting[_key(message)] = names

    await for_each(look_up, messages, READS_AT_ONCE)
    return waiting


async def _claim_unread(
    source: Source, message: GraphMessage, names: tuple[str, ...], ports: Ports
) -> None:
    """Queues an envelope without the mail: whoever processes it reads it from the mailbox."""
    delivery = _delivery(source, message, names, ports.clock.now())
    for claimed in await ports.ledger.claim([delivery]):
        mails_found([claimed])
        await _queue(claimed, ports)


async def _queue(delivery: Delivery, ports: Ports, mail: Mail | None = None) -> None:
    """Queues an envelope; with it the trace of the mail begins."""
    with mail_span("queue", delivery.key, subscription=delivery.subscriptions) as begun:
        envelope = Envelope(key=delivery.key, mail=mail, traceparent=begun.traceparent)
        await ports.emails.put(envelope)


def _key(message: GraphMessage) -> str:
    return mail_key(message["id"], received_at(message))


def _delivery(
    source: Source, message: GraphMessage, names: tuple[str, ...], now: datetime
) -> Delivery:
    return Delivery(
        key=DeliveryKey(source.id, _key(message)),
        mail_id=message["id"],
        mailbox=source.polling.mailbox,
        subscriptions=names,
        state=State.CLAIMED,
        received_at=received_at(message),
        claimed_at=now,
        updated_at=now,
        due_at=now,
    )
