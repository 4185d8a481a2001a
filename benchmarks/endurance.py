"""Does every mail arrive where all that can fail does, and the app is killed again and again?

Two subscriptions share each mailbox, so each mail is for two targets. Graph, storage and targets
fail at a rate, before and after the effect. Mail keeps coming in while the app is killed.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from random import Random
from typing import Self

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableClient

from benchmarks.faults import RATE
from benchmarks.figures import Figure, failed
from benchmarks.lab import QUICK, Lab
from localdev.app_process import AppProcess
from localdev.callback_receiver import AcceptedMail, CallbackReceiver
from localdev.graph_simulator import Faults, GraphError, GraphSimulator
from localdev.stack import LocalStack, local_stack, new_signing_secret
from localdev.storage_faults import StorageFaults

SIDES = ("crm", "archive")
"""The two subscriptions of a mailbox."""

LOOK_EVERY = 0.2
LEDGER_EVERY = 30.0
LEDGER_EVERY_AT_END = 2.0
TELL_EVERY = 20.0
STALLED_AFTER = 240.0
"""Seconds without any progress after which a run is given up; longer than the longest pause."""

LAST_WORDS = 1000
LARGE_EVERY = 25
LARGE_BYTES = 60_000
"""Every so many mails, one is too large for a queue message and travels as a blob."""

ENDED = frozenset({"done", "dead", "unmatched"})
SHORT = {
    "POLL_SCHEDULE": "* * * * * *",
    "LEASE_TIME": "PT5S",
    "RECOVERY_AFTER": "PT5S",
    "RECOVERY_SCHEDULE": "*/5 * * * * *",
}
"""App settings by which recovery takes seconds instead of minutes."""

HIDDEN_SECONDS = "5"
"""After which messages come back that a killed app had in work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is to be endured.

    Args:
        mails: for each mailbox.
        backlog: mails that are there at the start and may wait in all mailboxes; the others come
            in as these are worked off.
        rate: share of requests that fail: of Graph's, of the storage's, of the targets'.
        seconds: how long it may take.
    """

    mailboxes: int
    mails: int
    kills: int
    backlog: int
    seconds: float
    rate: float = RATE
    seed: int = 1

    @property
    def total(self) -> int:
        """Mails in all mailboxes."""
        return self.mailboxes * self.mails

    @property
    def deliveries(self) -> int:
        """What targets are to accept."""
        return self.total * len(SIDES)


PLAN = Plan(mailboxes=10, mails=1000, kills=10, backlog=1500, seconds=1200)
QUICK_PLAN = Plan(mailboxes=2, mails=200, kills=3, backlog=150, seconds=180)


@dataclass(slots=True)
class Seen:
    """What was seen of a run.

    Args:
        too_early: mails acted upon before a target had accepted them.
        doubled: mails that a target has accepted under two ids.
        lost: deliveries that no target has accepted.
        left: mails still in an inbox at the end.
        states: of the ledger's rows.
        trouble: why it came to no end; empty where it did.
    """

    kills: int = 0
    too_early: int = 0
    doubled: int = 0
    lost: int = 0
    left: int = 0
    states: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    trouble: str = ""


class Endurance:
    """One run, inside an `async with` block; :meth:`run` takes it to its end.

    Args:
        plan: how much.
        directory: for certificates and the app's log.
    """

    def __init__(self, plan: Plan, directory: Path) -> None:
        self.plan = plan
        self.seen = Seen()
        self.simulator = GraphSimulator(
            faults=Faults(rate=plan.rate, seed=plan.seed, after_effect=0.5)
        )
        secret = new_signing_secret()
        self.receiver = CallbackReceiver(
            secret, fault_rate=plan.rate, seed=plan.seed, on_accept=self._on_accept
        )
        self.log = directory / "app.log"
        self.storage: StorageFaults
        self._stack: LocalStack
        self._starting = local_stack(self.simulator, self.receiver, secret, directory)
        self._coming = _mails(plan)
        self._came = 0
        self._began = self._moved_at = self._told_at = time.monotonic()
        self._ledger_read_at = 0.0
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            self._stack = await starting.enter_async_context(self._starting)
            plan = self.plan
            self.storage = await starting.enter_async_context(
                StorageFaults(self._stack.storage, rate=plan.rate, seed=plan.seed)
            )
            for mailbox in _mailboxes(plan):
                self.simulator.add_mailbox(mailbox)
                for side in SIDES:
                    await self._stack.subscribe(
                        f"{mailbox}/{side}",
                        userId=mailbox,
                        pollingInterval="PT10S",
                        targetUrl=self._stack.callbacks.hook(f"{mailbox}/{side}"),
                    )
            self._exit = starting.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    async def run(self, say: Callable[[str], None]) -> Seen:
        """Has the app work, kills it, and has the last one finish; gives what was seen.

        Args:
            say: is told the progress.
        """
        self._began = self._moved_at = self._told_at = time.monotonic()
        try:
            async with asyncio.timeout(self.plan.seconds):
                for kill_at in _kill_points(self.plan):

                    def is_far(at: int = kill_at) -> bool:
                        return self._accepted >= at

                    async with self._app() as app:
                        await self._watch(app, say, is_far)
                        await app.kill()
                        self.seen.kills += 1
                async with self._app() as app:
                    await self._watch(app, say, self._is_complete)
        except TimeoutError:
            progress = self._progress(self._left())
            self.seen.trouble = f"not at its end after {self.plan.seconds:.0f} s; {progress}"
        except _Stalled as stalled:
            self.seen.trouble = f"{stalled}; the app's last words: {self._last_words()}"
        self.seen.seconds = time.monotonic() - self._began
        await self._read_ledger()
        self._count()
        return self.seen

    @property
    def _accepted(self) -> int:
        return self.receiver.counters.accepted

    def _app(self) -> AppProcess:
        settings = {
            **self._stack.app_settings,
            **SHORT,
            "AzureWebJobsStorage": self.storage.connection_string,
        }
        return AppProcess(settings, self.log, options=("--hidden-seconds", HIDDEN_SECONDS))

    async def _watch(
        self, app: AppProcess, say: Callable[[str], None], enough: Callable[[], bool]
    ) -> None:
        """Lets mail come in and looks at the run until it is far enough.

        Raises:
            _Stalled: nothing moves any more, or the app has ended by itself.
        """
        last = ""
        while True:
            self._deliver_some()
            now = time.monotonic()
            left = self._left()
            # reading it costs the emulator; what is dead may stay in an inbox
            if now - self._ledger_read_at > (LEDGER_EVERY if left else LEDGER_EVERY_AT_END):
                await self._read_ledger()
            if enough():
                return
            progress = self._progress(left)
            if progress != last:
                last, self._moved_at = progress, now
            if now - self._told_at > TELL_EVERY:
                self._told_at = now
                say(progress)
            if not app.is_running:
                raise _Stalled(f"the app ended by itself, with {app.exit_code}; {progress}")
            if now - self._moved_at > STALLED_AFTER:
                raise _Stalled(f"no progress for {STALLED_AFTER:.0f} s; {progress}")
            await asyncio.sleep(LOOK_EVERY)

    def _deliver_some(self) -> None:
        room = self.plan.backlog - self._left()
        some = list(islice(self._coming, max(0, room)))
        # what is there at the start came in one after the other
        apart = timedelta(0) if self._came else timedelta(seconds=1)
        now = datetime.now(UTC)
        for number, (mailbox, mail) in enumerate(some):
            received = now - apart * ((len(some) - number) // self.plan.mailboxes)
            self.simulator.deliver(mailbox, mail, received=received)
        self._came += len(some)

    def _left(self) -> int:
        return sum(len(self.simulator.messages(one, "inbox")) for one in _mailboxes(self.plan))

    def _progress(self, left: int) -> str:
        states = ", ".join(f"{count:,} {state}" for state, count in self.seen.states.items())
        return (
            f"{self._accepted:,} of {self.plan.deliveries:,} accepted,"
            f" {self._came:,} mails came, {left:,} in the inboxes,"
            f" {self.seen.kills} kills; ledger: {states or 'not looked at'}"
        )

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace")[-LAST_WORDS:]

    def _is_complete(self) -> bool:
        ended = sum(count for state, count in self.seen.states.items() if state in ENDED)
        return ended >= self.plan.total

    async def _read_ledger(self) -> None:
        self._ledger_read_at = time.monotonic()
        states: Counter[str] = Counter()
        async with TableClient.from_connection_string(self._stack.storage, "deliveries") as table:
            try:
                async for row in table.list_entities(select=["state"]):
                    states[row["state"]] += 1
            except ResourceNotFoundError:
                return  # the app has not made it yet
        self.seen.states = states

    def _on_accept(self, mail: AcceptedMail) -> None:
        """Counts a mail that was acted upon before this, its acceptance by one of two targets."""
        mailbox, _, _ = (mail.subscription or "").partition("/")
        try:
            folder = self.simulator.message(mailbox, mail.mail_id or "").folder
        except GraphError:
            folder = None  # it is gone
        self.seen.too_early += folder is None or folder.path != "Inbox"

    def _count(self) -> None:
        """Compares what was accepted with what came, by ids that the connector has no hand in."""
        accepted = Counter(
            (mail.subscription, mail.internet_message_id)
            for mail in self.receiver.accepted.values()
        )
        self.seen.doubled = sum(count > 1 for count in accepted.values())
        self.seen.lost = self.plan.deliveries - len(accepted)
        self.seen.left = self._left()


class _Stalled(Exception):
    """A run that will come to no end."""


def _mailboxes(plan: Plan) -> list[str]:
    return [f"team{number}@contoso.example" for number in range(plan.mailboxes)]


def _mails(plan: Plan) -> Iterator[tuple[str, bytes]]:
    """All mail, each with the mailbox that it goes to, in turn."""
    return chain.from_iterable(
        ((mailbox, _mail(mailbox, number)) for mailbox in _mailboxes(plan))
        for number in range(plan.mails)
    )


def _mail(mailbox: str, number: int) -> bytes:
    body = "Could you please have a look at it? Kind regards from Zürich.\n"
    if number % LARGE_EVERY == 0:
        body *= LARGE_BYTES // len(body)
    return (
        f"From: Ada Lovelace <ada@example.org>\nTo: {mailbox}\nSubject: Order {number}\n"
        f"Message-ID: <{number}.{mailbox}>\nContent-Type: text/plain; charset=utf-8\n\n{body}"
    ).encode()


def _kill_points(plan: Plan) -> list[int]:
    """After how many acceptances the app is killed: somewhere in each of equal parts of the run."""
    random, part = Random(plan.seed), plan.deliveries / (plan.kills + 1)  # noqa: S311 - to be repeated
    return [round(part * (number + random.uniform(0.5, 1.0))) for number in range(plan.kills)]


async def measure(lab: Lab) -> list[Figure]:
    """Runs it; anything lost, doubled or done too early fails the run."""
    plan = QUICK_PLAN if lab.sizes == QUICK else PLAN
    lab.say(
        f"{plan.total:,} mails for {plan.deliveries:,} targets, {plan.rate:.0%} faults everywhere,"
        f" {plan.kills} kills, at most {plan.seconds / 60:.0f} minutes"
    )
    with tempfile.TemporaryDirectory() as directory:
        async with Endurance(plan, Path(directory)) as endurance:
            await endurance.run(lab.say)
            return figures(endurance)


def figures(endurance: Endurance) -> list[Figure]:
    """What a run has shown."""
    plan, seen = endurance.plan, endurance.seen
    counters, metrics = endurance.receiver.counters, endurance.simulator.metrics
    storage = endurance.storage
    states = ", ".join(f"{count} {state}" for state, count in sorted(seen.states.items()))
    by_kind = ", ".join(f"{count} {kind}" for kind, count in sorted(storage.counts.items()))
    answers = {status: metrics.by_status[status] for status in (429, 500, 502, 503, 504)}
    by_status = ", ".join(f"{count} of {status}" for status, count in answers.items())
    return [
        *([failed("endurance", seen.trouble)] if seen.trouble else []),
        _none("deliveries lost", seen.lost, f"of {plan.deliveries} that no target accepted"),
        _none("mails accepted under two ids", seen.doubled, "by one subscription"),
        _none("mails acted upon before both had accepted", seen.too_early, "as Graph had it then"),
        _none("mails left in the inboxes", seen.left, f"of {plan.total}"),
        _none("dead letters", seen.states["dead"], f"the ledger: {states}"),
        _none("deliveries in the ledger not done", plan.total - seen.states["done"], states),
        _none("bad signatures", counters.bad_signatures, "seen by the targets"),
        Figure(
            what="messages that targets knew already",
            value=counters.duplicates,
            how=f"the same id again, as after each of {counters.lost_answers} lost answers",
        ),
        Figure(
            what="Graph requests a mail",
            value=metrics.requests / plan.total,
            how=f"{metrics.requests} requests in {metrics.round_trips} round trips",
        ),
        Figure(
            what="faults of Graph",
            value=metrics.faults,
            how=f"{by_status}, else dropped; a batch may fail whole",
        ),
        Figure(
            what="faults of the storage",
            value=sum(storage.counts.values()),
            how=f"of {storage.requests} requests: {by_kind}",
        ),
        Figure(
            what="faults of the targets",
            value=counters.faults,
            how=f"of {counters.received} requests; {counters.lost_answers} after accepting",
        ),
        Figure(what="kills", value=seen.kills, how="SIGKILL in the middle of the work"),
        Figure(what="duration", value=seen.seconds, unit="s", how=f"{plan.total} mails"),
    ]


def _none(what: str, value: int, how: str) -> Figure:
    """A count that is to be nothing."""
    return Figure(what=what, value=value, budget=0, binding=True, how=how)
