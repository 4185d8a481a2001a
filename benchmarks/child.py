"""Runs a Python module in a fresh interpreter and says what it used."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localdev.app_process import ROOT, Usage


class ChildFailed(Exception):
    """The module ended with an error; its last lines."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A module that has ended.

    Args:
        lines: its output, each line parsed as JSON.
    """

    lines: list[Any]
    usage: Usage


async def run_module(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Ended:
    """Runs a module to its end, beside what this process serves.

    Args:
        name: such as ``benchmarks.probes.tick``.
        arguments: its arguments; the first one that it sees is the time at which it was started.
        environment: added to this process's, but for proxies: all is on this machine.

    Raises:
        ChildFailed: it did not end well.
    """
    return await asyncio.to_thread(_run, name, arguments, environment)


def _run(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Ended:
    inherited = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    command = [sys.executable, "-m", name, repr(time.time()), *arguments]
    process = subprocess.Popen(  # noqa: S603 - this very Python
        command,
        cwd=ROOT,
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        output = process.stdout.read() if process.stdout else ""
        usage = Usage()
        if hasattr(os, "wait4"):
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            unit = 2**20 if sys.platform == "darwin" else 2**10
            usage = Usage(used.ru_utime + used.ru_stime, used.ru_maxrss / unit)
    if process.returncode:
        raise ChildFailed(f"{name} ended with {process.returncode}:\n{output[-2000:]}")
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return Ended(lines, usage)
