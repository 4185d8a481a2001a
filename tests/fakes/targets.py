"""Targets that accept each message once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.adapters.webhook import webhook_id
from shared.domain.outcome import Accepted, Answer, Rejected
from shared.domain.target import Target, TargetMessage


@dataclass(slots=True)
class _Fault:
    outcome: Answer
    subscription: str
    left: int
    after_accepting: bool


class FakeTargets:
    """Fulfils :class:`~shared.ports.Targets`.

    Attributes:
        accepted: the messages by webhook id, in the order of their acceptance.
        attempts: the webhook ids of all deliveries, in their order.
        meanwhile: what happens while the next delivery is under way; once.
        unreachable: why targets cannot be reached, by address.
    """

    def __init__(self) -> None:
        self.accepted: dict[str, TargetMessage] = {}
        self.attempts: list[str] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.unreachable: dict[str, str] = {}
        self._faults: list[_Fault] = []
        self._rejected: dict[str, str] = {}

    def fail_next(
        self,
        outcome: Answer,
        subscription: str = "",
        times: int = 1,
        *,
        after_accepting: bool = False,
    ) -> None:
        """Says this of the next messages, of all or one subscription; before accepting or after."""
        self._faults.append(_Fault(outcome, subscription, times, after_accepting))

    def reject(self, subscription: str, reason: str = "answered 422") -> None:
        """Takes nothing of a subscription, ever."""
        self._rejected[subscription] = reason

    def accepted_by(self, subscription: str) -> list[str]:
        """The message ids that were accepted for a subscription."""
        return [
            message.message_id
            for message in self.accepted.values()
            if message.subscription == subscription
        ]

    async def deliver(self, target: Target, message: TargetMessage) -> Answer:  # noqa: ARG002
        """Accepts a message, or knows it already, unless it is told to fail."""
        identity = webhook_id(message)
        self.attempts.append(identity)
        fault = self._fault(message.subscription)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        if fault is not None and not fault.after_accepting:
            return fault.outcome
        if message.subscription in self._rejected:
            return Rejected(self._rejected[message.subscription])
        already = identity in self.accepted
        self.accepted.setdefault(identity, message)
        return Accepted(already=already) if fault is None else fault.outcome

    async def reachable(self, target: Target) -> str:
        """Empty where the target can be reached, else why not."""
        return self.unreachable.get(target.url, "")

    def _fault(self, subscription: str) -> _Fault | None:
        for fault in self._faults:
            if fault.subscription in ("", subscription):
                fault.left -= 1
                if not fault.left:
                    self._faults.remove(fault)
                return fault
        return None
