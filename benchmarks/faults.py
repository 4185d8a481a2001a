"""Is every mail accounted for where one request in ten fails, and at what cost?"""

from __future__ import annotations

from benchmarks.figures import Figure
from benchmarks.lab import Job, Lab

RATE = 0.1


async def measure(lab: Lab) -> list[Figure]:
    """Runs the main loop against a Graph and a target that fail; a mail too few fails the run."""
    count = lab.sizes.mails
    result = await lab.run(Job(mails=count, fault_rate=RATE))
    report, metrics = result.report, result.metrics
    run = f"{count} mails, {RATE:.0%} of Graph requests, batches and callbacks fail"
    return [
        Figure(
            what="mails not accounted for, with faults",
            value=count - report.delivered - report.dead - report.unmatched,
            budget=0,
            binding=True,
            how=f"{run}: {report.delivered} delivered, {report.dead} dead,"
            f" {report.post_processed} moved, {report.duplicate_callbacks} told again after"
            f" {report.lost_answers} lost answers",
        ),
        Figure(
            what="Graph requests a mail beyond the faults",
            value=(metrics.requests - metrics.faults) / count,
            how=f"{run}: {metrics.requests} requests less {metrics.faults} faults; a batch that is"
            " lost whole is one fault, and up to 20 requests again",
        ),
    ]
