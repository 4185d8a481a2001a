from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from localdev.engine import Engine, EngineUnavailable

# how long one example takes says more about the machine than about the code
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

PROCESSES = Path(__file__).with_name("processes")
JOB_TYPES = ["handle-mail", "handle-reply", "open-case"]


@pytest.fixture(scope="session")
async def engine() -> AsyncIterator[Engine]:
    """A real engine with the processes of the directory beside; skips where none can be had."""
    async with AsyncExitStack() as stack:
        try:
            running = await stack.enter_async_context(Engine())
        except EngineUnavailable as reason:
            pytest.skip(str(reason))
        for file in sorted(PROCESSES.glob("*.bpmn")):
            await running.deploy(file.read_text(encoding="utf-8"), file.name)
        yield running


@pytest.fixture
async def no_jobs(engine: Engine) -> None:
    """No job of an earlier test's waits."""
    for job_type in JOB_TYPES:
        await engine.take_jobs(job_type)
