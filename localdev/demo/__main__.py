"""`python3 dev.py demo`: see what the connector does, on this machine, with real parts."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars

from localdev.azurite import AzuriteError
from localdev.demo.mails import SAMPLE_MAIL, NoMail, load_mails
from localdev.demo.run import BadOption, DemoOptions, DemoRun, Progress

LOG_LINES = 15


def main() -> int:
    """Runs a demo; 0 only where every mail is accounted for."""
    options = _arguments()
    console = Console()
    try:
        return asyncio.run(_demo(options, console))
    except (NoMail, BadOption, AzuriteError, FileNotFoundError) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 dev.py demo",
        description="See what the connector does, on this machine, with real parts.",
    )
    parser.add_argument(
        "--mail-dir",
        type=Path,
        default=SAMPLE_MAIL,
        metavar="DIR",
        help="folder of .eml, .box or .mbox files; default: a few samples",
    )
    parser.add_argument(
        "--count", type=_count, metavar="N", help="repeat (or cut) to so many mails"
    )
    parser.add_argument(
        "--post-process",
        default="move",
        metavar="LIST",
        help="markAsRead, categorize, move, delete, forceDelete; several parted by commas",
    )
    parser.add_argument(
        "--latency-ms", type=_milliseconds, default=0.0, metavar="MS", help="of each Graph request"
    )
    parser.add_argument(
        "--fault-rate", type=_rate, default=0.0, metavar="RATE", help="0 to 0.9: Graph and callback"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the faults")
    parser.add_argument("--host", choices=("embedded", "func"), default="embedded")
    parser.add_argument("--keep", action="store_true", help="leave it running; print the addresses")
    parser.add_argument("--json", type=_file, metavar="FILE", help="write the figures to a file")
    return parser.parse_args()


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number, 1 or more")
    return int(text)


def _milliseconds(text: str) -> float:
    return _number(text, 60_000)


def _rate(text: str) -> float:
    return _number(text, 0.9)


def _number(text: str, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise argparse.ArgumentTypeError(f"a number from 0 to {most:g}")
    return number


def _file(text: str) -> Path:
    file = Path(text)
    if file.is_dir() or not file.parent.is_dir():
        raise argparse.ArgumentTypeError("a file in a folder that is there")
    return file


async def _demo(options: argparse.Namespace, console: Console) -> int:
    mails = load_mails(options.mail_dir, options.count)
    console.print(f"{len(mails)} mails from {_shown(options.mail_dir)}; starting everything …")
    chosen = DemoOptions(
        post_process=options.post_process,
        latency=options.latency_ms / 1000,
        fault_rate=options.fault_rate,
        seed=options.seed,
        host=options.host,
    )
    async with DemoRun(mails, chosen) as run:
        finished = await _watch(run, _View(len(mails), console), console)
        if options.keep:
            await _keep_running(run, console)
        await run.app.stop()
        report = run.report(finished=finished)
        console.print(report.table())
        if options.json is not None:
            options.json.write_text(json.dumps(report.to_json(), indent=2) + "\n")
        if not report.problems:
            console.print("[green]Every mail is accounted for.")
            return 0
        console.print("[red]Not well: " + "; ".join(report.problems))
        lines = run.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        console.print("The last lines of the app's log:")
        console.print(*lines, sep="\n", markup=False, highlight=False, soft_wrap=True)
        return 1


async def _watch(run: DemoRun, view: _View, console: Console) -> bool:
    """Shows the run until its end; gives whether all was done."""
    try:
        with Live(view.bars, console=console, refresh_per_second=8):
            return await run.watch(view.show)
    except asyncio.CancelledError:
        console.print("Stopping …")
        raise
    finally:
        if not console.is_terminal:
            console.print()  # there, the bars leave their line open


async def _keep_running(run: DemoRun, console: Console) -> None:
    """Leaves all running until Ctrl+C."""
    stack = run.stack
    console.print(
        f"Graph simulator   {stack.graph.graph_url}/v1.0",
        f"Token endpoint    {stack.graph.authority_url}",
        f"Callback receiver {stack.callbacks.url}",
        f"Storage           {stack.storage}",
        f"Log of the app    {run.log}",
        "It all runs on; Ctrl+C ends it.",
        sep="\n",
        soft_wrap=True,  # addresses are there to be copied
    )
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        console.print("Stopping …")
        if (task := asyncio.current_task()) is not None:
            task.uncancel()


def _shown(path: Path) -> str:
    return os.path.relpath(path)


class _View:
    """The live display: one bar for each thing that is counted."""

    def __init__(self, total: int, console: Console) -> None:
        self.bars = Bars(
            TextColumn("{task.description:<16}"),
            BarColumn(bar_width=max(4, min(40, console.width - 56))),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
        )
        labels = ("found, queued", "accepted", "post-processed")
        self._tasks = {label: self.bars.add_task(label, total=total, note="") for label in labels}

    def show(self, progress: Progress) -> None:
        """Moves the bars."""
        notes = {
            "found, queued": f"{progress.requests:,} Graph requests",
            "accepted": f"{progress.callbacks:,} callbacks",
            "post-processed": f"{progress.dead} dead" if progress.dead else "",
        }
        values = {
            "found, queued": progress.found,
            "accepted": progress.accepted,
            "post-processed": progress.post_processed,
        }
        for label, task in self._tasks.items():
            self.bars.update(task, completed=values[label], note=notes[label])


if __name__ == "__main__":
    sys.exit(main())
