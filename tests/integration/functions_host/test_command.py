import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from azure.storage.queue.aio import QueueServiceClient

PROJECT = Path(__file__).resolve().parents[3]

APP = """
import asyncio
import os

import azure.functions as func

app = func.FunctionApp()


@app.queue_trigger(arg_name="mail", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
async def handle(mail: func.QueueMessage) -> None:
    await asyncio.sleep(float(mail.get_body()))


@app.route("greeting")
def greeting(req: func.HttpRequest) -> str:
    return os.environ["GREETING"]
"""


@pytest.fixture
def app_dir(tmp_path: Path, settings: dict[str, str]) -> Path:
    """An app, its host.json and its settings."""
    (tmp_path / "function_app.py").write_text(APP)
    host_json = {"version": "2.0", "extensions": {"queues": {"messageEncoding": "none"}}}
    (tmp_path / "host.json").write_text(json.dumps(host_json))
    values = settings | {"GREETING": "from the file", "OTHER": "x"}
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": values}))
    return tmp_path


@contextlib.asynccontextmanager
async def command(
    *arguments: str, **environment: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run the host until the block ends; yields the address that it tells."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "localdev.functions_host", "--port", "0", *arguments),
        cwd=PROJECT,
        env=os.environ | environment,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            assert process.stderr is not None
            url = ""
            async for line in process.stderr:
                if b"Listening at " in line:
                    url = line.decode().split()[-1]
                    break
            yield process, url
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_runs_an_app_from_its_directory(app_dir: Path) -> None:
    """With settings from a file, where the environment goes first."""
    arguments = ("--app-dir", str(app_dir), "--settings", str(app_dir / "local.settings.json"))
    answers = []
    for environment in ({}, {"GREETING": "from the environment"}):
        async with (
            command(*arguments, **environment) as (_, url),
            aiohttp.ClientSession() as http,
            http.get(f"{url}/api/greeting") as got,
        ):
            answers.append(await got.text())

    assert answers == ["from the file", "from the environment"]


@pytest.mark.skipif(sys.platform == "win32", reason="stops with a signal")
async def test_sigterm_lets_a_function_finish(
    app_dir: Path, settings: dict[str, str], storage: QueueServiceClient
) -> None:
    """Its message is deleted and the command ends well."""
    queue = storage.get_queue_client(settings["QUEUE"])
    await queue.create_queue()
    await queue.send_message("0.5")
    arguments = ("--app-dir", str(app_dir), "--settings", str(app_dir / "local.settings.json"))

    async with command(*arguments) as (process, url), aiohttp.ClientSession() as http:
        running = 0
        while not running:
            async with http.get(f"{url}/admin/host/status") as got:
                running = (await got.json())["invocations"]["handle"]["running"]
        process.send_signal(signal.SIGTERM)
        await process.communicate()

    assert process.returncode == 0
    assert (await queue.get_queue_properties()).approximate_message_count == 0


async def test_what_cannot_run_is_told_in_one_line(app_dir: Path) -> None:
    """Here a missing setting, with the function that wants it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "localdev.functions_host", "--app-dir", str(app_dir)),
        cwd=PROJECT,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, errors = await process.communicate()

    assert process.returncode == 1
    assert (
        errors.decode()
        .splitlines()[-1]
        .endswith("function handle: the app setting QUEUE is missing")
    )
    assert b"Traceback" not in errors
