from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.schedule import Cron, Interval

MOMENT = datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC)  # a Monday


def test_an_interval_counts_from_the_poll() -> None:
    """So long after the last one."""
    assert Interval(timedelta(seconds=30)).next_after(MOMENT) == MOMENT + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("0 */5 * * * *", datetime(2026, 3, 2, 9, 5, tzinfo=UTC)),
        ("0 */5 * * * ?", datetime(2026, 3, 2, 9, 5, tzinfo=UTC)),
        ("*/15 * * * * *", datetime(2026, 3, 2, 9, 0, 45, tzinfo=UTC)),
        ("0 0 7 ? * MON-FRI", datetime(2026, 3, 3, 7, 0, tzinfo=UTC)),
        ("0 30 6 * * sat", datetime(2026, 3, 7, 6, 30, tzinfo=UTC)),
        ("0 0 0 1 * ?", datetime(2026, 4, 1, tzinfo=UTC)),
        ("0 0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_cron_has_six_fields_and_seconds_first(expression: str, due: datetime) -> None:
    """As in Azure and Quartz, `?` included; in UTC."""
    assert Cron(expression).next_after(MOMENT) == due


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * * *",
        "0 0 0 * * * 2027",
        "60 * * * * *",
        "0 0 0 30 2 *",
        "0 0 0 * * FUN",
        "a b c d e f",
    ],
)
def test_a_bad_expression_is_refused_with_an_explanation(expression: str) -> None:
    """Also one that names a time that never comes."""
    with pytest.raises(ValueError, match="six fields"):
        Cron(expression)


@given(st.text(alphabet="0123456789*/,-?LW#MONa ", max_size=20))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    """Nothing else escapes, and whatever is accepted comes to its time."""
    try:
        schedule = Cron(text)
    except ValueError:
        return

    assert schedule.next_after(MOMENT) > MOMENT
