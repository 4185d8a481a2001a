"""Does the memory of the worker grow with the mail that waits?"""

from __future__ import annotations

from benchmarks.figures import Figure
from benchmarks.lab import Job, Lab

FLAT = 1.15


async def measure(lab: Lab) -> list[Figure]:
    """Compares the peak of a run with that of one with more mails."""
    few, many = lab.sizes.mails, lab.sizes.many_mails
    peaks = {count: (await lab.run(Job(mails=count))).peak_mb for count in (few, many)}
    low, high = peaks[few], peaks[many]
    how = "peak resident set of the app's process, the embedded host included; mails of 10 KB"
    return [
        *(
            Figure(what=f"peak memory, {count:,} mails", value=peak, unit="MiB", how=how)
            for count, peak in peaks.items()
        ),
        Figure(
            what=f"the same, {many:,} mails to {few:,}",
            value=high / low if low and high else None,
            budget=FLAT,
            binding=True,
            how="ratio of the two",
        ),
    ]
