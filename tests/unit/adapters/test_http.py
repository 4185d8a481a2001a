from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.http import LONGEST_RETRY_AFTER, retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("2.128", 2.128),
        (" 3 ", 3.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("1e30", LONGEST_RETRY_AFTER),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("inf", None),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("Wed, 99 Foo 2015", None),
    ],
)
@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER"])
def test_retry_after(name: str, value: str, seconds: float | None) -> None:
    """Seconds or a date; what makes no sense counts as absent; never more than a day."""
    assert retry_after({"Date": "x", name: value}) == seconds


def test_a_date_is_so_many_seconds_away() -> None:
    """As HTTP allows it."""
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)

    seconds = retry_after({"Retry-After": later})

    assert seconds == pytest.approx(600, abs=30)


def test_nothing_was_asked() -> None:
    """The caller decides."""
    assert retry_after({"Content-Type": "text/html"}) is None


@given(st.text())
def test_any_header_is_read_or_ignored(value: str) -> None:
    """It comes from outside."""
    seconds = retry_after({"Retry-After": value})

    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER
