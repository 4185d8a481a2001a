"""Builds what tests are about: rows, subscriptions, messages, deliveries; each with defaults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.columns import read_row
from shared.domain.delivery import Delivery, DeliveryKey, State
from shared.domain.mail import mail_key
from shared.domain.source import Source, group_sources
from shared.domain.subscription import InvalidSubscription, Subscription
from shared.domain.target import TargetMessage

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAILBOX = "support@contoso.example"
URL = "https://tickets.example/hooks/mail"


def row(name: str = "tickets", **columns: Any) -> dict[str, Any]:
    """A row that is valid: unread mail of the inbox to a webhook, marked read afterwards.

    A column given as None is left out.
    """
    columns = {
        "PartitionKey": "team",
        "RowKey": name,
        "userId": MAILBOX,
        "postProcess": "markAsRead",
        "target": "webhook",
        "targetUrl": URL,
        **columns,
    }
    return {column: value for column, value in columns.items() if value is not None}


def subscription(name: str = "tickets", **columns: Any) -> Subscription:
    """A valid subscription."""
    read = read_row(row(name, **columns))
    assert isinstance(read, Subscription), read
    return read


def problems(**columns: Any) -> tuple[str, ...]:
    """What is wrong with a row; nothing where it is valid."""
    read = read_row(row(**columns))
    return read.problems if isinstance(read, InvalidSubscription) else ()


def source(*names: str, **columns: Any) -> Source:
    """The source that feeds some subscriptions that are alike."""
    [found], contradictions = group_sources(
        subscription(name, **columns) for name in names or ("tickets",)
    )
    assert not contradictions
    return found


def graph_message(number: int = 1, received: datetime = NOW, **properties: Any) -> dict[str, Any]:
    """A message as Graph gives it."""
    return {
        "id": f"AAMk-{number}=",
        "conversationId": f"conversation-{number}",
        "internetMessageId": f"<{number}@example.org>",
        "subject": f"Subject {number}",
        "body": {"contentType": "text", "content": f"Body {number}"},
        "from": {"emailAddress": {"name": "Ada", "address": "ada@example.org"}},
        "toRecipients": [{"emailAddress": {"name": "Support", "address": MAILBOX}}],
        "receivedDateTime": received.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "isRead": False,
        "categories": [],
        **properties,
    }


def delivery(
    number: int = 1,
    state: State = State.CLAIMED,
    source_id: str = "source",
    at: datetime = NOW,
    **fields: Any,
) -> Delivery:
    """A delivery to one subscription."""
    mail_id = f"AAMk-{number}="
    values: dict[str, Any] = {
        "key": DeliveryKey(source_id, mail_key(mail_id, at)),
        "mail_id": mail_id,
        "mailbox": MAILBOX,
        "subscriptions": ("team/tickets",),
        "state": state,
        "received_at": at,
        "claimed_at": at,
        "updated_at": at,
        "due_at": at,
    }
    return Delivery(**{**values, **fields})


def target_message(number: int = 1, **fields: Any) -> TargetMessage:
    """What a target is given for one mail."""
    values: dict[str, Any] = {
        "message_id": f"AAMk-{number}=",
        "message_name": "mail-received",
        "correlation_key": "order-4711",
        "time_to_live": timedelta(hours=1),
        "subscription": "team/tickets",
        "variables": {"email": {"id": f"AAMk-{number}=", "subject": "Grüße \ud83d"}},
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    return TargetMessage(**{**values, **fields})
