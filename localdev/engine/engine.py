"""Starts an engine for as long as a block runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Self

from localdev.engine.api import EngineApi
from localdev.engine.distribution import find_distribution
from localdev.engine.errors import EngineUnavailable
from localdev.engine.java import find_java

_PROJECT = Path(__file__).resolve().parents[2]
_START_SECONDS = 120.0
_STOP_SECONDS = 20.0
_LAST_LINES = 15

# One partition, no exporter, and no more memory than a test needs.
_JAVA_OPTIONS = [
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # starts sooner, and a test ends before more would pay
    "-XX:+ExitOnOutOfMemoryError",
    "-Dfile.encoding=UTF-8",
]
_SETTINGS = {
    "zeebe.broker.data.log-segment-size": "32MB",
    "zeebe.broker.data.disk.free-space.processing": "128MB",
    "zeebe.broker.data.disk.free-space.replication": "64MB",
    "zeebe.broker.experimental.rocksdb.memory-limit": "64MB",
    # a message that lives for a moment is gone in a moment, not within a minute
    "zeebe.broker.experimental.engine.messages.ttl-checker-interval": "200ms",
    "zeebe.broker.gateway.security.authentication.mode": "none",
}
_PORTS = [
    "server.port",
    "management.server.port",
    "zeebe.broker.gateway.network.port",
    "zeebe.broker.network.command-api.port",
    "zeebe.broker.network.internal-api.port",
]
_ADDRESSES = [
    "server.address",
    "management.server.address",
    "zeebe.broker.gateway.network.host",
    "zeebe.broker.network.host",
]
# Whoever starts it may have settings for another engine in the environment.
_FOREIGN = ("ZEEBE_", "CAMUNDA_", "SPRING_", "SERVER_", "MANAGEMENT_", "JAVA_TOOL_OPTIONS")


class Engine(EngineApi):
    """An engine process, running inside an `async with` block; nobody need log in.

    It listens on loopback, at free ports, and forgets everything at the end. However this process
    ends, the engine ends with it.

    Args:
        cache: where the distribution is kept, see `find_distribution`.

    Raises:
        EngineUnavailable: no Java, no distribution, or it does not start.
    """

    def __init__(self, cache: Path | None = None) -> None:
        super().__init__("")  # it is nowhere until it runs
        self._cache = cache
        self._parts = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        java, home = find_java(), await find_distribution(self._cache)
        async with contextlib.AsyncExitStack() as parts:
            # a straggler among the files is no error of the test's
            scratch = tempfile.TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True)
            directory = Path(parts.enter_context(scratch))
            ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
            command = _command(java, home, directory, ports)
            process = await parts.enter_async_context(_running(command, directory))
            self.url = f"http://127.0.0.1:{ports['server.port']}"
            await self._wait(process, directory)
            self._parts = parts.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._parts.aclose()

    async def _wait(self, process: asyncio.subprocess.Process, directory: Path) -> None:
        ready = asyncio.create_task(self.wait_until_ready())
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait(
                {ready, ended}, timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ready.cancel()
            ended.cancel()
        if not ready.done():
            state = "ended at once" if ended.done() else f"was not ready in {_START_SECONDS:.0f} s"
            output = _log(directory).read_text(encoding="utf-8", errors="replace").splitlines()
            last_words = "\n".join(output[-_LAST_LINES:])
            raise EngineUnavailable(f"The engine {state}. Its last words:\n{last_words}")
        ready.result()


def _command(java: Path, home: Path, directory: Path, ports: dict[str, int]) -> list[str]:
    settings = {
        **_SETTINGS,
        **dict.fromkeys(_ADDRESSES, "127.0.0.1"),
        **{name: str(port) for name, port in ports.items()},
        "zeebe.broker.data.directory": str(directory / "data"),
    }
    return [
        *[str(java), *_JAVA_OPTIONS],
        f"-Dapp.home={directory}",  # where it puts its log files
        # system properties: it hands no arguments on
        *[f"-D{name}={value}" for name, value in settings.items()],
        *["-classpath", os.pathsep.join([str(home / "config"), str(home / "lib" / "*")])],
        "io.camunda.application.StandaloneBroker",
    ]


@contextlib.asynccontextmanager
async def _running(
    command: list[str], directory: Path
) -> AsyncGenerator[asyncio.subprocess.Process, None]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)
    }
    with _log(directory).open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "localdev.engine.keeper", *command],
            cwd=_PROJECT,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl+C is for this process
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.stdin is not None:
            # its keeper kills it: there is nothing to save
            process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _log(directory: Path) -> Path:
    return directory / "output.log"


def _free_ports(count: int) -> list[int]:
    """Returns ports that are free now, all different: the engine takes no 0."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for item in sockets:
            item.bind(("127.0.0.1", 0))
        return [item.getsockname()[1] for item in sockets]
