"""The app as a process of its own: on Core Tools or on the embedded host; can be killed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from localdev.peak_memory import peak_mb

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 40.0

HostKind = Literal["embedded", "func"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used, as the operating system counted it; None where it does not.

    Args:
        cpu_seconds: user and system time.
        peak_rss_mb: the most memory at once, in MiB.
    """

    cpu_seconds: float | None = None
    peak_rss_mb: float | None = None


class AppProcess:
    """Runs `function_app.py` inside an `async with` block.

    However this process ends, the embedded host ends with it: its standard input closes then.

    Args:
        settings: the app settings, put into the process's environment.
        host: which host runs it.
        port: where it listens; 0 for any free one (embedded host only).
        loopback_only: whether it talks to this machine alone, and so past any proxy.
        options: further options of the embedded host.
        log: file that its output goes to.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        log: Path,
        *,
        host: HostKind = "embedded",
        port: int = 0,
        options: Sequence[str] = (),
        loopback_only: bool = True,
    ) -> None:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not (loopback_only and name.lower().endswith("_proxy"))
        }
        self._environment = {**inherited, **settings}
        self._log = log
        self._command = _command(host, port, options)
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = asyncio.Event()
        self._waiter: threading.Thread | None = None
        self._peak_mb: float | None = None
        self.exit_code: int | None = None
        self.usage = Usage()

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as output:
            # its own group, so that Ctrl+C reaches it by way of us, in order
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - waited for in a thread; our own
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        loop = asyncio.get_running_loop()
        self._waiter = threading.Thread(target=self._wait, args=(loop,), daemon=True)
        self._waiter.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return not self._ended.is_set()

    async def wait(self) -> None:
        """Returns when the process has ended."""
        await self._ended.wait()

    async def stop(self) -> None:
        """Lets the app finish what it is doing; ends it by force if that takes too long."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._ended.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Ends the process at once, wherever it is."""
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        await self._ended.wait()

    @property
    def pid(self) -> int:
        """The process's number; 0 before it is started."""
        return 0 if self._process is None else self._process.pid

    def _signal(self, number: int) -> None:
        if self._process is not None and self.is_running:
            self._peak_mb = peak_mb(self._process.pid) or self._peak_mb
            self._process.send_signal(number)

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        """Waits for the end, and reads what this very process used."""
        process = self._process
        if process is None:
            return
        if hasattr(os, "wait4"):
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.usage = Usage(used.ru_utime + used.ru_stime, self._peak_mb)
        else:
            process.wait()
        self.exit_code = process.returncode
        if process.stdin is not None:
            process.stdin.close()
        loop.call_soon_threadsafe(self._ended.set)


def _command(host: HostKind, port: int, options: Sequence[str]) -> list[str]:
    if host == "embedded":
        module = [sys.executable, "-m", "localdev.functions_host", "--port", str(port)]
        return [*module, "--app-dir", str(ROOT), "--stop-with-stdin", *options]
    func = shutil.which("func")
    if func is None:
        raise FileNotFoundError(
            "Azure Functions Core Tools (func) are not on the PATH: install them, or leave out"
            " --host func to use the embedded host."
        )
    return [func, "start", "--python", "--port", str(port or 7071)]
