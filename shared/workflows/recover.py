"""Recovery: deliveries that stand still go on from their state, and old ones are forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from shared.domain.delivery import Delivery
from shared.domain.envelope import Envelope
from shared.domain.trace import new_traceparent
from shared.ports import Ports
from shared.telemetry import logger
from shared.workflows.concurrency import for_each
from shared.workflows.registry import Registry

AT_ONCE = 16
CHUNK = 200


async def recover(ports: Ports, registry: Registry, after: timedelta, retention: timedelta) -> int:
    """Queues an envelope for every delivery that stands still; gives how many.

    A delivery stands still when nobody has worked on it since `due_at`. Where messages wait in the
    queue, those put before the oldest of them have been given out; a delivery due later than that
    may still have its message there, and is left alone.

    Args:
        ports: the world outside.
        registry: which sources there are.
        after: how long a delivery may stand still.
        retention: how long ended deliveries are remembered.
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
    await _purge(ports, registry, retention)
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
        # without the mail: it is read from the mailbox, if it is still needed
        await ports.emails.put(Envelope(key=delivery.key, traceparent=new_traceparent()))
        logger().warning(
            "delivery.recovered",
            source=delivery.key.source,
            mail=delivery.key.mail,
            state=delivery.state.value,
        )

    await for_each(queue, deliveries, AT_ONCE)
    return recovered


async def _purge(ports: Ports, registry: Registry, retention: timedelta) -> None:
    """Forgets what ended long ago, of sources that are being swept.

    A sweep renews the memory of mail that is still listed. A source that was not swept lately may
    list mail again that it handled long ago, so its memory is kept.
    """
    now = ports.clock.now()
    swept = {
        state.id
        for state in (await ports.sources.all()).values()
        if now - state.swept_at < retention / 4
    }
    for source_id in swept & set((await registry.current()).sources):
        purged = await ports.ledger.purge(source_id, now - retention)
        if purged:
            logger().info("ledger.purged", source=source_id, deliveries=purged)
