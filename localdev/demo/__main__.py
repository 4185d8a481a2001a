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
from localdev.demo.run import DemoOptions, DemoRun, Progress

LOG_LINES = 15


def main() -> int:
    """Runs a demo; 0 only where every mail is accounted for."""
    options = _arguments()
    console = Console()
    try:
        return asyncio.run(_demo(options, console))
    except (NoMail, AzuriteError, FileNotFoundError) as error:
        console.print(f"[red]{error}")
        return 2
    except KeyboardInterrupt:
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 dev.py demo", description=__doc__)
    parser.add_argument("--mail-dir", type=Path, default=SAMPLE_MAIL, help="folder of .eml or .box")
    parser.add_argument("--count", type=_positive, help="repeat (or cut) to so many mails")
    parser.add_argument(
        "--post-process", default="move", help="markAsRead, categorize, move, delete, forceDelete"
    )
    parser.add_argument("--latency-ms", type=float, default=0.0, help="of each Graph request")
    parser.add_argument("--fault-rate", type=float, default=0.0, help="0 to 1: Graph and callback")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--host", choices=("embedded", "func"), default="embedded")
    parser.add_argument("--keep", action="store_true", help="leave it running; print the addresses")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


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
        view = _View(len(mails), console)
        with Live(view.bars, console=console, refresh_per_second=8):
            finished = await run.watch(view.show)
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
        console.print("The last lines of the app's log:", *lines, sep="\n", markup=False)
        return 1


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
            BarColumn(bar_width=40),
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
