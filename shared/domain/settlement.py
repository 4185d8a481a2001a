"""The settlement: what outcomes of an attempt mean for a delivery. Pure rules, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from shared.domain.outcome import Accepted, Outcome, Rejected, Unavailable

FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class PostProcessNow:
    """All targets have the mail: do what is to be done in the mailbox."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Some target could not take it: the same again after ``delay``.

    Args:
        counts: whether it was an attempt; a target may have had no place for one.
    """

    delay: timedelta
    reason: str
    counts: bool = True


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Some target will never take it, or could not for too long."""

    reason: str


Settlement: TypeAlias = PostProcessNow | Retry | DeadLetter


def settle(
    outcomes: Mapping[str, Outcome],
    retry_for: Mapping[str, timedelta],
    attempts: int,
    tried_for: timedelta,
) -> Settlement:
    """What follows from one attempt at a delivery.

    As long as one target may still take the mail it is tried again; a rejection by another one is
    remembered by being repeated then, so that the mail ends only when all have spoken.

    Args:
        outcomes: what each subscription's target said in this attempt.
        retry_for: how long each subscription wants an unavailable target to be tried.
        attempts: attempts before this one.
        tried_for: time since the first attempt.
    """
    unavailable = {n: o for n, o in outcomes.items() if isinstance(o, Unavailable)}
    trying = {n: o for n, o in unavailable.items() if not o.tried or tried_for < retry_for[n]}
    if trying:
        asked = max((o.retry_after or 0.0 for o in trying.values()), default=0.0)
        delay = max(growing_delay(attempts), timedelta(seconds=asked))
        return Retry(delay, _reasons(trying), counts=any(o.tried for o in trying.values()))
    spent = {
        n: Unavailable(f"{o.reason}; given up after {retry_for[n]}") for n, o in unavailable.items()
    }
    failed = {n: o for n, o in outcomes.items() if isinstance(o, Rejected)} | spent
    return DeadLetter(_reasons(failed)) if failed else PostProcessNow()


def accepted(outcomes: Mapping[str, Outcome]) -> tuple[str, ...]:
    """The subscriptions whose targets have the mail."""
    return tuple(name for name, outcome in outcomes.items() if isinstance(outcome, Accepted))


def growing_delay(attempts: int) -> timedelta:
    """5 s after the first attempt, twice as long after each further one, 15 min at most."""
    doublings = min(attempts, 16)
    return min(FIRST_DELAY * (1 << doublings), LONGEST_DELAY)


def _reasons(outcomes: Mapping[str, Unavailable | Rejected]) -> str:
    return "; ".join(f"{name}: {outcome.reason}" for name, outcome in sorted(outcomes.items()))
