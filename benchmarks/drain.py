"""How fast is one mailbox worked off, where each Graph request takes its time?"""

from __future__ import annotations

from benchmarks.figures import Figure
from benchmarks.lab import Job, Lab

LATENCY = 0.05
AT_ONCE = 4
BESIDE_THE_IDEAL = 1.25
ENOUGH_MAILS = 1000
"""With fewer, the wait for the first message weighs too much for a verdict."""


async def measure(lab: Lab) -> list[Figure]:
    """Compares the time with what Graph's limit of four requests at once allows."""
    count = lab.sizes.mails
    result = await lab.run(Job(mails=count, latency=LATENCY))
    metrics, took = result.metrics, result.drain_seconds
    ideal = metrics.requests * LATENCY / AT_ONCE
    most = max(metrics.max_concurrency.values(), default=0)
    return [
        Figure(
            what="one mailbox worked off, to the time that 4 requests at once take",
            value=took / ideal,
            budget=BESIDE_THE_IDEAL,
            binding=count >= ENOUGH_MAILS,
            how=f"{count} mails, 50 ms a request: {took:.2f} s from the first list request to the"
            f" last move, to {metrics.requests} requests x 50 ms / 4 = {ideal:.2f} s",
        ),
        Figure(
            what="mails a second, one mailbox, 50 ms a request",
            value=count / took,
            unit="/s",
            how="the same run",
        ),
        Figure(
            what="requests at once on that mailbox",
            value=most,
            budget=AT_ONCE,
            binding=True,
            how="the most of any moment, as the simulator saw them",
        ),
        Figure(
            what="429s that Graph had to answer",
            value=metrics.throttled,
            budget=0,
            binding=True,
            how="the same run; the simulator's count",
        ),
    ]
