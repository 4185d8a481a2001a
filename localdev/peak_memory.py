"""The most memory that a process had at once.

On Linux a child's `ru_maxrss` begins with what its parent had when it forked: with a simulator
full of mail in this process, it says nothing of the child. VmHWM begins with the child's program.
"""

from __future__ import annotations

import sys
from pathlib import Path


def peak_mb(process: int | None = None) -> float | None:
    """MiB of the most memory until now.

    Args:
        process: the id of one that runs; None for this one.

    Returns:
        None where the system does not tell it of another process.
    """
    status = Path(f"/proc/{process or 'self'}/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    if process is not None or sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - Unix only

    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
