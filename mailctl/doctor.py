"""`mailctl doctor`: looks at everything, and says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import typer

from mailctl.output import ExitCode, Json, print_json, print_table, progress
from mailctl.session import Session, read_settings, run
from shared.domain.errors import SettingsError
from shared.workflows.doctor import Doctor, Finding

_VAULT = "@Microsoft.KeyVault("


def doctor(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Checks settings, storage, rows, secrets, tokens, mailboxes, targets, queues and polls.

    It reads only: no mail is touched, and nothing is handed to a target.
    """
    try:
        read_settings(ctx)
    except SettingsError as error:
        advice = "see docs/settings.md."
        _print(
            [Finding("settings", "app settings", one, advice) for one in error.problems], as_json
        )
        raise typer.Exit(ExitCode.UNUSABLE) from error

    async def work(session: Session) -> list[Finding]:
        with progress() as bar:
            task = bar.add_task("")

            def tell(area: str, done: int, total: int) -> None:
                bar.update(task, description=area, completed=done, total=total)

            return await Doctor(
                ports=session.ports,
                watch=session.watch,
                plain_http_hosts=session.settings.plain_http_hosts,
                why_no_secret=lambda name: why_no_secret(name, session.settings.secrets),
                signs_by_default=bool(session.settings.webhook_signing_secret),
                mailbox_access=session.settings.mailbox_access,
                progress=tell,
            ).examine()

    found = run(ctx, work)
    _print(found, as_json)
    if found:
        raise typer.Exit(ExitCode.FOUND)


def why_no_secret(name: str, secrets: Mapping[str, str]) -> str:
    """Why a secret cannot be used with these settings; empty where it can."""
    value = next(
        (
            v
            for spelled in (name, name.replace("-", "_"))
            if (v := secrets.get(spelled, "").strip())
        ),
        "",
    )
    if not value:
        return "it is not set among the settings that this command was given"
    if value.startswith(_VAULT):
        return "it is a Key Vault reference, which only the platform can follow: not checked"
    return ""


def _print(found: list[Finding], as_json: bool) -> None:  # noqa: FBT001 - the option
    if as_json:
        print_json([asdict(one) for one in found])
        return
    columns = ("area", "subject", "problem", "advice")
    rows = [(one.area, one.subject, one.problem, one.advice) for one in found]
    print_table(columns, rows, "All is well.")
