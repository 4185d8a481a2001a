"""Which files of the project are deployed: those that `.funcignore` lets through."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

PACKAGES = ".python_packages"
"""Where Core Tools' local build leaves packages; those of the build go there instead."""


def deployed_files(root: Path) -> Iterator[Path]:
    """The files of a project that are deployed, relative to its folder, in order."""
    lines = (root / ".funcignore").read_text(encoding="utf-8").splitlines()
    ignored = GitIgnoreSpec.from_lines([*lines, f"/{PACKAGES}"])
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = sorted(one for one in folders if not ignored.match_file(here / one / "_"))
        yield from (here / one for one in sorted(files) if not ignored.match_file(here / one))


def copy_sources(root: Path, target: Path) -> list[Path]:
    """Copies the files that are deployed; gives their relative paths."""
    files = list(deployed_files(root))
    for file in files:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, target / file)
    return files
