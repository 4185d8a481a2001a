"""Builds a package step by step: install, leave out, compile, zip, run, put in place, describe."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from localdev.package.archive import compile_tree, put_in_place, write_zip
from localdev.package.clean_run import functions_of
from localdev.package.contents import Component, components_of
from localdev.package.install import install
from localdev.package.licences import check_licences, notices
from localdev.package.pruning import (
    check_nothing_needed_is_gone,
    imports_in,
    prune,
    update_records,
)
from localdev.package.real_run import imported_modules
from localdev.package.requirements import LISTED, LOCK, disagreements, pins
from localdev.package.sbom import APP, bill_of_materials
from localdev.package.sources import IGNORE, PACKAGES, copy_sources
from localdev.package.target import Target, other_python

ROOT = Path(__file__).resolve().parents[2]
NOTICES = "THIRD-PARTY-NOTICES.md"
UNPACKED = "app"
"""The folder beside the zip that holds the same: azd and Core Tools zip by themselves."""


class OutOfDate(Exception):
    """The lock is not that of the list of requirements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to build.

    Args:
        output: the folder that zip, unpacked app, bill of materials and notices go to.
        whole: leave nothing out.
        bytecode: whether modules are compiled; only by the version of Python that will run them.
    """

    output: Path
    target: Target
    whole: bool = False
    bytecode: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Files and their bytes, unpacked."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What was built.

    Args:
        app: the folder with what is in the zip.
        ours: the project's own files, relative to its folder.
        installed: all that pip installed.
        unpacked: the whole package.
        largest: bytes of what lies in `site-packages`, the largest first.
        functions: names, as the package gave them when it was run; None where it cannot be run.
        compiled: whether it holds bytecode.
    """

    zip: Path
    app: Path
    bill: Path
    notices: Path
    sha256: str
    ours: list[Path]
    components: list[Component]
    installed: Size
    unpacked: Size
    largest: list[tuple[str, int]]
    functions: list[str] | None
    compiled: bool


def build(options: Options, say: Callable[[str], None], root: Path = ROOT) -> Package:
    """Builds it in a temporary folder. Where it fails, what was built before stays.

    Args:
        options: what to build.
        say: is told what happens.
        root: the project.

    Raises:
        OutOfDate, InstallFailed, LicenceNotAllowed, RunFailed, StillNeeded, NotComplete: see
            the modules that raise them.
    """
    if wrong := disagreements(root):
        raise OutOfDate(f"{'; '.join(wrong)}. Run: python3 dev.py lock")
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.output) as directory:
        tree, zipped = Path(directory, UNPACKED), Path(directory, f"{APP}.zip")
        site = tree / PACKAGES / "lib" / "site-packages"
        say(f"Installing for Linux, {options.target.machine} …")
        hashes = install(root / LOCK, site, options.target)
        components = components_of(site, options.target, hashes)
        check_licences(components)
        ours = copy_sources(root, tree)
        installed = _size(site)
        if not options.whole:
            _leave_out(site, [tree / file for file in ours if file.suffix == ".py"], say)
        update_records(site)
        other = other_python()
        compiled = options.bytecode and not other
        if compiled:
            say("Compiling …")
            compile_tree(tree)
        elif other:
            say(other)
        say("Zipping …")
        write_zip(tree, zipped)
        unpacked, largest = _size(tree), _largest(site)
        digest = hashlib.sha256(zipped.read_bytes()).hexdigest()
        functions = functions_of(zipped) if options.target.is_this_machine else None
        # an ignore file that ignores nothing: without one azd leaves bytecode out
        (tree / IGNORE).touch()
        put_in_place(tree, options.output / UNPACKED)
        target = zipped.replace(options.output / zipped.name)
    return Package(
        zip=target,
        app=options.output / UNPACKED,
        bill=_write(options.output / f"{APP}.cdx.json", _bill(root, digest, components)),
        notices=_write(options.output / NOTICES, notices(components)),
        sha256=digest,
        ours=ours,
        components=components,
        installed=installed,
        unpacked=unpacked,
        largest=largest,
        functions=functions,
        compiled=compiled,
    )


def _leave_out(site: Path, sources: list[Path], say: Callable[[str], None]) -> None:
    removed = prune(site)
    say("Running the app once, to see what it imports …")
    imported = asyncio.run(imported_modules())
    check_nothing_needed_is_gone(removed, imported | set(imports_in(sources)))


def _bill(root: Path, digest: str, components: list[Component]) -> str:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = pins((root / LISTED).read_text(encoding="utf-8"))
    return bill_of_materials(project["version"], digest, direct, components)


def _write(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


def _size(folder: Path) -> Size:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return Size(files=len(files), bytes=sum(file.stat().st_size for file in files))


def _largest(site: Path) -> list[tuple[str, int]]:
    sizes: Counter[str] = Counter()
    for file in site.rglob("*"):
        if file.is_file():
            sizes[file.relative_to(site).parts[0]] += file.stat().st_size
    return sizes.most_common()
