"""`python3 dev.py package`: builds what is deployed, as zip and folder, and shows what is in it."""

from __future__ import annotations

import argparse
import os
import sys
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

from localdev.azurite import AzuriteError
from localdev.package import target
from localdev.package.build import ROOT, Options, OutOfDate, Package, build
from localdev.package.clean_run import NotComplete
from localdev.package.install import InstallFailed
from localdev.package.licences import LicenceNotAllowed
from localdev.package.pruning import StillNeeded
from localdev.package.real_run import RunFailed
from localdev.package.target import PYTHON, BadPlatform, Target

LARGEST = 10
WIDTH = 100
_FAILURES = (
    *(OutOfDate, InstallFailed, LicenceNotAllowed),
    *(RunFailed, StillNeeded, NotComplete, AzuriteError),
)


def main() -> int:
    """Builds a package; 1 where it would not do."""
    options = _arguments()
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    try:
        package = build(options, lambda what: console.print(f"[dim]{what}"))
    except _FAILURES as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    _show(package, console)
    return 0


def _arguments() -> Options:
    parser = argparse.ArgumentParser(prog="python3 dev.py package", description=__doc__)
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / ".local" / "package",
        metavar="DIR",
        help="where to; default: .local/package",
    )
    parser.add_argument(
        "--platform", type=_target, default=target.DEFAULT, help="default: %(default)s"
    )
    parser.add_argument("--whole", action="store_true", help="leave nothing of the libraries out")
    parser.add_argument("--no-bytecode", action="store_true", help="sources alone, not compiled")
    given = parser.parse_args()
    return Options(
        output=given.output,
        target=given.platform,
        whole=given.whole,
        bytecode=not given.no_bytecode,
    )


def _target(tag: str) -> Target:
    try:
        return Target.of(tag)
    except BadPlatform as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _show(package: Package, console: Console) -> None:
    console.print("\nOurs:")
    for folder, files in groupby(package.ours, key=lambda file: file.parent):
        names = " ".join(file.name for file in files)
        console.print(f"  [bold]{folder.as_posix()}/[/] {names}", highlight=False)
    console.print(_libraries(package))
    zipped = package.zip.stat().st_size
    console.print(
        f"Zip         {_mb(zipped)}",
        f"Unpacked    {_mb(package.unpacked.bytes)} in {package.unpacked.files:,} files",
        f"pip's work  {_mb(package.installed.bytes)} in {package.installed.files:,} files,"
        " before anything was left out or compiled",
        f"SHA-256     {package.sha256}",
        sep="\n",
        highlight=False,
    )
    if not package.compiled:
        version = ".".join(map(str, PYTHON))
        console.print(f"[yellow]It holds no bytecode[/], which only Python {version} makes for it.")
    if package.functions is None:
        console.print("It was not run: it is not for this machine, or not for this Python.")
    else:
        console.print(f"It runs by itself, with the functions {', '.join(package.functions)}.")
    for file in (package.zip, package.app, package.bill, package.notices):
        console.print(os.path.relpath(file), soft_wrap=True, highlight=False)


def _libraries(package: Package) -> Table:
    table = Table(title=f"\n{len(package.components)} libraries; the largest", title_justify="left")
    table.add_column("in site-packages")
    table.add_column("unpacked", justify="right")
    for name, size in package.largest[:LARGEST]:
        table.add_row(name, _mb(size))
    return table


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
