"""`mailctl deliveries`: the ledger, and deliveries that are to be done again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mailctl.ending import Keys, chosen, finish, settling
from mailctl.output import ExitCode, Json, Yes, complain, print_json, print_table
from mailctl.session import Session, run
from shared.domain.delivery import Delivery, State
from shared.workflows.dead_letters import REPLAYABLE, Settled, replay
from shared.workflows.deliveries import Selection, count, key_text, newest

app = typer.Typer(
    invoke_without_command=True, help="Deliveries: one for each mail that was taken in."
)

States = Annotated[list[State] | None, typer.Option("--state", help="Of this state; repeatable.")]
Subscription = Annotated[str, typer.Option(metavar="NAME", help="To this subscription.")]
SourceId = Annotated[str, typer.Option(metavar="ID", help="Of this source.")]

COLUMNS = ("key", "state", "received", "subscriptions", "mailbox", "attempts", "reason")


@app.callback()
def deliveries(
    ctx: typer.Context,
    *,
    state: States = None,
    subscription: Subscription = "",
    source: SourceId = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, newest mail first.")] = 50,
    counted: Annotated[bool, typer.Option("--count", help="Counts them by state instead.")] = False,
    as_json: Json = False,
) -> None:
    """Lists deliveries, the newest mail first. With --source only a part of the table is read."""
    if ctx.invoked_subcommand:
        if state or subscription or source or counted or as_json:
            # they would narrow nothing, and more would be done than was meant
            complain(f"Options of {ctx.invoked_subcommand} stand behind it.")
            raise typer.Exit(ExitCode.USAGE)
        return
    selection = Selection(states=state or (), subscription=subscription, source=source)
    if counted:
        _print_counts(ctx, selection, as_json=as_json)
        return

    async def work(session: Session) -> list[Delivery]:
        return await newest(session.ports.ledger, selection, limit)

    found = run(ctx, work)
    if as_json:
        print_json([as_dict(one) for one in found])
    else:
        print_deliveries(found, "There are no such deliveries.")


@app.command("replay")
def replay_some(
    ctx: typer.Context,
    keys: Keys = None,
    *,
    state: States = None,
    subscription: Subscription = "",
    everything: Annotated[bool, typer.Option("--all", help="All of these states.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Has deliveries that ended without being done evaluated and delivered again.

    For mail that was unmatched, once the condition is corrected.
    """
    states = set(state or ())
    if not states or states - REPLAYABLE:
        allowed = ", ".join(sorted(REPLAYABLE))
        complain(f"Say which with --state; one or more of: {allowed}.")
        raise typer.Exit(ExitCode.USAGE)

    async def work(session: Session) -> list[Settled]:
        selection = Selection(states=states, subscription=subscription)
        found = await chosen(session, keys, selection, everything=everything)
        with settling("Replay", found, yes=yes) as progress:
            return await replay(found, states, session.ports, progress)

    finish(run(ctx, work), "replayed", keys, as_json=as_json)


def print_deliveries(found: list[Delivery], nothing: str) -> None:
    """Prints deliveries as a table."""
    rows = [
        (
            key_text(one.key),
            one.state,
            one.received_at,
            one.subscriptions,
            one.mailbox,
            one.attempts,
            one.reason,
        )
        for one in found
    ]
    print_table(COLUMNS, rows, nothing)


def as_dict(delivery: Delivery) -> dict[str, Any]:
    """A delivery as JSON."""
    return {
        "key": key_text(delivery.key),
        "state": delivery.state,
        "mailbox": delivery.mailbox,
        "mailId": delivery.mail_id,
        "subscriptions": list(delivery.subscriptions),
        "acceptedBy": list(delivery.accepted_by),
        "attempts": delivery.attempts,
        "receivedAt": delivery.received_at,
        "claimedAt": delivery.claimed_at,
        "updatedAt": delivery.updated_at,
        "dueAt": delivery.due_at,
        "reason": delivery.reason,
    }


def _print_counts(ctx: typer.Context, selection: Selection, *, as_json: bool) -> None:
    async def work(session: Session) -> dict[State, int]:
        return await count(session.ports.ledger, selection)

    counts = run(ctx, work)
    if as_json:
        print_json({state.value: number for state, number in counts.items()})
    else:
        print_table(("state", "deliveries"), list(counts.items()), "")
