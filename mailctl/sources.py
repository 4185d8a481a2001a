"""`mailctl sources`: what is polled, and how that goes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mailctl.output import Json, print_json, print_table
from mailctl.session import Session, run
from shared.domain.source import SourceState
from shared.workflows.apply import check, table_rows


def sources(
    ctx: typer.Context,
    *,
    failing: Annotated[
        bool, typer.Option("--failing", help="Only those whose last poll failed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Lists the sources with their last poll; those that feed nobody any more are left out."""

    async def work(session: Session) -> list[dict[str, Any]]:
        rows = await table_rows(session.ports.subscriptions)
        known = check(rows, session.settings.plain_http_hosts).sources
        states = await session.ports.sources.all()
        return [
            {
                **_entry(states.get(identity) or SourceState(id=identity)),
                "mailbox": source.polling.mailbox,
                "subscriptions": list(source.subscriptions),
            }
            for identity, source in sorted(known.items(), key=lambda one: one[1].subscriptions)
        ]

    found = [one for one in run(ctx, work) if one["failures"] or not failing]
    if as_json:
        print_json(found)
        return
    columns = ("subscriptions", "mailbox", "polled", "next", "watermark", "failures", "error", "id")
    names = {"polled": "polledAt", "next": "nextPollAt"}
    table = [[one[names.get(column, column)] for column in columns] for one in found]
    print_table(columns, table, "No source fails." if failing else "There are no sources.")


def _entry(state: SourceState) -> dict[str, Any]:
    return {
        "id": state.id,
        "polledAt": state.polled_at,
        "nextPollAt": state.next_poll_at,
        "watermark": state.watermark,
        "failures": state.failures,
        "error": state.error,
    }
