"""Runs of the main loop to measure: storage, Graph, target and app, each run made once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.mails import mails
from localdev.app_process import AppProcess
from localdev.demo.report import Report
from localdev.demo.run import MAILBOX, DemoOptions, DemoRun
from localdev.graph_simulator import GraphSimulator, Metrics
from localdev.peak_memory import peak_mb

LOOK_EVERY = 0.02
"""Seconds between two looks at the simulator, and so the error of a time that is measured."""


class RunFailed(Exception):
    """A run came to no end, or not every mail is accounted for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a run is to do.

    Args:
        mails: how many mails of 10 KB lie in the inbox.
        post_process: the column of the subscription.
        latency: seconds that each Graph request takes.
        fault_rate: share of Graph requests and callbacks that fail.
        repetition: tells runs apart that are otherwise alike.
        columns: of the subscription, beside those of the demo.
    """

    mails: int
    post_process: str = "move"
    latency: float = 0.0
    fault_rate: float = 0.0
    repetition: int = 0
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a run.

    Args:
        metrics: the simulator's counters at the end.
        drain_seconds: from the first list request to the last mail that was acted upon.
        peak_mb: the most memory of the app's process; None where the system does not tell.
    """

    report: Report
    metrics: Metrics
    drain_seconds: float
    peak_mb: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    mails: int = 1000
    many_mails: int = 5000
    compared_mails: int = 200
    sources: int = 1000
    many_sources: int = 10_000
    repetitions: int = 3
    starts: int = 5


QUICK = Sizes(
    mails=200,
    many_mails=600,
    compared_mails=50,
    sources=100,
    many_sources=1000,
    repetitions=1,
    starts=1,
)


class Lab:
    """Makes runs, and keeps their results for whoever asks for the same run again."""

    def __init__(self, sizes: Sizes, say: Callable[[str], None]) -> None:
        self.sizes = sizes
        self.say = say
        self._results: dict[Job, Result] = {}

    async def run(self, job: Job) -> Result:
        """The result of a run.

        Raises:
            RunFailed: it was none.
        """
        if job not in self._results:
            self.say(_description(job))
            self._results[job] = await _run(job)
        return self._results[job]


async def _run(job: Job) -> Result:
    options = DemoOptions(
        post_process=job.post_process,
        latency=job.latency,
        fault_rate=job.fault_rate,
        seed=1,
        more_columns=dict(job.columns),
    )
    async with DemoRun(mails(job.mails), options) as run:
        simulator = run.stack.simulator
        simulator.prerender(MAILBOX, "text")  # what the simulator's rendering costs is not asked
        drain = Drain(simulator)
        if not job.fault_rate:
            # without a look at the ledger, which would cost the storage time
            await drain.until_empty(lambda: run.app.is_running)
        finished = await run.watch(lambda _progress: None)
        peak = _peak(run.app)
        await run.app.stop()
        report = run.report(finished=finished)
        if report.problems:
            log = run.log.read_text(errors="replace")[-2000:]
            raise RunFailed(f"{'; '.join(report.problems)}\n{log}")
        return Result(
            report=report,
            metrics=simulator.metrics,
            drain_seconds=drain.seconds,
            peak_mb=peak,
        )


def _peak(app: AppProcess) -> float | None:
    return peak_mb(app.pid) if app.is_running else None


def _description(job: Job) -> str:
    parts = [f"{job.mails:,} mails" if job.mails > 1 else "1 mail", job.post_process]
    if job.latency:
        parts.append(f"{1000 * job.latency:.0f} ms a request")
    if job.fault_rate:
        parts.append(f"{job.fault_rate:.0%} faults")
    if job.columns:
        parts.append(f"with {', '.join(name for name, _ in job.columns)}")
    if job.repetition:
        parts.append(f"repetition {job.repetition}")
    return ", ".join(parts)


class Drain:
    """Watches an inbox being worked off, from the first list request to the last mail."""

    def __init__(self, simulator: GraphSimulator) -> None:
        self._simulator = simulator
        self._began = 0.0
        self._ended = 0.0

    @property
    def seconds(self) -> float:
        """How long it took; 0 where nobody has watched."""
        return self._ended - self._began

    async def until_empty(self, is_running: Callable[[], bool]) -> None:
        """Returns when no unread mail is left in the inbox, or nobody is left to work on it."""
        metrics = self._simulator.metrics
        while not metrics.by_operation["GET messages"] and is_running():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(LOOK_EVERY)
        self._began = self._ended = time.monotonic()
        while self._left() and is_running():
            await asyncio.sleep(LOOK_EVERY)
            self._ended = time.monotonic()

    def _left(self) -> bool:
        inbox = self._simulator.messages(MAILBOX, "inbox")
        return any(not message.is_read for message in reversed(inbox))
