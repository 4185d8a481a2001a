"""Recovery: deliveries that stand still go on from their state; documents that are old go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from shared.domain.delivery import Delivery
from shared.domain.envelope import Envelope, blob_name
from shared.ports import Ports
from shared.telemetry import logger, mail_span
from shared.workflows.concurrency import for_each
from shared.workflows.serve_document import expire_documents

AT_ONCE = 16
CHUNK = 200


async def recover(ports: Ports, after: timedelta, documents_for: timedelta) -> int:
    """Queues an envelope for every delivery that stands still; gives how many.

    Then removes documents that have been kept for long enough.

    A delivery stands still when nobody has worked on it since `due_at`. Where messages wait in the
    queue, those put before the oldest of them have been given out; a delivery due later than that
    may still have its message there, and is left alone.

    Args:
        ports: the world outside.
        after: how long a delivery may stand still.
        documents_for: how long documents are kept.
    """
    before = ports.clock.now() - after
    oldest = await ports.emails.oldest_waiting()
    if oldest is not None:
        before = min(before, oldest - after)
    recovered, chunk = 0, []
    async for delivery in ports.ledger.overdue(before):
        chunk.append(delivery)
        if len(chunk) == CHUNK:
            recovered += await _queue_again(chunk, ports)
            chunk = []
    recovered += await _queue_again(chunk, ports)
    await expire_documents(ports, documents_for, ports.clock.now())
    return recovered


async def _queue_again(deliveries: Sequence[Delivery], ports: Ports) -> int:
    recovered = 0

    async def queue(delivery: Delivery) -> None:
        nonlocal recovered
        if await ports.ledger.read(delivery.key) != delivery:
            return  # somebody has gone on with it since it was listed
        recovered += 1
        now = ports.clock.now()
        await ports.ledger.save(replace(delivery, due_at=now, updated_at=now))
        # without the mail: it may lie in its blob, or else is read from the mailbox
        with mail_span("recover", delivery.key, state=delivery.state) as again:
            blob, traceparent = blob_name(delivery.key), again.traceparent
            await ports.emails.put(Envelope(key=delivery.key, blob=blob, traceparent=traceparent))
        logger().warning(
            "delivery.recovered",
            source=delivery.key.source,
            mail=delivery.key.mail,
            state=delivery.state.value,
        )

    await for_each(queue, deliveries, AT_ONCE)
    return recovered
