"""Which files of the project are deployed: those that `.funcignore` names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

from localdev.package.requirements import LISTED, LOCK

IGNORE = ".funcignore"
PACKAGES = ".python_packages"
"""Where the platform looks for libraries."""


def deployed_files(root: Path) -> Iterator[Path]:
    """The files of a project that are deployed, relative to its folder, in order."""
    lines = (root / IGNORE).read_text(encoding="utf-8").splitlines()
    ignored = GitIgnoreSpec.from_lines(lines)
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        # of folders only modules are deployed: where those are not, nothing is
        folders[:] = sorted(one for one in folders if not ignored.match_file(here / one / "_.py"))
        yield from (here / one for one in sorted(files) if not ignored.match_file(here / one))


def copy_sources(root: Path, target: Path) -> list[Path]:
    """Copies the files that are deployed; gives their relative paths.

    The list of requirements is the lock there: should somebody have Azure install it all the same,
    pip compares the hashes.
    """
    files = list(deployed_files(root))
    for file in files:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / (LOCK if file == Path(LISTED) else file), target / file)
    return files
