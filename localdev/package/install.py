"""Installs the locked packages for a target, as Core Tools' local build does, hashes checked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from localdev.package.target import PYTHON, Target

_OFFLINE = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ProxyError")


class InstallFailed(Exception):
    """pip could not install; its last lines."""


class NoNetwork(InstallFailed):
    """pip did not reach a package index."""


def install(lock: Path, site: Path, target: Target) -> dict[str, str]:
    """Installs what a lock file names, and nothing else.

    Args:
        lock: requirements with hashes; complete, for nothing is resolved.
        site: the folder to install into.
        target: what for.

    Returns:
        The sha256 of each wheel, by the name of its distribution.

    Raises:
        InstallFailed: and why.
    """
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory, "report.json")
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--requirement", str(lock), "--require-hashes", "--no-deps", "--no-compile"),
            *("--target", str(site), "--only-binary=:all:", "--implementation", "cp"),
            *("--python-version", ".".join(map(str, PYTHON)), "--report", str(report)),
            *("--retries", "2"),  # of each it speaks, and says what is wrong with the network
        ]
        for tag in target.tags:
            command += ["--platform", tag]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pip
        if ended.returncode:
            raise _failure(ended.stderr)
        installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    shutil.rmtree(site / "bin", ignore_errors=True)  # scripts name the Python that installed them
    return {one["metadata"]["name"]: _sha256(one) for one in installed}


def _failure(output: str) -> InstallFailed:
    offline = "(from versions: none)" in output and any(one in output for one in _OFFLINE)
    return (NoNetwork if offline else InstallFailed)(output[-2000:])


def _sha256(installed: Mapping[str, Mapping[str, Mapping[str, Mapping[str, str]]]]) -> str:
    return installed["download_info"]["archive_info"]["hashes"]["sha256"]
