"""A world around the outbox: storage and a mailbox that outlive workers."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.domain.outbound.outbox import OutboxItem, OutboxMessage, send_id
from shared.outbound_ports import Caller, MailOperations
from shared.workflows.outbound.sending import Sending
from shared.workflows.outbox.box import Outbox
from shared.workflows.outbox.enqueue import Enqueued, enqueue, read_request
from shared.workflows.outbox.recover import recover_outbox
from shared.workflows.outbox.send_queued import send_queued
from tests.builders import MAILBOX, NOW
from tests.fakes.accounts import FakeAccountTable
from tests.fakes.clock import SettableClock
from tests.fakes.documents import FakeDocuments
from tests.fakes.outbox import (
    FakeOutboxContents,
    FakeOutboxQueue,
    FakeOutboxTable,
    StrictMailOperations,
)
from tests.fakes.queues import FakeQueue
from tests.fakes.send_counts import FakeSendCounts

RECOVER_AFTER = timedelta(minutes=5)
RETENTION = timedelta(days=30)
REQUEST = {"to": ["ada@example.org"], "subject": "Receipt", "body": "Thank you."}

Around = Callable[[str], Awaitable[None]]
"""Is called with the name of a call to the world; what it raises or awaits happens there."""


class Watched:
    """A port with something before and after each call.

    Args:
        name: of the port.
        port: the real one.
        before: called before each call takes effect.
        after: called when it has.
    """

    def __init__(self, name: str, port: Any, before: Around, after: Around) -> None:
        self._name, self._port, self._before, self._after = name, port, before, after

    def __getattr__(self, method: str) -> Any:
        real, name = getattr(self._port, method), f"{self._name}.{method}"

        async def call(*arguments: Any, **named: Any) -> Any:
            await self._before(name)
            result = await real(*arguments, **named)
            await self._after(name)
            return result

        async def iterate(*arguments: Any) -> AsyncIterator[Any]:
            await self._before(name)
            async for item in real(*arguments):
                yield item
            await self._after(name)

        return iterate if inspect.isasyncgenfunction(real) else call


class OutboxWorld:
    """Storage, a mailbox and time.

    Args:
        most_per_hour: mails that a recipient may get in an hour; 0: any.
        operations: mailboxes in place of the fake ones.
        caller: who sends.
    """

    def __init__(
        self,
        most_per_hour: int = 0,
        operations: MailOperations | None = None,
        caller: Caller | None = None,
    ) -> None:
        self.caller = caller or Caller(MAILBOX)
        self.clock = SettableClock(NOW)
        self.table = FakeOutboxTable()
        self.queue = FakeQueue(self.clock)
        self.contents = FakeOutboxContents()
        self.mailbox = StrictMailOperations()
        self.accounts = FakeAccountTable()
        self.documents = FakeDocuments()
        self.counts = FakeSendCounts()
        self._operations = operations or self.mailbox
        self._most_per_hour = most_per_hour

    def box(self) -> Outbox:
        """What a worker has."""
        return Outbox(
            table=self.table,
            queue=FakeOutboxQueue(self.queue),
            contents=self.contents,
            accounts=self.accounts,
            sending=Sending(
                operations=self._operations,
                documents=self.documents,
                counts=self.counts,
                clock=self.clock,
                most_per_hour=self._most_per_hour,
            ),
        )

    def watched(self, before: Around, after: Around) -> Outbox:
        """What a worker has whose every call is watched."""

        def watch(name: str, port: Any) -> Any:
            return Watched(name, port, before, after)

        box = self.box()
        return replace(
            box,
            table=watch("table", box.table),
            queue=watch("queue", box.queue),
            contents=watch("contents", box.contents),
            sending=replace(box.sending, operations=watch("graph", box.sending.operations)),
        )

    async def enqueue(
        self, key: str = "order-1", box: Outbox | None = None, **fields: Any
    ) -> Enqueued:
        """A caller asks for a durable send."""
        request, written = read_request({**REQUEST, **fields})
        return await enqueue(box or self.box(), self.caller, request, key, written)

    async def work(self, box: Outbox | None = None) -> None:
        """A worker is given all messages that can be seen now, each once; it fails as a queue does.

        What it fails on, and what stands behind that, the queue has again.
        """
        given = self.queue.give_out()
        while given:
            message, is_first = OutboxMessage.decode(given[0].text), given[0].given_out == 1
            try:
                await send_queued(message, box or self.box(), is_first=is_first)
            except BaseException:
                self.queue.messages += given
                raise
            given.pop(0)

    async def recover(self, box: Outbox | None = None) -> int:
        """Runs recovery once."""
        return await recover_outbox(box or self.box(), RECOVER_AFTER, RETENTION)

    async def hour(self, box: Outbox | None = None) -> None:
        """An hour of a worker, in steps of ten minutes."""
        await self.work(box)
        for _ in range(6):
            self.later(minutes=10)
            await self.recover(box)
            await self.work(box)

    def later(self, **by: float) -> None:
        """Time passes."""
        self.clock.advance(timedelta(**by))

    def item(self, key: str = "order-1") -> OutboxItem:
        """A send, as it is stored."""
        return self.table.rows[send_id(MAILBOX, key)]
