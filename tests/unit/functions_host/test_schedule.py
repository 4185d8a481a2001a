from datetime import UTC, datetime, timedelta

import pytest

from localdev.functions_host import HostError
from localdev.functions_host.schedule import parse_schedule, parse_timespan

MONDAY_NOON = datetime(2026, 1, 5, 12, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/10 * * * * *", "2026-01-05 12:00:10"),
        ("0 */5 * * * *", "2026-01-05 12:05:00"),
        ("0 30 9-17 * * Mon-Fri", "2026-01-05 12:30:00"),
        ("0 0 8 1 feb *", "2026-02-01 08:00:00"),
        ("0 0,30 6 * * sat,sun", "2026-01-10 06:00:00"),
        ("*/5 * * * *", "2026-01-05 12:05:00"),
    ],
)
def test_reads_ncrontab(expression: str, expected: str) -> None:
    """Steps, ranges, lists and names; the seconds may be left out."""
    next_time = parse_schedule(expression)(MONDAY_NOON)

    assert f"{next_time:%Y-%m-%d %H:%M:%S}" == expected


def test_day_of_month_and_day_of_week_must_both_match() -> None:
    """Friday the 13th, not each Friday and each 13th: NCRONTAB is not cron here."""
    next_time = parse_schedule("0 0 0 13 * Fri")(MONDAY_NOON)

    assert next_time == datetime(2026, 2, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    ["", "* *", "60 * * * * *", "0 0 0 L * *", "0 0 0 * * 7", "0 0 0 * * MON#1", "0 0 0 LW * *"],
)
def test_refuses_what_the_platform_would_refuse(expression: str) -> None:
    """Cron extensions that NCRONTAB lacks would work here and fail in the cloud."""
    with pytest.raises(HostError, match="no NCRONTAB"):
        parse_schedule(expression)


def test_a_time_span_is_an_interval() -> None:
    """`00:00:10` fires ten seconds after the last time."""
    assert parse_schedule("00:00:10")(MONDAY_NOON) == MONDAY_NOON + timedelta(seconds=10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:00:00.1", timedelta(milliseconds=100)),
        ("01:30:00", timedelta(hours=1, minutes=30)),
        ("2.00:00:05", timedelta(days=2, seconds=5)),
        ("24:00:00", timedelta(days=24)),
    ],
)
def test_reads_time_spans(text: str, expected: timedelta) -> None:
    """As .NET does, which takes 24 hours for 24 days."""
    assert parse_timespan(text) == expected


@pytest.mark.parametrize("text", ["10", "00:00", "00:61:00", "soon"])
def test_refuses_what_is_no_time_span(text: str) -> None:
    """The error shows the form that is wanted."""
    with pytest.raises(HostError, match="00:00:10"):
        parse_timespan(text)


def test_refuses_an_interval_of_nothing() -> None:
    """It would fire without end."""
    with pytest.raises(HostError, match="not positive"):
        parse_schedule("00:00:00")
