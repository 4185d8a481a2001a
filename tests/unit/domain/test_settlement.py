from datetime import timedelta
from itertools import pairwise

import pytest

from shared.domain.outcome import Accepted, Outcome, Rejected, Unavailable
from shared.domain.settlement import (
    DeadLetter,
    PostProcessNow,
    Retry,
    accepted,
    growing_delay,
    settle,
)

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
DOWN, NO, YES, KNOWN = Unavailable("down"), Rejected("no"), Accepted(), Accepted(already=True)


@pytest.mark.parametrize(
    ("one", "two", "settlement"),
    [
        (YES, YES, PostProcessNow()),
        (YES, KNOWN, PostProcessNow()),
        (KNOWN, KNOWN, PostProcessNow()),
        (YES, DOWN, Retry(5 * SECOND, "two: down")),
        (DOWN, DOWN, Retry(5 * SECOND, "one: down; two: down")),
        (NO, DOWN, Retry(5 * SECOND, "two: down")),
        (NO, YES, DeadLetter("one: no")),
        (NO, NO, DeadLetter("one: no; two: no")),
    ],
)
def test_what_outcomes_mean(
    one: Outcome, two: Outcome, settlement: PostProcessNow | Retry | DeadLetter
) -> None:
    """All accepted: done. One may still take it: again. Else a dead letter with the reasons."""
    retry_for = {"one": HOUR, "two": HOUR}

    assert settle({"one": one, "two": two}, retry_for, 0, 0 * SECOND) == settlement


def test_an_unavailable_target_is_given_up_in_the_end() -> None:
    """When it was tried for as long as its subscription wants, to the second."""
    outcomes: dict[str, Outcome] = {"one": DOWN}

    assert isinstance(settle(outcomes, {"one": HOUR}, 9, HOUR - SECOND), Retry)
    assert settle(outcomes, {"one": HOUR}, 9, HOUR) == DeadLetter(
        "one: down; given up after 1:00:00"
    )


def test_targets_are_given_up_one_by_one() -> None:
    """Each subscription has its own patience; the mail ends when the last one is spent."""
    outcomes: dict[str, Outcome] = {"short": DOWN, "long": DOWN, "never": NO}
    retry_for = {"short": HOUR, "long": 2 * HOUR, "never": HOUR}

    meanwhile = settle(outcomes, retry_for, 0, HOUR)
    finally_ = settle(outcomes, retry_for, 0, 2 * HOUR)

    assert meanwhile == Retry(5 * SECOND, "long: down")
    assert isinstance(finally_, DeadLetter)
    assert finally_.reason == (
        "long: down; given up after 2:00:00; never: no; short: down; given up after 1:00:00"
    )


def test_without_patience_the_first_failure_is_the_last() -> None:
    """`retry` PT0S."""
    assert isinstance(settle({"one": DOWN}, {"one": 0 * HOUR}, 0, 0 * HOUR), DeadLetter)


@pytest.mark.parametrize(
    ("asked", "delay"), [(None, 5), (0.0, 5), (2.128, 5), (60.0, 60), (3600.0, 3600)]
)
def test_retry_after_is_honoured(asked: float | None, delay: float) -> None:
    """Where the target asks for more than we would wait, it gets it."""
    settlement = settle({"one": Unavailable("down", asked)}, {"one": HOUR}, 0, 0 * HOUR)

    assert isinstance(settlement, Retry)
    assert settlement.delay == timedelta(seconds=delay)


def test_delays_grow() -> None:
    """5 s, twice as long each time, 15 minutes at most; also after very many attempts."""
    delays = [growing_delay(attempts) for attempts in range(40)]

    assert delays[:3] == [5 * SECOND, 10 * SECOND, 20 * SECOND]
    assert all(earlier <= later for earlier, later in pairwise(delays))
    assert growing_delay(10**9) == delays[-1] == timedelta(minutes=15)


def test_a_duplicate_is_an_acceptance() -> None:
    """The target has the mail; it does not matter since when."""
    assert accepted({"a": YES, "b": DOWN, "c": KNOWN, "d": NO}) == ("a", "c")


def test_a_target_that_had_no_place_uses_up_no_time() -> None:
    """The mail was never tried: it is not dead, and this was no attempt."""
    busy = Unavailable("not tried: 24 deliveries wait", 2.0, tried=False)

    settled = settle({"a": busy}, {"a": timedelta(0)}, 0, timedelta(days=2))

    assert isinstance(settled, Retry)
    assert not settled.counts
