"""The demo as a person runs it, and the figures that it writes."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
COUNT = 30
ATTACHMENT_REQUESTS = 12


async def run_demo(*arguments: str) -> tuple[int | None, str]:
    """Runs the demo; gives its exit code and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "localdev.demo", *arguments),
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(120):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, output.decode()


async def figures(file: Path, *arguments: str) -> dict[str, Any]:
    """Runs the demo, which must succeed; gives its figures."""
    code, output = await run_demo("--count", str(COUNT), "--json", str(file), *arguments)
    assert code == 0, output
    assert "Every mail is accounted for." in output
    found: dict[str, Any] = json.loads(await asyncio.to_thread(file.read_text))
    return found


async def test_every_mail_is_accounted_for(tmp_path: Path) -> None:
    """Mail of the sample folder, with the figures in a file."""
    found = await figures(tmp_path / "figures.json")
    seconds, cpu, memory = (
        found.pop(name) for name in ("seconds", "worker_cpu_seconds", "worker_peak_rss_mb")
    )

    assert found == {
        "mails": COUNT,
        "delivered": COUNT,
        "dead": 0,
        "unmatched": 0,
        "callbacks": COUNT,
        "duplicate_callbacks": 0,
        "post_processed": COUNT,
        "left_in_folder": 0,
        # a list, two to find and make the folder, and those for the attachments of samples
        "graph_requests": COUNT + 3 + ATTACHMENT_REQUESTS,
        "graph_round_trips": found["graph_round_trips"],
        "graph_429s": 0,
    }
    assert 4 <= found["graph_round_trips"] - ATTACHMENT_REQUESTS <= 10
    assert 0 < cpu < seconds
    assert 30 < memory < 300


async def test_faults_are_got_over(tmp_path: Path) -> None:
    """Each fifth request to Graph or target fails, or its answer is lost.

    With this seed some answers of the target are lost, and no mail needs a third attempt.
    """
    found = await figures(tmp_path / "figures.json", "--fault-rate", "0.2", "--seed", "29")

    assert (found["delivered"], found["post_processed"], found["dead"]) == (COUNT, COUNT, 0)
    assert found["left_in_folder"] == 0
    assert 0 < found["duplicate_callbacks"] < found["callbacks"] - COUNT
    assert found["graph_requests"] > COUNT + 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mail-dir", "nowhere"], "nowhere: no .eml, .box or .mbox file below this folder"),
        (["--post-process", "move,delete"], "delete, move contradict each other"),
        (["--fault-rate", "1.5"], "argument --fault-rate: a number from 0 to 0.9"),
        (["--count", "0"], "argument --count: a whole number, 1 or more"),
        (["--json", "nowhere/figures.json"], "argument --json: a file in a folder that is there"),
    ],
)
async def test_what_cannot_be_run_is_said_at_once(arguments: list[str], said: str) -> None:
    """In one line, before anything is started."""
    code, output = await run_demo(*arguments)

    assert code == 2
    assert said in output
    assert "Traceback" not in output
