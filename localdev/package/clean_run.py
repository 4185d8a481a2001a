"""Runs code on an unpacked package in a fresh interpreter that sees nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from localdev.package.sources import PACKAGES

_PATHS = f"""
import sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/{PACKAGES}/lib/site-packages"]
"""
_INDEX = """
import importlib, json, pkgutil
import function_app, shared
for module in pkgutil.walk_packages(shared.__path__, "shared."):
    importlib.import_module(module.name)
print(json.dumps([one.get_function_name() for one in function_app.app.get_functions()]))
"""


class NotComplete(Exception):
    """The package does not run by itself; the last lines of its output."""


def clean_command(app: Path, code: str) -> list[str]:
    """The command that runs code with the packages of an unpacked zip and Python's own alone."""
    return [sys.executable, "-I", "-S", "-B", "-c", _PATHS + code, str(app)]


def functions_of(package: Path) -> list[str]:
    """Unpacks a package, imports all of its modules that are ours, and gives its functions' names.

    Raises:
        NotComplete: something is missing.
    """
    with tempfile.TemporaryDirectory() as directory:
        with zipfile.ZipFile(package) as archive:
            archive.extractall(directory)
        command = clean_command(Path(directory), _INDEX)
        ended = subprocess.run(  # noqa: S603 - this very Python
            command, env={}, cwd=directory, capture_output=True, text=True, check=False
        )
    if ended.returncode:
        raise NotComplete(ended.stderr[-2000:])
    names: list[str] = json.loads(ended.stdout)
    return names
