"""A delivery: one mail of one source in the ledger, from its claim to its end."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where a delivery stands: ``claimed → accepted → done``, or ``unmatched``, or ``dead``.

    An operator turns ``dead`` into ``discarded``, or back into ``claimed``.
    """

    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    DONE = "done"
    UNMATCHED = "unmatched"
    DEAD = "dead"
    DISCARDED = "discarded"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be done."""
        return self not in {State.CLAIMED, State.ACCEPTED}


@dataclass(frozen=True, slots=True)
class DeliveryKey:
    """Names one delivery: the source that found the mail, and the mail's key."""

    source: str
    mail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One mail of one source.

    Args:
        mail_id: Graph's immutable id of the mail.
        subscriptions: who gets the mail: names, fixed when the mail is claimed.
        accepted_by: those of them whose target has accepted it.
        attempts: deliveries begun so far.
        due_at: when somebody must have worked on it; past that, recovery takes it up.
        reason: why it is dead, or a note on how it ended; for a person.
    """

    key: DeliveryKey
    mail_id: str
    mailbox: str
    subscriptions: tuple[str, ...]
    state: State
    received_at: datetime
    claimed_at: datetime
    updated_at: datetime
    due_at: datetime
    accepted_by: tuple[str, ...] = ()
    attempts: int = 0
    reason: str = ""

    @property
    def waiting(self) -> tuple[str, ...]:
        """The subscriptions whose targets have yet to accept the mail."""
        return tuple(name for name in self.subscriptions if name not in self.accepted_by)

    def without(self, names: Collection[str]) -> Delivery:
        """The delivery to all but these, which the mail does not activate."""
        left = tuple(name for name in self.subscriptions if name not in names)
        return replace(self, subscriptions=left)

    def with_acceptances(self, names: Iterable[str], now: datetime) -> Delivery:
        """The delivery once these too have accepted; accepted as a whole when all have."""
        accepted_by = tuple(sorted({*self.accepted_by, *names}))
        complete = set(self.subscriptions) <= set(accepted_by)
        state = State.ACCEPTED if complete else self.state
        return replace(self, accepted_by=accepted_by, state=state, updated_at=now)

    def ended(self, state: State, now: datetime, reason: str = "") -> Delivery:
        """The delivery at its end."""
        return replace(self, state=state, updated_at=now, due_at=now, reason=reason)

    def postponed(
        self, until: datetime, now: datetime, reason: str, *, counts: bool = True
    ) -> Delivery:
        """The delivery that is to be gone on with at ``until``; ``counts`` after an attempt."""
        attempts = self.attempts + counts
        return replace(self, attempts=attempts, due_at=until, updated_at=now, reason=reason)
