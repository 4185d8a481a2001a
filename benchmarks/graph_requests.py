"""How many Graph requests, and how many HTTP round trips, does one mail cost?"""

from __future__ import annotations

from benchmarks.figures import Figure
from benchmarks.lab import Job, Lab

REQUESTS_A_MAIL = 1.05
ROUND_TRIPS_A_MAIL = 0.1


async def measure(lab: Lab) -> list[Figure]:
    """Counts them at the simulator, for two ways to post-process."""
    figures = []
    for post_process in ("move", "markAsRead"):
        count = lab.sizes.mails
        metrics = (await lab.run(Job(mails=count, post_process=post_process))).metrics
        how = f"{count} mails of 10 KB, {post_process}; the simulator's count"
        figures += [
            Figure(
                what=f"Graph requests a mail, {post_process}",
                value=metrics.requests / count,
                budget=REQUESTS_A_MAIL,
                binding=True,
                how=f"{how} of requests, those within a $batch included: {metrics.requests}",
            ),
            Figure(
                what=f"HTTP round trips to Graph a mail, {post_process}",
                value=metrics.round_trips / count,
                budget=ROUND_TRIPS_A_MAIL,
                binding=True,
                how=f"{how} of HTTP requests: {metrics.round_trips}, {metrics.batches} of them"
                " batches",
            ),
        ]
    return figures
