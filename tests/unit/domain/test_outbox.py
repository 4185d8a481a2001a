import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.errors import EnvelopeError
from shared.domain.outbound.outbox import (
    OutboxItem,
    OutboxMessage,
    SendState,
    fingerprint,
    read_key,
    send_id,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ITEM = OutboxItem(
    mailbox="Support@contoso.example",
    key="order-1",
    fingerprint="f",
    draft_key="d",
    state=SendState.ACCEPTED,
    accepted_at=NOW,
    updated_at=NOW,
    due_at=NOW,
    content=b"{}",
)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ('"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("order:1@shop+b=c", "order:1@shop+b=c"),
        (" a ", "a"),
        ("x" * 128, "x" * 128),
    ],
)
def test_a_key_is_read_with_or_without_quotes(header: str, key: str) -> None:
    """The IETF draft has it quoted; most clients send it bare."""
    assert read_key(header) == key


@pytest.mark.parametrize("header", ['"', '""', "a b", "a/b", "ü", "-a", "a\nb", "x" * 129, "a%20"])
def test_what_is_no_key_is_refused_with_what_is_allowed(header: str) -> None:
    """A key stands in the path of the status, and in the row's key."""
    with pytest.raises(ValueError, match="Idempotency-Key: 1 to 128"):
        read_key(header)


def test_without_a_key_each_send_gets_one_of_its_own() -> None:
    """Absent or empty."""
    assert read_key(None) != read_key("")


def test_a_fingerprint_tells_requests_apart() -> None:
    """Not by the order of their fields."""
    assert fingerprint({"a": 1, "b": {"c": 2, "d": 3}}) == fingerprint(
        {"b": {"d": 3, "c": 2}, "a": 1}
    )
    assert fingerprint({"to": ["a", "b"]}) != fingerprint({"to": ["b", "a"]})


def test_a_send_is_named_by_mailbox_and_key() -> None:
    """Upper and lower case of a mailbox are one, those of a key are two."""
    assert ITEM.id == send_id("SUPPORT@contoso.example", "order-1")
    assert ITEM.id != send_id(ITEM.mailbox, "ORDER-1")


def test_a_failure_says_whether_the_mail_may_be_gone() -> None:
    """It may as soon as Graph was asked to send it."""
    taken = ITEM.taken(SendState.DRAFTING, NOW, NOW + timedelta(minutes=5))

    assert taken.failed(NOW, "it cannot be").reason == "it cannot be. Nothing was sent."
    sending = replace(taken, state=SendState.SENDING)
    assert "may have been sent" in sending.failed(NOW, "no answer").reason


def test_a_send_at_its_end_keeps_no_content() -> None:
    """Nor does its text show any before."""
    assert ITEM.ended(SendState.SENT, NOW).content == b""
    assert "{}" not in repr(ITEM)


def test_a_status_holds_what_is_known() -> None:
    """Nothing of the mail, and no empty fields."""
    waiting = ITEM.waiting(SendState.DRAFTED, NOW, NOW + timedelta(minutes=1), "throttled")

    assert waiting.status() == {
        "key": "order-1",
        "userId": "Support@contoso.example",
        "state": "drafted",
        "acceptedAt": "2026-03-02T09:00:00+00:00",
        "updatedAt": "2026-03-02T09:00:00+00:00",
        "nextAttemptAt": "2026-03-02T09:01:00+00:00",
        "attempts": 0,
        "reason": "throttled",
    }


@pytest.mark.parametrize("request_", [None, {"to": ["a@example.org"], "subject": "Grüße <&> \x00"}])
def test_a_message_is_read_as_it_was_written(request_: dict[str, object] | None) -> None:
    """In ASCII, so that XML takes it."""
    account = "orders" if request_ else ""
    message = OutboxMessage(mailbox="ü@contoso.example", key="k", request=request_, account=account)

    assert message.encode().isascii()
    assert OutboxMessage.decode(message.encode()) == message
    assert "Grüße" not in repr(message)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '"x"',
        "{}",
        json.dumps({"version": 2, "userId": "a", "key": "b"}),
        json.dumps({"version": 1, "userId": "", "key": "b"}),
        json.dumps({"version": 1, "userId": "a", "key": "b/c"}),
        json.dumps({"version": 1, "userId": "a", "key": 7}),
        json.dumps({"version": 1, "userId": "a", "key": "b", "request": "Secret"}),
        json.dumps({"version": 1, "userId": "a", "key": "b", "request": {}, "account": 7}),
    ],
)
def test_what_is_no_message_is_refused(text: str) -> None:
    """Without what stood in it."""
    with pytest.raises(EnvelopeError) as raised:
        OutboxMessage.decode(text)

    assert "Secret" not in str(raised.value)


def test_a_message_carries_its_item_where_there_is_room() -> None:
    """Which saves reading it; without, whoever gets the message reads it."""
    item = replace(ITEM, content='{"body":"Grüße"}'.encode(), version='W/"1"')
    large = replace(item, content=b"\\" * 40_000)

    for one, carried in ((item, item), (large, None)):
        message = OutboxMessage(mailbox=one.mailbox, key=one.key, item=one)
        assert OutboxMessage.decode(message.encode()).item == carried


def test_a_message_of_an_older_version_is_read() -> None:
    """One that was queued before sizes were kept waits through an upgrade."""
    item = replace(ITEM, version='W/"1"')
    fields = json.loads(OutboxMessage(mailbox=item.mailbox, key=item.key, item=item).encode())
    del fields["item"]["size"]

    assert OutboxMessage.decode(json.dumps(fields)).item == item
