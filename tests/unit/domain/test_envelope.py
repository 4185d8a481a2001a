import json
from datetime import UTC, datetime
from traceback import format_exception
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.delivery import DeliveryKey
from shared.domain.envelope import Envelope
from shared.domain.errors import EnvelopeError
from shared.domain.mail import mail_from_graph
from tests.builders import graph_message

KEY = DeliveryKey("source", "key")
ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included
MAILS = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(
    mail=st.none() | st.dictionaries(ANY_TEXT, MAILS, max_size=5),
    blob=ANY_TEXT,
    tried=st.none() | st.datetimes(timezones=st.just(UTC)),
    traceparent=ANY_TEXT,
)
def test_what_is_encoded_comes_back(
    mail: dict[str, Any] | None, blob: str, tried: datetime | None, traceparent: str
) -> None:
    """Whatever a sender wrote, half characters included; in ASCII that XML can carry."""
    envelope = Envelope(
        key=KEY, mail=mail, blob=blob, first_tried_at=tried, traceparent=traceparent
    )

    message = envelope.encode()

    assert message.isascii()
    assert all(character >= " " for character in message)
    assert Envelope.decode(message) == envelope
    assert Envelope.decode(message.encode()) == envelope


def test_a_mail_of_graph_comes_back() -> None:
    """With emoji, zero bytes and a lone half of a character."""
    mail = mail_from_graph(graph_message(subject="Grüße \N{PARTY POPPER}\0", body="\ud83d"[:0]))
    mail["subject"] += "\ud83d"

    assert Envelope.decode(Envelope(key=KEY, mail=mail).encode()).mail == mail


def test_an_envelope_without_mail_is_small() -> None:
    """It names the mail, which lies in a blob or the mailbox."""
    message = json.loads(Envelope(key=KEY).encode())

    assert message == {"version": 1, "source": "source", "key": "key", "traceparent": ""}


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no json",
        b"\xff\xfe",
        "[]",
        "7",
        "null",
        "{}",
        '{"version": 1}',
        '{"version": 1, "source": "a"}',
        '{"version": 1, "source": "a", "key": "b", "firstTriedAt": "yesterday"}',
        '{"version": 1, "source": "a", "key": "b", "firstTriedAt": 5}',
    ],
)
def test_what_is_no_envelope_is_said_to_be_none(message: str | bytes) -> None:
    """One error, whatever is wrong."""
    with pytest.raises(EnvelopeError, match="no envelope"):
        Envelope.decode(message)


def test_another_version_is_refused() -> None:
    """An older app must not guess at what a newer one wrote."""
    with pytest.raises(EnvelopeError, match="of version 2; this app reads 1"):
        Envelope.decode('{"version": 2, "source": "a", "key": "b"}')


@pytest.mark.parametrize(
    "message",
    [
        b'{"version": 1, "mail": {"subject": "Confidential \xff"}}',
        '{"version": 1, "source": "a", "key": "b", "firstTriedAt": "Confidential"}',
    ],
)
def test_what_is_no_envelope_is_not_repeated(message: str | bytes) -> None:
    """Errors are logged with their causes, and the message may hold a whole mail."""
    with pytest.raises(EnvelopeError) as raised:
        Envelope.decode(message)

    assert "Confidential" not in "".join(format_exception(raised.value))
