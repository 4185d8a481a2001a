"""What does the script cost that a user would write with python-o365, beside the connector?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from benchmarks.child import run_module
from benchmarks.drain import LATENCY
from benchmarks.figures import Figure
from benchmarks.lab import Drain, Job, Lab, Result, RunFailed
from benchmarks.mails import mails
from localdev.callback_receiver import CallbackReceiver
from localdev.demo.run import MAILBOX
from localdev.graph_simulator import Faults, GraphSimulator
from localdev.stack import new_signing_secret


@dataclass(frozen=True, slots=True)
class _Cost:
    """What so many mails cost.

    Args:
        seconds: from the first list request to the last mail that was marked as read.
        cpu: seconds of the process that did it, None where the system does not tell.
    """

    mails: int
    requests: int
    round_trips: int
    seconds: float
    cpu: float | None


async def measure(lab: Lab) -> list[Figure]:
    """Both mark the same mails as read, at the same latency, after the same signed callbacks."""
    few, many = lab.sizes.compared_mails, lab.sizes.mails
    lab.say(f"{few} mails with python-o365")
    script, script_start = await _script(few), await _script(1)
    job = Job(mails=few, post_process="markAsRead", latency=LATENCY)
    ours = _cost(few, await lab.run(job))
    start = _cost(1, await lab.run(Job(mails=1, post_process="markAsRead", latency=LATENCY)))
    more = _cost(many, await lab.run(Job(mails=many, post_process="markAsRead", latency=LATENCY)))
    return [
        *_figures("python-o365 script", script, script_start),
        *_figures("the connector", ours, start),
        *_figures("the connector", more, start),
    ]


def _figures(who: str, cost: _Cost, start: _Cost) -> list[Figure]:
    what, how = f"{who}, {cost.mails:,} mails", "marked as read, 50 ms a Graph request"
    cpu = None
    if cost.cpu is not None and start.cpu is not None:
        cpu = 1000 * (cost.cpu - start.cpu) / (cost.mails - 1)
    return [
        Figure(
            what=f"{what}: requests a mail",
            value=cost.requests / cost.mails,
            how=f"{how}; {cost.requests} requests",
        ),
        Figure(
            what=f"{what}: round trips a mail",
            value=cost.round_trips / cost.mails,
            how=f"{how}; {cost.round_trips} round trips",
        ),
        Figure(
            what=f"{what}: mails a second",
            value=cost.mails / cost.seconds,
            unit="/s",
            how=f"{how}; {cost.seconds:.1f} s from the first list request to the last mail",
        ),
        Figure(
            what=f"{what}: CPU a mail",
            value=cpu,
            unit="ms",
            how="CPU of the process, less that of a run of 1 mail"
            + ("; host and storage included" if who == "the connector" else "; no storage at all"),
        ),
    ]


def _cost(count: int, result: Result) -> _Cost:
    metrics = result.metrics
    return _Cost(
        count,
        metrics.requests,
        metrics.round_trips,
        result.drain_seconds,
        result.report.worker_cpu_seconds,
    )


async def _script(count: int) -> _Cost:
    """Runs the script against a simulator and a receiver like those of the other runs."""
    secret = new_signing_secret()
    simulator, receiver = GraphSimulator(faults=Faults(latency=LATENCY)), CallbackReceiver(secret)
    simulator.add_mailbox(MAILBOX)
    for mail in mails(count):
        simulator.deliver(MAILBOX, mail)
    simulator.prerender(MAILBOX)
    drain = Drain(simulator)
    async with simulator.serve() as graph, receiver.serve() as callbacks:
        settings = {
            "GRAPH_ENDPOINT": graph.graph_url,
            "GRAPH_TOKEN": simulator.issue_token(),
            "MAILBOX": MAILBOX,
            "WEBHOOK_URL": callbacks.hook("support"),
            "WEBHOOK_SIGNING_SECRET": secret,
        }
        script = asyncio.create_task(run_module("benchmarks.o365_script", [], settings))
        await drain.until_empty(lambda: not script.done())
        ended = await script
    unread = sum(not message.is_read for message in simulator.messages(MAILBOX))
    if unread or receiver.counters.accepted != count:
        raise RunFailed(f"the script left {unread} of {count} mails unread")
    metrics = simulator.metrics
    return _Cost(
        count, metrics.requests, metrics.round_trips, drain.seconds, ended.usage.cpu_seconds
    )
