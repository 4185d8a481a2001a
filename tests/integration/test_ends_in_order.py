"""Programs that start others leave none of them behind, however they end."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

# as dev.py runs it, but for the setting up before
DEMO = (
    *("-u", "-c"),
    "import dev, sys; dev.PYTHON = sys.executable; sys.exit(dev._run(sys.argv[1:]))",
    *("-u", "-m", "localdev.demo"),
)

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")


@asynccontextmanager
async def started(
    *arguments: str, environment: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program in a group of its own, as a terminal would start it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # as in a shell's background: those that are started would inherit that
        signal.signal(signal.SIGINT, signal.default_int_handler)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(60):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def commands(directory: Path) -> list[str]:
    """The command lines of all processes whose temporary files go to a directory."""
    mark = f"TMPDIR={directory}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has just ended, or is somebody else's
    return [command for command in found if command]


def files(directory: Path) -> list[Path]:
    return list(directory.iterdir())


# processes of others tell nobody when they start or end: the next two have to look
async def until_app_runs(directory: Path) -> None:
    while not any("functions_host" in command for command in commands(directory)):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def until_all_ended(directory: Path) -> None:
    while commands(directory):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def test_ctrl_c_ends_the_demo_and_all_that_it_started(tmp_path: Path) -> None:
    """Soon, without a traceback, and without a file left."""
    arguments = (*DEMO, "--count", "200", "--latency-ms", "200")
    async with started(*arguments, environment={"TMPDIR": str(tmp_path)}) as demo:
        await until_app_runs(tmp_path)
        os.killpg(demo.pid, signal.SIGINT)
        printed, _ = await demo.communicate()

    assert demo.returncode == 130
    assert b"Stopping" in printed
    assert b"Traceback" not in printed
    assert commands(tmp_path) == []
    assert files(tmp_path) == []


async def test_ctrl_c_ends_a_demo_that_was_kept_with_its_figures(tmp_path: Path) -> None:
    """For it had come to its end already."""
    arguments = (*DEMO, "--count", "3", "--keep")
    async with started(*arguments, environment={"TMPDIR": str(tmp_path)}) as demo:
        assert demo.stdout is not None
        await demo.stdout.readuntil(b"Ctrl+C ends it.")
        os.killpg(demo.pid, signal.SIGINT)
        printed, _ = await demo.communicate()

    assert demo.returncode == 0
    assert b"Every mail is accounted for." in printed
    assert commands(tmp_path) == []


async def test_a_demo_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    """Neither the app nor the storage emulator."""
    environment = {"TMPDIR": str(tmp_path)}
    async with started("-m", "localdev.demo", environment=environment) as demo:
        await until_app_runs(tmp_path)
        demo.kill()
        await demo.wait()
        await until_all_ended(tmp_path)
