import asyncio
import sys
from pathlib import Path

import aiohttp
import pytest

from localdev.engine import Engine, EngineRefused, EngineUnavailable
from localdev.engine import engine as engine_module

PROJECT = Path(__file__).resolve().parents[3]


async def test_several_run_side_by_side(engine: Engine) -> None:
    """Each by itself, and gone with its block."""
    async with Engine() as other:
        assert other.url != engine.url
        with pytest.raises(EngineRefused, match="NOT_FOUND"):
            await other.start("open-case", {})

    with pytest.raises(aiohttp.ClientConnectionError):
        await other.post("messages/publication", {})


async def test_one_that_cannot_start_tells_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its last words."""

    async def empty(_: Path | None) -> Path:
        return tmp_path

    monkeypatch.setattr(engine_module, "find_java", lambda: Path(sys.executable))
    monkeypatch.setattr(engine_module, "find_distribution", empty)

    with pytest.raises(EngineUnavailable, match=r"ended at once\. Its last words:\n.*-D"):
        await Engine().__aenter__()


async def test_a_file_that_is_no_process_is_refused(engine: Engine) -> None:
    """With the engine's reasons."""
    with pytest.raises(EngineRefused, match=r"bad\.bpmn was not deployed"):
        await engine.deploy("<no/>", "bad.bpmn")


async def test_nothing_outlives_who_started_it() -> None:
    """The keeper kills its program when its standard input closes, as a killed parent's does."""
    sleeper = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    keeper = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "localdev.engine.keeper", sys.executable, "-c", sleeper],
        cwd=PROJECT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    await keeper.stdout.readline()

    keeper.stdin.close()

    async with asyncio.timeout(20):
        # the sleeper holds the other end of this, too
        assert await keeper.stdout.read() == b""
        assert await keeper.wait() != 0
