"""Processing one envelope: deliver the mail to every subscription, then act on it in the mailbox.

Each step is recorded in the ledger before the next begins. Whatever is repeated, after a crash or
by a message that comes twice, goes on from what the ledger says.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from shared.domain.delivery import State
from shared.domain.envelope import Envelope
from shared.domain.settlement import LONGEST_DELAY
from shared.ports import Ports
from shared.telemetry import bound, logger, mail_span
from shared.telemetry.metrics import delivery_saved, taken_up
from shared.workflows.attempt import PAUSED_DELAY, Attempt
from shared.workflows.documents import Keeping
from shared.workflows.registry import Registry

DEADLINE = timedelta(minutes=4)
"""The longest that one envelope is worked on: shorter than what recovery waits."""

GIVEN_UP_AFTER = timedelta(hours=24)
"""How long a mail is tried on which the connector itself fails."""

_FAILED = "the connector itself failed on this mail at every attempt; its log says why."


async def process(envelope: Envelope, ports: Ports, registry: Registry, keeping: Keeping) -> None:
    """Takes one delivery as far as it goes now: to its end, or to its next attempt.

    Args:
        envelope: which delivery.
        ports: the world outside.
        registry: the subscriptions as they are now.
        keeping: how documents are kept.

    Raises:
        TimeoutError: it took longer than :data:`DEADLINE`; the queue gives it again.
    """
    if envelope.key in ports.in_work:
        # a copy, as a queue makes when the answer to a send gets lost: by then the ledger knows
        await ports.emails.put(envelope, PAUSED_DELAY)
        return
    ports.in_work.add(envelope.key)
    try:
        await _process(envelope, ports, registry, keeping)
    finally:
        ports.in_work.discard(envelope.key)


async def _process(envelope: Envelope, ports: Ports, registry: Registry, keeping: Keeping) -> None:
    with bound(source=envelope.key.source, mail=envelope.key.mail):
        async with asyncio.timeout(DEADLINE.total_seconds()) as time:
            delivery = await ports.ledger.read(envelope.key)
            if delivery is None or delivery.state.is_final:
                await ports.emails.discard(envelope)  # a copy of one that has ended
                return
            configuration = await registry.current()
            taken_up(delivery, (ports.clock.now() - delivery.due_at).total_seconds())
            rows = configuration.subscriptions
            attempt = Attempt(envelope, delivery, rows, ports, keeping, time)
            with mail_span(
                "deliver",
                envelope.key,
                envelope.traceparent,
                attempt=delivery.attempts + 1,
                subscription=delivery.subscriptions,
                mailbox=delivery.mailbox,
            ):
                await attempt.take()


async def give_up(envelope: Envelope, ports: Ports) -> None:
    """Takes an envelope that the queue has given out too often: something in us fails on it.

    It may be the mail, or an outage of the storage that hit all mail. So the mail is tried again,
    with long pauses, as long as an unavailable target would be; then it is a dead letter.
    """
    with bound(source=envelope.key.source, mail=envelope.key.mail):
        delivery = await ports.ledger.read(envelope.key)
        if delivery is None or delivery.state.is_final:
            await ports.emails.discard(envelope)
            return
        now = ports.clock.now()
        if now - delivery.claimed_at < GIVEN_UP_AFTER:
            await ports.emails.put(envelope, LONGEST_DELAY)
            await ports.ledger.save(delivery.postponed(now + LONGEST_DELAY, now, _FAILED))
            logger().error("delivery.failing", reason=_FAILED)
            return
        reason = f"{_FAILED} Given up after {GIVEN_UP_AFTER}."
        dead = delivery.ended(State.DEAD, now, reason)
        await ports.ledger.save(dead)
        delivery_saved(delivery, dead)
        logger().error("delivery.dead", reason=reason)
        await ports.emails.discard(envelope)
