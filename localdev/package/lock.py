"""`python3 dev.py lock`: pins everything that the deployed app needs, with hashes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from localdev.package.requirements import LISTED, LOCK
from localdev.package.target import PYTHON

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    """Writes the lock; what is locked already stays, unless `--upgrade` is among the arguments."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", LISTED, "--output-file", LOCK, "--quiet"),
        *("--python-version", ".".join(map(str, PYTHON)), "--python-platform", "linux"),
        *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate"),
        *("--custom-compile-command", "python3 dev.py lock", "--only-binary", ":all:"),
    ]
    return subprocess.run([*command, *arguments], cwd=ROOT, check=False).returncode  # noqa: S603 - uv


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
