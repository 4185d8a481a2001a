"""Sends on fakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from shared.outbound_ports import Caller
from shared.workflows.outbound.sending import Sending
from tests.fakes.clock import SettableClock
from tests.fakes.documents import FakeDocuments
from tests.fakes.mail_operations import FakeMailOperations
from tests.fakes.send_counts import FakeSendCounts

ADA = "ada@example.org"


class Desk:
    """All that sends need, in memory; nobody really waits."""

    def __init__(self, most_per_hour: int = 100) -> None:
        self.operations = FakeMailOperations()
        self.documents = FakeDocuments()
        self.counts = FakeSendCounts()
        self.caller = Caller("support@contoso.example")
        self.pauses: list[float] = []
        self.sending = Sending(
            operations=self.operations,
            documents=self.documents,
            counts=self.counts,
            clock=SettableClock(),
            most_per_hour=most_per_hour,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def asked_for(model: Callable[..., Any], **fields: Any) -> Any:
    """A request as a caller writes it: checked as JSON is."""
    return msgspec.json.decode(msgspec.json.encode(fields), type=model)
