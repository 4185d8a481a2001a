"""A whole world around the workflows: state that outlives workers, and workers that come and go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.delivery import Delivery
from shared.domain.document_links import DocumentLinks
from shared.domain.envelope import Envelope
from shared.domain.source import Source, SourceState
from shared.ports import Ports
from shared.workflows.documents import Keeping
from shared.workflows.memory_budget import MemoryBudget
from shared.workflows.poll import PollLimits, poll_source
from shared.workflows.process import process
from shared.workflows.recover import recover
from shared.workflows.registry import Registry
from tests.builders import MAILBOX, NOW, graph_message, row
from tests.fakes.clock import SettableClock
from tests.fakes.documents import FakeDocuments
from tests.fakes.health import FakeProbe
from tests.fakes.ledger import FakeLedger
from tests.fakes.mailboxes import FakeMailbox, FakeMailboxes
from tests.fakes.queues import FakeEnvelopeQueue, FakePollQueue, FakeQueue
from tests.fakes.tables import FakeSourceStates, FakeSubscriptionTable
from tests.fakes.targets import FakeTargets

RECOVER_AFTER = timedelta(minutes=5)
RETENTION = timedelta(days=90)
LIMITS = PollLimits(
    page_size=10,
    lease_time=timedelta(minutes=2),
    sweep_interval=timedelta(minutes=15),
    retention=RETENTION,
)

KEEPING = Keeping(
    links=DocumentLinks("https://app.example", "s3cret", timedelta(days=7)),
    memory=MemoryBudget(32 * 1024 * 1024),
    largest=150 * 1024 * 1024,
)


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that runs workflows: it has connections, and what it knows of the table."""

    ports: Ports
    registry: Registry

    async def source(self, number: int = 0) -> Source:
        """One of the sources that the table has now."""
        configuration = await self.registry.current()
        return sorted(configuration.sources.values(), key=lambda one: one.subscriptions)[number]

    async def poll(
        self, number: int = 0, limits: PollLimits = LIMITS, until: datetime | None = None
    ) -> bool:
        """Polls one of the sources, the first if not told otherwise."""
        source = await self.source(number)
        far = self.ports.clock.now() + timedelta(hours=1)
        return await poll_source(source, self.ports, limits, until or far)

    async def recover(self) -> int:
        """Runs recovery once."""
        return await recover(self.ports, RECOVER_AFTER, timedelta(days=30))


class World:
    """Storage, mailboxes and targets.

    Args:
        rows: the table of subscriptions; one simple row by default.
    """

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.clock = SettableClock(NOW)
        self.table = FakeSubscriptionTable()
        for one in rows or (row(),):
            self.table.write(one)
        self.states = FakeSourceStates()
        self.ledger = FakeLedger()
        self.queue = FakeQueue(self.clock)
        self.emails = FakeEnvelopeQueue(self.queue)
        self.polls = FakePollQueue(FakeQueue(self.clock))
        self.mailbox = FakeMailbox()
        self.mailboxes = FakeMailboxes({MAILBOX: self.mailbox})
        self.targets = FakeTargets()
        self.documents = FakeDocuments()
        self.health = FakeProbe()

    def ports(self, **replaced: Any) -> Ports:
        """The ports of a worker on this world."""
        ports: dict[str, Any] = {
            "clock": self.clock,
            "subscriptions": self.table,
            "sources": self.states,
            "ledger": self.ledger,
            "emails": self.emails,
            "polls": self.polls,
            "mailboxes": self.mailboxes,
            "targets": self.targets,
            "documents": self.documents,
            "health": self.health,
        }
        return Ports(**{**ports, **replaced})

    def worker(self, ports: Ports | None = None) -> Worker:
        """A worker that knows nothing yet."""
        ports = ports or self.ports()
        return Worker(ports, Registry(ports.subscriptions, ports.sources, ports.clock, ()))

    def deliver(self, number: int = 1, received: datetime = NOW, **properties: Any) -> str:
        """A mail comes into the inbox; gives its id."""
        return self.mailbox.deliver(graph_message(number, received, **properties))

    def deliver_many(self, amount: int, first: int = 1, step: timedelta | None = None) -> list[str]:
        """Mails come in, a minute apart if not told otherwise."""
        step = timedelta(minutes=1) if step is None else step
        return [
            self.deliver(number, NOW - timedelta(days=1) + step * number)
            for number in range(first, first + amount)
        ]

    async def work(self, worker: Worker | None = None) -> None:
        """A worker is given all messages that can be seen now, each of them once.

        If it fails, the queue has that message and those behind it again.
        """
        worker = worker or self.worker()
        texts = self.queue.take()
        while texts:
            try:
                await process(Envelope.decode(texts[0]), worker.ports, worker.registry, KEEPING)
            except BaseException:
                for text in texts:
                    self.queue.send(text)
                raise
            texts.pop(0)

    async def poll_and_work(self) -> None:
        """One round of a worker."""
        worker = self.worker()
        await worker.poll()
        await self.work(worker)

    def later(self, **by: float) -> datetime:
        """Time passes."""
        return self.clock.advance(timedelta(**by))

    def deliveries(self) -> list[Delivery]:
        """All deliveries, oldest mail first."""
        return sorted(self.ledger.rows.values(), key=lambda one: (one.received_at, one.mail_id))

    def delivery_of(self, mail_id: str) -> Delivery:
        """The delivery of a mail of the only source."""
        [delivery] = [one for one in self.ledger.rows.values() if one.mail_id == mail_id]
        return delivery

    def state(self) -> SourceState:
        """What is remembered of the only source."""
        [state] = self.states.states.values()
        return state
