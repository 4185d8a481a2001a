"""`mailctl subscriptions`: the rows of the table, as files and one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mailctl.changes import print_changes, print_invalid
from mailctl.masking import masked
from mailctl.output import (
    ExitCode,
    Json,
    Yes,
    complain,
    confirmed,
    print_fields,
    print_json,
    print_table,
    several,
)
from mailctl.rows_file import read_rows, text_of
from mailctl.session import Session, run
from shared.domain.columns import Row
from shared.domain.source import SourceState, source_id
from shared.domain.subscription import InvalidSubscription, Subscription
from shared.ports import SubscriptionStatus
from shared.workflows.apply import (
    Change,
    NotThere,
    Plan,
    RowChange,
    carry_out,
    check,
    columns_of,
    name_of,
    named,
    plan,
    table_rows,
)
from shared.workflows.deliveries import Selection, count, sources_of, waiting

app = typer.Typer(no_args_is_help=True, help="Subscriptions: what is polled, and for whom.")

Name = Annotated[str, typer.Argument(help="PartitionKey/RowKey")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="YAML of one or many rows")]


@app.command("list")
def list_all(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Lists all subscriptions with their state, as the app reported it."""

    async def work(session: Session) -> list[dict[str, Any]]:
        rows = await table_rows(session.ports.subscriptions)
        statuses = await session.ports.subscriptions.statuses()
        return [_entry(row, statuses.get(name)) for name, row in sorted(rows.items())]

    found = run(ctx, work)
    if as_json:
        print_json(found)
        return
    columns = ("name", "state", "mailbox", "folder", "target", "problems", "warnings")
    rows = [[one[column] for column in columns] for one in found]
    print_table(columns, rows, "There are no subscriptions.")


@app.command("show")
def show(ctx: typer.Context, name: Name, *, as_json: Json = False) -> None:
    """Shows one: its columns, what the app says of it, its source, and its deliveries by state."""

    async def work(session: Session) -> dict[str, Any]:
        ports = session.ports
        rows = await table_rows(ports.subscriptions)
        row = named(rows, name)
        status = (await ports.subscriptions.statuses()).get(name)
        read = check(rows, session.settings.plain_http_hosts).subscriptions[name]
        current = source_id(read) if isinstance(read, Subscription) else ""
        sources = await sources_of(name, current, ports)
        state = await ports.sources.read(sources[0]) if sources else None
        counts: dict[str, int] = {}
        for source in sources:
            selection = Selection(subscription=name, source=source)
            for one, number in (await count(ports.ledger, selection)).items():
                counts[one.value] = counts.get(one.value, 0) + number
        return {
            **_entry(row, status),
            "columns": {column: masked(column, value) for column, value in columns_of(row).items()},
            "problems": list(read.problems if isinstance(read, InvalidSubscription) else ()),
            "warnings": list(read.warnings if isinstance(read, Subscription) else ()),
            "source": _source(state),
            "deliveries": counts,
        }

    found = run(ctx, work)
    if as_json:
        print_json(found)
        return
    source = found["source"] or {}
    print_fields(
        {
            "name": found["name"],
            "state": found["state"],
            **found["columns"],
            "problems": found["problems"],
            "warnings": found["warnings"],
            **{f"source: {name}": value for name, value in source.items()},
            "deliveries": found["deliveries"],
        }
    )


@app.command("validate")
def validate(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="YAML; without it the table is read")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Checks the rows of a file together with the table, or the table alone. Writes nothing."""

    async def work(session: Session) -> Plan:
        there = await table_rows(session.ports.subscriptions)
        wanted = read_rows(file) if file is not None else list(there.values())
        return plan(wanted, there, session.settings.plain_http_hosts)

    found = run(ctx, work)
    if as_json:
        problems = {one.name: list(one.problems) for one in found.invalid}
        print_json(
            [
                {
                    "name": one.name,
                    "valid": one.name not in problems,
                    "problems": problems.get(one.name, []),
                    "warnings": list(found.warnings.get(one.name, ())),
                }
                for one in found.changes
            ]
        )
    else:
        print_invalid(found)
        valid = len(found.changes) - len(found.invalid)
        typer.echo(f"{valid} valid, {len(found.invalid)} invalid.")
    if found.invalid:
        raise typer.Exit(ExitCode.FOUND)


@app.command("apply")
def apply(
    ctx: typer.Context,
    file: File,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Shows the differences; writes nothing.")
    ] = False,
    prune: Annotated[
        str, typer.Option(metavar="LABEL", help="Removes rows of this PartitionKey not in FILE.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Writes the rows of a file. If one of them is invalid, none is written."""

    async def work(session: Session) -> tuple[Plan, tuple[RowChange, ...]]:
        table = session.ports.subscriptions
        wanted = read_rows(file)
        if prune and not any(row["PartitionKey"] == prune for row in wanted):
            # else one slip of the pen removes everything
            raise NotThere(f"{file} has no row of PartitionKey {prune!r}; nothing was done.")
        found = plan(wanted, await table_rows(table), session.settings.plain_http_hosts, prune)
        if found.invalid or dry_run:
            return found, found.changes
        return found, tuple(await carry_out(found.changes, table))

    _finish(*run(ctx, work), dry_run=dry_run, as_json=as_json)


@app.command("export")
def export(
    ctx: typer.Context,
    *,
    label: Annotated[str, typer.Option(help="Only rows of this PartitionKey.")] = "",
    as_json: Json = False,
) -> None:
    """Prints the table as YAML that apply takes back; references to secrets stay references."""

    async def work(session: Session) -> list[Row]:
        rows = await table_rows(session.ports.subscriptions)
        return [row for _, row in sorted(rows.items()) if label in ("", row["PartitionKey"])]

    rows = run(ctx, work)
    if as_json:
        keys = ("PartitionKey", "RowKey")
        print_json([{**{key: row[key] for key in keys}, **columns_of(row)} for row in rows])
    else:
        typer.echo(text_of(rows), nl=False)


@app.command("enable")
def enable(ctx: typer.Context, name: Name, *, as_json: Json = False) -> None:
    """Switches a subscription on, if its row is valid."""
    _switch(ctx, name, enabled=True, as_json=as_json)


@app.command("disable")
def disable(ctx: typer.Context, name: Name, *, as_json: Json = False) -> None:
    """Switches a subscription off. What was claimed waits, and is delivered later."""
    _switch(ctx, name, enabled=False, as_json=as_json)


@app.command("remove")
def remove(ctx: typer.Context, name: Name, *, yes: Yes = False, as_json: Json = False) -> None:
    """Removes a subscription; says how many deliveries wait for it."""

    async def work(session: Session) -> int:
        named(await table_rows(session.ports.subscriptions), name)
        waits = (await waiting(session.ports.ledger))[name]
        if waits:
            complain(f"{several(waits, 'mail')} waiting for it will end as dead letters in a day.")
        confirmed(f"Remove {name}?", yes=yes)
        await session.ports.subscriptions.remove(name)
        return waits

    waits = run(ctx, work)
    if as_json:
        print_json({"name": name, "change": Change.REMOVED, "waiting": waits})
    else:
        typer.echo(f"removed {name}")


def _switch(ctx: typer.Context, name: str, *, enabled: bool, as_json: bool) -> None:
    async def work(session: Session) -> tuple[Plan, tuple[RowChange, ...]]:
        table = session.ports.subscriptions
        there = await table_rows(table)
        row = named(there, name)
        on = str(row.get("enabled", True)).strip().lower() != "false"
        wanted = row if on is enabled else {**row, "enabled": enabled}
        found = plan([wanted], there, session.settings.plain_http_hosts)
        if not enabled:
            # what is wrong with a row must not keep anybody from switching it off
            found = Plan(found.changes, (), {})
        if found.invalid:
            return found, found.changes
        return found, tuple(await carry_out(found.changes, table))

    _finish(*run(ctx, work), dry_run=False, as_json=as_json)


def _finish(found: Plan, changes: tuple[RowChange, ...], *, dry_run: bool, as_json: bool) -> None:
    print_changes(found, changes, dry_run=dry_run, as_json=as_json)
    if found.invalid or any(one.change is Change.FAILED for one in changes):
        raise typer.Exit(ExitCode.FOUND)


def _entry(row: Row, status: SubscriptionStatus | None) -> dict[str, Any]:
    """One line of the list; the state is empty until the app has read the row."""
    return {
        "name": name_of(row),
        "state": status.state if status else "not read yet",
        "mailbox": row.get("userId", ""),
        "folder": row.get("folder") or row.get("folderId") or "inbox",
        "target": row.get("target", ""),
        "problems": len(status.problems) if status else 0,
        "warnings": len(status.warnings) if status else 0,
    }


def _source(state: SourceState | None) -> dict[str, Any] | None:
    if state is None or not state.version:
        return None
    return {
        "id": state.id,
        "polledAt": state.polled_at,
        "nextPollAt": state.next_poll_at,
        "watermark": state.watermark,
        "failures": state.failures,
        "error": state.error,
    }
