from datetime import date, datetime, timedelta, timezone

import pytest

from shared.domain.document import document_id, is_document_id, kept_on, mail_prefix
from tests.builders import NOW, delivery


def test_an_id_follows_from_delivery_and_part() -> None:
    """At every attempt, and for no other."""
    ids = [
        document_id(one, part, NOW)
        for one in (delivery(1), delivery(2), delivery(1, source_id="other"))
        for part in ("mime", "body", "attachment:a", "attachment:b")
    ]

    assert len(set(ids)) == 12
    assert document_id(delivery(1, attempts=3), "mime", NOW) == ids[0]
    assert all(is_document_id(one) for one in ids)


def test_an_id_begins_with_its_mail_and_its_day() -> None:
    """In UTC, wherever the claim was made."""
    tokyo = timezone(timedelta(hours=9))
    late = datetime(2026, 3, 3, 8, 0, tzinfo=tokyo)

    assert document_id(delivery(), "mime", NOW).startswith(f"{mail_prefix(delivery(), NOW)}-")
    assert kept_on(document_id(delivery(), "mime", NOW)) == NOW.date()
    assert kept_on(document_id(delivery(claimed_at=late), "mime", NOW)) == date(2026, 3, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mime",
        "../20260302",
        f"20260302-{'a' * 32}",
        f"20260302-{'a' * 32}-{'b' * 16}\n",
        f"2026030٢-{'a' * 32}-{'b' * 16}",
        f"20260302-{'A' * 32}-{'b' * 16}",
    ],
)
def test_what_is_no_id_is_told(text: str) -> None:
    """It comes from the path of a request."""
    assert not is_document_id(text)
