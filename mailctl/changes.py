"""Prints what applying rows would do or has done."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent

import typer

from mailctl.masking import masked
from mailctl.output import print_json, shown
from shared.workflows.apply import Change, Plan, RowChange


def print_changes(
    plan: Plan, changes: Sequence[RowChange], *, dry_run: bool, as_json: bool
) -> None:
    """Prints what became of each row, or why nothing was done.

    Args:
        plan: what was found.
        changes: what was done; with ``dry_run`` what would be.
        dry_run: differences are shown by column.
        as_json: see the option.
    """
    if as_json:
        print_json(
            {
                "written": not dry_run and not plan.invalid,
                "rows": [_as_json(one) for one in changes],
                "invalid": [
                    {"name": one.name, "problems": list(one.problems)} for one in plan.invalid
                ],
                "warnings": [
                    {"name": name, "warnings": list(found)} for name, found in plan.warnings.items()
                ],
            }
        )
        return
    print_invalid(plan)
    if plan.invalid:
        typer.echo("Nothing was written.")
        if not dry_run:
            return
    for one in changes:
        typer.echo(f"{'would be ' if dry_run else ''}{one.change} {one.name}{_why(one)}")
        if dry_run and one.change is not Change.UNCHANGED:
            _print_differences(one)


def print_invalid(plan: Plan) -> None:
    """Prints the problems and warnings of rows."""
    for one in plan.invalid:
        typer.echo(f"invalid {one.name}")
        for problem in one.problems:
            typer.echo(f"    {problem}")
    for name, warnings in plan.warnings.items():
        for warning in warnings:
            typer.echo(f"warning {name}: {warning}")


def _print_differences(change: RowChange) -> None:
    for column, (old, new) in change.differences.items():
        if old is not None:
            typer.echo(indent(f"- {column}: {shown(masked(column, old))}", "    "))
        if new is not None:
            typer.echo(indent(f"+ {column}: {shown(masked(column, new))}", "    "))


def _as_json(change: RowChange) -> dict[str, object]:
    return {
        "name": change.name,
        "change": change.change,
        "reason": change.reason,
        "differences": {
            column: {"old": masked(column, old), "new": masked(column, new)}
            for column, (old, new) in change.differences.items()
        },
    }


def _why(change: RowChange) -> str:
    return f": {change.reason}" if change.reason else ""
