"""Deliveries for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.domain.delivery import Delivery, DeliveryKey, State

NOW = datetime(2026, 1, 14, 16, 11, 39, 123456, tzinfo=UTC)


def delivery(mail: str, source: str = "source", *, due_at: datetime = NOW) -> Delivery:
    """A delivery as it is claimed."""
    return Delivery(
        key=DeliveryKey(source, mail),
        mail_id=f"id of {mail}",
        mailbox="support@contoso.com",
        subscriptions=("team/one", "team/two"),
        state=State.CLAIMED,
        received_at=NOW,
        claimed_at=NOW,
        updated_at=NOW,
        due_at=due_at,
    )


def page(count: int, source: str = "source", prefix: str = "6966f10b") -> list[Delivery]:
    """Deliveries whose keys lie close together, as those of mails that came together."""
    return [delivery(f"{prefix}-{number:04}", source) for number in range(count)]
