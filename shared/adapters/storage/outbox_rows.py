"""A send as a row of the table `outbox`, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.adapters.storage.tables import EARLIEST, plain, stored
from shared.domain.outbound.outbox import OutboxItem, SendId, SendState
from shared.domain.subscription import Credential

REASON_CHARACTERS = 1000
CHANGE = "change"
"""The column that says which write the row is of: after a lost answer it tells whose it was."""


def partition(identity: SendId) -> str:
    """One partition a mailbox; addresses hold characters that keys may not."""
    return hashlib.sha256(identity.mailbox.encode()).hexdigest()[:16]


def new_row(item: OutboxItem, change: str) -> dict[str, Any]:
    """The row of a new send."""
    return {
        **changes(item, change),
        "mailbox": item.mailbox,
        "credential": json.dumps(asdict(item.credential)),
        "fingerprint": item.fingerprint,
        "draftKey": item.draft_key,
        "acceptedAt": item.accepted_at,
        "content": item.content,
        "blob": item.blob,
        "size": item.size,
    }


def changes(item: OutboxItem, change: str) -> dict[str, Any]:
    """The columns that change in the course of a send, with the row's keys."""
    columns: dict[str, Any] = {
        "PartitionKey": partition(item.id),
        "RowKey": item.key,
        "state": item.state.value,
        "updatedAt": item.updated_at,
        "dueAt": stored(item.due_at),
        "attempts": item.attempts,
        "counted": item.counted,
        "askedAt": item.asked_at or EARLIEST,  # a merge cannot take a column away
        "draftId": item.draft_id,
        "internetMessageId": item.internet_message_id,
        "conversationId": item.conversation_id,
        "reason": item.reason[:REASON_CHARACTERS],
        CHANGE: change,
    }
    return columns | ({"content": b""} if item.state.is_final else {})


def item_of(row: Mapping[str, Any], version: str | None) -> OutboxItem:
    """The send that a row holds; a query may have left its content out."""
    asked = plain(row["askedAt"])
    return OutboxItem(
        mailbox=row["mailbox"],
        key=row["RowKey"],
        credential=Credential(**json.loads(row["credential"])),
        fingerprint=row["fingerprint"],
        draft_key=row["draftKey"],
        state=SendState(row["state"]),
        accepted_at=plain(row["acceptedAt"]),
        updated_at=plain(row["updatedAt"]),
        due_at=plain(row["dueAt"]),
        attempts=row["attempts"],
        counted=row["counted"],
        asked_at=asked if asked > EARLIEST else None,
        draft_id=row["draftId"],
        internet_message_id=row["internetMessageId"],
        conversation_id=row["conversationId"],
        reason=row["reason"],
        content=bytes(row.get("content", b"")),
        blob=row["blob"],
        size=row.get("size") or 0,
        version=version or "",
    )
