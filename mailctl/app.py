"""The tree of commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailctl import dead, deliveries, doctor, preview, sources, subscriptions

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def mailctl(
    ctx: typer.Context,
    *,
    settings: Annotated[
        Path | None,
        typer.Option(help="App settings, as local.settings.json; else that file and environment."),
    ] = None,
) -> None:
    """Looks after the mail connector: subscriptions, previews, deliveries, dead letters, health.

    Exit codes: 0 fine; 1 something is wrong; 2 wrong usage, or no such thing; 3 the storage or the
    settings cannot be used.
    """
    ctx.obj = settings


app.add_typer(subscriptions.app, name="subscriptions")
app.command("preview")(preview.preview)
app.command("sources")(sources.sources)
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(dead.app, name="dead")
app.command("doctor")(doctor.doctor)
