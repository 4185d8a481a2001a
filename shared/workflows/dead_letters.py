"""What an operator does with deliveries that have ended: replay them, or discard dead letters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace

from shared.domain.delivery import Delivery, State
from shared.domain.envelope import Envelope, blob_name
from shared.ports import Ports
from shared.telemetry import logger, mail_span
from shared.workflows.concurrency import for_each

AT_ONCE = 16

REPLAYABLE = frozenset({State.DEAD, State.UNMATCHED, State.DISCARDED})
"""Ends from which a delivery may begin anew: in none of them has everybody got the mail."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one delivery.

    Args:
        skipped: why it was left alone, for a person; empty where it was not.
    """

    delivery: Delivery
    skipped: str = ""


Progress = Callable[[Settled], None]


async def replay(
    deliveries: Sequence[Delivery], states: Collection[State], ports: Ports, progress: Progress
) -> list[Settled]:
    """Has deliveries done again from where their targets are: who has accepted is not asked again.

    The ledger is told first: should this stop before the envelope is queued, recovery makes it.

    Args:
        deliveries: which; they may have gone on since they were read.
        states: those of :data:`REPLAYABLE` that are meant; others are left alone.
        ports: the world outside.
        progress: is told of each.
    """

    async def begin_anew(delivery: Delivery) -> None:
        now = ports.clock.now()
        await ports.ledger.save(
            replace(
                delivery,
                # what all targets have accepted has only its mailbox operation left
                state=State.CLAIMED if delivery.waiting else State.ACCEPTED,
                attempts=0,
                due_at=now,
                updated_at=now,
                reason=f"replayed by an operator; was: {delivery.state}, {delivery.reason}",
            )
        )
        # without the mail: it may lie in its blob still, or else is read from the mailbox
        with mail_span("replay", delivery.key, state=delivery.state) as again:
            blob, traceparent = blob_name(delivery.key), again.traceparent
            await ports.emails.put(Envelope(key=delivery.key, blob=blob, traceparent=traceparent))
        logger().info("delivery.replayed", source=delivery.key.source, mail=delivery.key.mail)

    return await _settle(deliveries, REPLAYABLE & set(states), ports, begin_anew, progress)


async def discard(
    deliveries: Sequence[Delivery], ports: Ports, progress: Progress
) -> list[Settled]:
    """Ends dead letters for good. Their mail stays where it is."""

    async def end(delivery: Delivery) -> None:
        reason = f"discarded by an operator; was: {delivery.reason}"
        await ports.ledger.save(delivery.ended(State.DISCARDED, ports.clock.now(), reason))
        await ports.emails.discard(Envelope(key=delivery.key, blob=blob_name(delivery.key)))
        logger().info("delivery.discarded", source=delivery.key.source, mail=delivery.key.mail)

    return await _settle(deliveries, {State.DEAD}, ports, end, progress)


async def _settle(
    deliveries: Sequence[Delivery],
    states: Collection[State],
    ports: Ports,
    act: Callable[[Delivery], Awaitable[None]],
    progress: Progress,
) -> list[Settled]:
    """Acts on those that still stand where they may, for somebody may be at them as well."""
    settled: dict[Delivery, Settled] = {}

    async def one(delivery: Delivery) -> None:
        known = await ports.ledger.read(delivery.key)
        if known is None:
            settled[delivery] = Settled(delivery, "it is not in the ledger any more")
        elif known.state not in states:
            settled[delivery] = Settled(known, f"it is {known.state} by now")
        else:
            await act(known)
            settled[delivery] = Settled(known)
        progress(settled[delivery])

    await for_each(one, deliveries, AT_ONCE)
    return [settled[delivery] for delivery in deliveries]
