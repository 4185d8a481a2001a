"""A delivery as a row of the table `deliveries`, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared.adapters.storage.tables import plain, stored
from shared.adapters.storage.transactions import Entity
from shared.domain.delivery import Delivery, DeliveryKey, State

REASON_CHARACTERS = 1000
CLAIM = "claim"
"""The column that says which call of `claim` made the row."""


def new_row(delivery: Delivery, claim: str) -> dict[str, Any]:
    """The row of a delivery that is claimed."""
    return {
        **changes(delivery),
        "mailId": delivery.mail_id,
        "mailbox": delivery.mailbox,
        "subscriptions": json.dumps(delivery.subscriptions),
        "receivedAt": stored(delivery.received_at),
        "claimedAt": stored(delivery.claimed_at),
        CLAIM: claim,
    }


def changes(delivery: Delivery) -> dict[str, Any]:
    """The columns that change in the course of a delivery, with the row's keys."""
    return {
        "PartitionKey": delivery.key.source,
        "RowKey": delivery.key.mail,
        "state": delivery.state.value,
        "acceptedBy": json.dumps(delivery.accepted_by),
        "attempts": delivery.attempts,
        "dueAt": stored(delivery.due_at),
        "updatedAt": stored(delivery.updated_at),
        "reason": delivery.reason[:REASON_CHARACTERS],
    }


def delivery_of(row: Entity) -> Delivery:
    """The delivery that a row holds."""
    return Delivery(
        key=DeliveryKey(row["PartitionKey"], row["RowKey"]),
        mail_id=row["mailId"],
        mailbox=row["mailbox"],
        subscriptions=_names(row, "subscriptions"),
        state=State(row["state"]),
        received_at=plain(row["receivedAt"]),
        claimed_at=plain(row["claimedAt"]),
        updated_at=plain(row["updatedAt"]),
        due_at=plain(row["dueAt"]),
        accepted_by=_names(row, "acceptedBy"),
        attempts=row["attempts"],
        reason=row["reason"],
    )


def _names(row: Mapping[str, Any], column: str) -> tuple[str, ...]:
    return tuple(json.loads(row[column]))
