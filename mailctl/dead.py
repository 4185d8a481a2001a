"""`mailctl dead`: dead letters, to be looked at, replayed or discarded."""

from __future__ import annotations

from typing import Annotated

import typer

from mailctl.deliveries import Subscription, as_dict, print_deliveries
from mailctl.ending import Keys, chosen, finish, settling
from mailctl.output import ExitCode, Json, Yes, print_fields, print_json
from mailctl.session import Session, run
from shared.domain.delivery import Delivery, State
from shared.workflows.dead_letters import Settled, discard, replay
from shared.workflows.deliveries import Selection, by_key, newest

app = typer.Typer(
    no_args_is_help=True, help="Dead letters: mail that will not be tried again by itself."
)

All = Annotated[bool, typer.Option("--all", help="All dead letters.")]
MOST = 1_000_000


@app.command("list")
def list_all(
    ctx: typer.Context,
    *,
    subscription: Subscription = "",
    check: Annotated[bool, typer.Option("--check", help="Ends with 1 if there are any.")] = False,
    as_json: Json = False,
) -> None:
    """Lists all dead letters with their reasons, the newest mail first."""

    async def work(session: Session) -> list[Delivery]:
        selection = Selection(states=[State.DEAD], subscription=subscription)
        return await newest(session.ports.ledger, selection, MOST)

    found = run(ctx, work)
    if as_json:
        print_json([as_dict(one) for one in found])
    else:
        print_deliveries(found, "There are no dead letters.")
    if found and check:
        raise typer.Exit(ExitCode.FOUND)


@app.command("show")
def show(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(help="SOURCE/MAIL")],
    *,
    as_json: Json = False,
) -> None:
    """Shows all that the ledger has of a delivery; it may be one in another state as well."""

    async def work(session: Session) -> Delivery:
        return await by_key(session.ports.ledger, key)

    found = as_dict(run(ctx, work))
    if as_json:
        print_json(found)
    else:
        print_fields(found)


@app.command("replay")
def replay_some(
    ctx: typer.Context,
    keys: Keys = None,
    *,
    subscription: Subscription = "",
    everything: All = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Has dead letters tried again. Targets that have accepted them already are not asked again."""

    async def work(session: Session) -> list[Settled]:
        selection = Selection(states=[State.DEAD], subscription=subscription)
        found = await chosen(session, keys, selection, everything=everything)
        with settling("Replay", found, yes=yes) as progress:
            return await replay(found, [State.DEAD], session.ports, progress)

    finish(run(ctx, work), "replayed", keys, as_json=as_json)


@app.command("discard")
def discard_some(
    ctx: typer.Context,
    keys: Keys = None,
    *,
    subscription: Subscription = "",
    everything: All = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Ends dead letters for good: nobody is to act on them any more. Their mail stays."""

    async def work(session: Session) -> list[Settled]:
        selection = Selection(states=[State.DEAD], subscription=subscription)
        found = await chosen(session, keys, selection, everything=everything)
        with settling("Discard", found, yes=yes) as progress:
            return await discard(found, session.ports, progress)

    finish(run(ctx, work), "discarded", keys, as_json=as_json)
