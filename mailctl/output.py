"""What a command prints: JSON or tables on the output, all else on the error stream."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from shared.domain.odata import BEGINNING

Json = Annotated[bool, typer.Option("--json", help="Machine-readable, with stable keys.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Does not ask.")]

WIDE = 160
"""Characters of a line where the output is no terminal, so that scripts find whole lines."""


class ExitCode(IntEnum):
    """How a command ends."""

    FINE = 0
    FOUND = 1
    USAGE = 2
    UNUSABLE = 3


WHOLE = frozenset({"key", "id", "name", "#"})
"""Columns that an operator copies from."""


def complain(text: str) -> None:
    """Says what went wrong."""
    typer.echo(text, err=True)


def print_json(value: Any) -> None:
    """Prints JSON, in ASCII, for a mail may hold what a terminal obeys; times as ISO 8601."""
    typer.echo(json.dumps(value, indent=2, default=_plain))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], nothing: str) -> None:
    """Prints a table, or a sentence where it has no rows."""
    if not rows:
        typer.echo(nothing)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in WHOLE)
    for row in rows:
        # as text: what stands in a mail is no markup and no control sequence
        table.add_row(*(Text(_printable(shown(cell))) for cell in row))
    _console().print(table)


def print_fields(fields: Mapping[str, object]) -> None:
    """Prints names and values, those without value left out; several values a line each."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in fields.items():
        if value not in (None, "", (), [], {}):
            table.add_row(name, Text(_printable(shown(value))))
    _console().print(table)


def shown(value: object) -> str:
    """A value for a person."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%SZ}" if value > BEGINNING else "never"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list)):
        return "\n".join(shown(one) for one in value)
    if isinstance(value, dict):
        return "\n".join(f"{name}: {shown(one)}" for name, one in value.items())
    return "" if value is None else str(value).strip()


def several(number: int, noun: str) -> str:
    """A number of things, in words."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def confirmed(question: str, *, yes: bool) -> None:
    """Asks, unless told not to.

    Raises:
        typer.Exit: the answer was no, or there was nobody to ask.
    """
    if yes:
        return
    # not by the library, which writes to the output
    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        complain("Nothing was done. Without a question: --yes")
        raise typer.Exit(ExitCode.USAGE)


@contextmanager
def progress() -> Iterator[Progress]:
    """Shows on the error stream how far work has come, if that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        yield bar


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDE)


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() or one == "\n" else "�" for one in text)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
