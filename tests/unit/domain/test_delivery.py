from datetime import timedelta

from shared.domain.delivery import State
from tests.builders import NOW, delivery

LATER = NOW + timedelta(minutes=1)


def test_final_states() -> None:
    """Four ends; two states in which somebody has work."""
    assert [state for state in State if state.is_final] == [
        State.DONE,
        State.UNMATCHED,
        State.DEAD,
        State.DISCARDED,
    ]


def test_a_delivery_is_accepted_when_all_its_targets_have_it() -> None:
    """Until then it keeps its state, and remembers who has accepted."""
    claimed = delivery(subscriptions=("b", "a"))

    one = claimed.with_acceptances(["b"], LATER)
    both = one.with_acceptances(["a"], LATER)

    assert (one.state, one.accepted_by, one.waiting) == (State.CLAIMED, ("b",), ("a",))
    assert (both.state, both.accepted_by, both.waiting) == (State.ACCEPTED, ("a", "b"), ())
    assert both.updated_at == LATER


def test_an_acceptance_counts_once() -> None:
    """However often it is told."""
    twice = delivery(subscriptions=("a", "b")).with_acceptances(["a", "a"], LATER)

    assert twice.with_acceptances(["a"], LATER).accepted_by == ("a",)


def test_acceptances_of_others_change_nothing() -> None:
    """Only its own subscriptions complete it."""
    assert delivery(subscriptions=("a",)).with_acceptances(["x"], LATER).state is State.CLAIMED


def test_an_end_has_a_reason() -> None:
    """And the time of it."""
    dead = delivery().ended(State.DEAD, LATER, "rejected")

    assert (dead.state, dead.reason, dead.updated_at) == (State.DEAD, "rejected", LATER)
    assert dead.state.is_final


def test_a_postponed_delivery_is_due_when_it_is_tried_again() -> None:
    """The attempt is counted, and the state stays."""
    postponed = delivery(attempts=2).postponed(LATER, NOW, "down")

    assert (postponed.attempts, postponed.due_at, postponed.reason) == (3, LATER, "down")
    assert postponed.state is State.CLAIMED
