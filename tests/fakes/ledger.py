"""A ledger in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.delivery import Delivery, DeliveryKey, State
from shared.domain.errors import DeliveryNotFound

REASON_CHARACTERS = 1000


class FakeLedger:
    """Fulfils :class:`~shared.ports.Ledger`.

    Args:
        rows: the deliveries, shared by ledgers that stand for workers on one storage.
    """

    def __init__(self, rows: dict[DeliveryKey, Delivery] | None = None) -> None:
        self.rows = {} if rows is None else rows

    async def claim(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Stores those that are not known yet, and gives them, in order."""
        new = []
        for delivery in deliveries:
            if delivery.key not in self.rows:
                self.rows[delivery.key] = delivery
                new.append(delivery)
        return new

    async def read(self, key: DeliveryKey) -> Delivery | None:
        """One delivery, or None where it is not known."""
        return self.rows.get(key)

    async def save(self, delivery: Delivery) -> None:
        """Stores what changes in the course of a delivery that was claimed."""
        known = self.rows.get(delivery.key)
        if known is None:
            raise DeliveryNotFound(delivery.key.source, delivery.key.mail)
        self.rows[delivery.key] = replace(
            known,
            state=delivery.state,
            accepted_by=delivery.accepted_by,
            attempts=delivery.attempts,
            due_at=delivery.due_at,
            updated_at=delivery.updated_at,
            reason=delivery.reason[:REASON_CHARACTERS],
        )

    async def overdue(self, before: datetime) -> AsyncIterator[Delivery]:
        """Deliveries not at their end whose `due_at` lies before a time."""
        for delivery in list(self.rows.values()):
            if not delivery.state.is_final and delivery.due_at < before:
                yield delivery

    async def find(
        self, states: Collection[State] = (), source_id: str = ""
    ) -> AsyncIterator[Delivery]:
        """Deliveries in some states, of one source; by source and mail, as tables are sorted."""
        for _, delivery in sorted(self.rows.items(), key=lambda one: (one[0].source, one[0].mail)):
            if delivery.state in (states or State) and source_id in ("", delivery.key.source):
                yield delivery

    async def purge(self, source_id: str, before: datetime) -> int:
        """Forgets deliveries of a source that ended before a time. Gives how many."""
        old = [
            key
            for key, delivery in self.rows.items()
            if key.source == source_id and delivery.state.is_final and delivery.updated_at < before
        ]
        for key in old:
            del self.rows[key]
        return len(old)

    def in_state(self, state: State) -> list[Delivery]:
        """The deliveries that stand there, for a test to look at."""
        return [delivery for delivery in self.rows.values() if delivery.state is state]
