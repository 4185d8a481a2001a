"""What replaying and discarding have in common: which deliveries, the question, the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from mailctl.output import ExitCode, complain, confirmed, print_json, progress, several
from mailctl.session import Session
from shared.domain.delivery import Delivery
from shared.workflows.dead_letters import Settled
from shared.workflows.deliveries import Selection, by_key, key_text, select

Keys = Annotated[list[str] | None, typer.Argument(metavar="[KEY]...", help="SOURCE/MAIL")]


async def chosen(
    session: Session, keys: Sequence[str] | None, selection: Selection, *, everything: bool
) -> list[Delivery]:
    """The deliveries that are meant: those named, of one subscription, or all of the states.

    Raises:
        typer.Exit: not exactly one of the three was said.
        NotThere: one that is named does not exist.
    """
    if sum((bool(keys), bool(selection.subscription), everything)) != 1:
        complain("Say which: KEYs, --subscription NAME, or --all.")
        raise typer.Exit(ExitCode.USAGE)
    if keys:
        named = dict.fromkeys(keys)
        return [await by_key(session.ports.ledger, key) for key in named]
    return [one async for one in select(session.ports.ledger, selection)]


@contextmanager
def settling(
    verb: str, deliveries: Sequence[Delivery], *, yes: bool
) -> Iterator[Callable[[Settled], None]]:
    """Asks, then shows how far it has come; gives what is to be told of each.

    Raises:
        typer.Exit: the answer was no.
    """
    if deliveries:
        confirmed(f"{verb} {several(len(deliveries), 'mail')}?", yes=yes)
    with progress() as bar:
        task = bar.add_task(verb, total=len(deliveries))
        yield lambda _: bar.advance(task)


def finish(
    settled: Sequence[Settled], done: str, keys: Sequence[str] | None, *, as_json: bool
) -> None:
    """Prints what became of each.

    Raises:
        typer.Exit: one that was named was left alone.
    """
    skipped = [one for one in settled if one.skipped]
    if as_json:
        print_json(
            [
                {"key": key_text(one.delivery.key), done: not one.skipped, "skipped": one.skipped}
                for one in settled
            ]
        )
    else:
        for one in skipped:
            typer.echo(f"left alone {key_text(one.delivery.key)}: {one.skipped}")
        typer.echo(f"{len(settled) - len(skipped)} {done}, {len(skipped)} left alone.")
    if skipped and keys:
        raise typer.Exit(ExitCode.FOUND)
