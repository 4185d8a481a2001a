"""`python3 dev.py bench`: measures the connector and prints the figures beside their budgets."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console

from benchmarks import (
    attachments,
    comparison,
    cpu,
    drain,
    endurance,
    faults,
    first_poll,
    graph_requests,
    many_sources,
    memory,
    outbox,
)
from benchmarks.figures import Figure, failed, is_good, table
from benchmarks.lab import QUICK, Lab, Sizes

Question = Callable[[Lab], Awaitable[list[Figure]]]

QUESTIONS: dict[str, Question] = {
    "requests": graph_requests.measure,
    "cpu": cpu.measure,
    "memory": memory.measure,
    "drain": drain.measure,
    "first-poll": first_poll.measure,
    "many-sources": many_sources.measure,
    "attachments": attachments.measure,
    "outbox": outbox.measure,
    "faults": faults.measure,
    "comparison": comparison.measure,
}
ON_DEMAND: dict[str, Question] = {"endurance": endurance.measure}
"""Takes many minutes: measured only if it is named."""

LOG_WIDTH = 160
FEEL = "feel"
"""The expression language; it measures by itself and prints its own table."""


def main() -> int:
    """Measures; 1 where a budget that is a count or a ratio is broken."""
    options = _arguments()
    console, began = _console(), time.monotonic()
    chosen = options.only or [*QUESTIONS, FEEL]
    sizes = QUICK if options.quick else Sizes()
    figures = asyncio.run(_measure([one for one in chosen if one != FEEL], sizes, console))
    if figures:
        console.print(table(figures))
        console.print(
            "A budget of a count or ratio is held or BROKEN, which fails this run. One of time is"
            " only noted: other work on the machine slows everything that is measured here."
        )
    if options.json is not None:
        rows = [{"question": question, **figure.to_json()} for question, figure in figures]
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    feel = _feel() if FEEL in chosen else 0
    console.print(f"Measured in {time.monotonic() - began:.0f} s.")
    return 0 if is_good(figure for _, figure in figures) and not feel else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 dev.py bench", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=(*QUESTIONS, *ON_DEMAND, FEEL),
        help="this; may be repeated",
    )
    parser.add_argument("--quick", action="store_true", help="little of everything, in a minute")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    return parser.parse_args()


def _console() -> Console:
    """As wide as the terminal; in a file or a log, wide enough for the table."""
    console = Console()
    return console if console.is_terminal else Console(width=LOG_WIDTH)


async def _measure(names: list[str], sizes: Sizes, console: Console) -> list[tuple[str, Figure]]:
    """Answers questions one after the other, for nothing else is to run meanwhile."""
    began = time.monotonic()
    lab = Lab(
        sizes, lambda what: console.print(f"[dim]{time.monotonic() - began:4.0f} s  {what} …")
    )
    figures: list[tuple[str, Figure]] = []
    for name in names:
        try:
            answers = await (QUESTIONS | ON_DEMAND)[name](lab)
        except Exception as error:  # noqa: BLE001 - the others are still of interest
            answers = [failed(name, f"not measured: {type(error).__name__}: {error}")]
        figures += [(name, figure) for figure in answers]
    return figures


def _feel() -> int:
    if importlib.util.find_spec("benchmarks.feel") is None:
        return 0
    code: int = importlib.import_module("benchmarks.feel").main()
    return code


if __name__ == "__main__":
    sys.exit(main())
