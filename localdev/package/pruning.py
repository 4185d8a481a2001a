"""Leaves out of the package what the connector never imports, and checks that it never does."""

from __future__ import annotations

import ast
import csv
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

RULES = ("msgraph/generated/*/", "msgraph/generated/kiota-*")
"""Folders and files below `site-packages`. Each folder of the SDK holds an endpoint's request
builders, or models, imported when they are used; the connector takes Graph's JSON instead. The
files are records of the generator's."""


class StillNeeded(Exception):
    """Something that was left out is imported."""


def prune(site: Path) -> frozenset[PurePosixPath]:
    """Removes what the rules name; gives the files that are gone, relative to `site`."""
    removed = set()
    for rule in RULES:
        for found in list(site.glob(rule)):
            files = [file for file in (found, *found.rglob("*")) if file.is_file()]
            removed |= {PurePosixPath(file.relative_to(site).as_posix()) for file in files}
            if found.is_dir():
                shutil.rmtree(found)
            else:
                found.unlink()
    return frozenset(removed)


def check_nothing_needed_is_gone(removed: Iterable[PurePosixPath], imported: Iterable[str]) -> None:
    """Compares what was removed with modules that something imports.

    Args:
        removed: files relative to `site-packages`.
        imported: full names of modules; names of what is in them do no harm.

    Raises:
        StillNeeded: a module of these was removed, or a package around it.
    """
    gone = {parent for file in removed for parent in (file.with_suffix(""), *file.parents)}
    kept = {parent for rule in RULES for parent in PurePosixPath(rule).parents}
    lost = [name for name in imported if PurePosixPath(*name.split(".")) in gone - kept]
    if lost:
        raise StillNeeded(
            f"Left out of the package, but imported: {', '.join(sorted(lost))}. Change RULES in"
            " localdev/package/pruning.py, or build with --whole."
        )


def imports_in(sources: Iterable[Path]) -> Iterator[str]:
    """The modules that files of Python name in their imports, wherever in them; relative ones not.

    ``from a import b`` may mean the module ``a.b``: both are given.
    """
    for source in sources:
        for node in ast.walk(ast.parse(source.read_bytes())):
            if isinstance(node, ast.Import):
                yield from (one.name for one in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module
                yield from (f"{node.module}.{one.name}" for one in node.names)


def update_records(site: Path) -> None:
    """Strikes files that are not there from the lists of what each distribution installed."""
    for record in site.glob("*.dist-info/RECORD"):
        with record.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if (site / row[0]).is_file()]
        with record.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(sorted(rows))
