"""Compiles a tree of Python files, zips it, puts it in place: the same files, the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16


def compile_tree(tree: Path) -> None:
    """Adds bytecode to every module.

    Its source is not looked at again (PEP 552): what is deployed does not change, and its
    timestamps mean nothing.
    """
    command = [sys.executable, "-m", "compileall", "-qq", "-f"]
    options = ["--invalidation-mode", "unchecked-hash", "-s", str(tree), str(tree)]
    # one process and a fixed order of sets, so that the same source gives the same bytecode; a
    # file that does not compile is one that a package ships for other versions of Python
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run([*command, *options], env=environment, check=False)  # noqa: S603 - this very Python


def write_zip(tree: Path, target: Path) -> None:
    """Zips all files below a folder, in order and without their times and owners."""
    files = sorted(file for file in tree.rglob("*") if file.is_file())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(tree).as_posix(), _EPOCH)
            entry.external_attr = _READABLE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())


def put_in_place(tree: Path, place: Path) -> None:
    """Moves a tree to where another may be: nobody finds a half of one, or a mixture of both."""
    with tempfile.TemporaryDirectory(dir=place.parent) as directory:
        if place.exists():
            place.rename(Path(directory) / place.name)
        tree.rename(place)
