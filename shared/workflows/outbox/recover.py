"""Recovery of durable sends: those that stand still go on; those long ended are forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.domain.outbound.outbox import OutboxItem, OutboxMessage
from shared.telemetry import logger
from shared.workflows.concurrency import for_each
from shared.workflows.outbox.box import Outbox

AT_ONCE = 16
CHUNK = 200


async def recover_outbox(box: Outbox, after: timedelta, retention: timedelta) -> int:
    """Queues every send that stands still; gives how many. Then forgets what ended long ago.

    A send stands still when nobody has worked on it since `due_at`. As in the recovery of
    deliveries, one that may still have its message in the queue is left alone.

    Args:
        box: the outbox.
        after: how long a send may stand still.
        retention: how long keys are remembered after the end of their send.
    """
    now = box.sending.clock.now()
    before = now - after
    oldest = await box.queue.oldest_waiting()
    if oldest is not None:
        before = min(before, oldest - after)
    recovered, chunk = 0, list[OutboxItem]()
    async for item in box.table.overdue(before):
        chunk.append(item)
        if len(chunk) == CHUNK:
            recovered += await _queue_again(box, chunk)
            chunk = []
    recovered += await _queue_again(box, chunk)
    await box.table.purge(now - retention)
    await box.contents.expire((now - retention).date())
    return recovered


async def _queue_again(box: Outbox, items: list[OutboxItem]) -> int:
    recovered = 0

    async def queue(item: OutboxItem) -> None:
        nonlocal recovered
        now = box.sending.clock.now()
        if await box.table.write(replace(item, due_at=now)) is None:
            return  # somebody has gone on with it since it was listed
        recovered += 1
        await box.queue.put(OutboxMessage(mailbox=item.mailbox, key=item.key))
        logger().warning("send.recovered", send=item.key, state=item.state.value)

    await for_each(queue, items, AT_ONCE)
    return recovered
