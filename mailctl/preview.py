"""`mailctl preview`: what a subscription would do with the mail that is there now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from mailctl.output import Json, print_fields, print_json, print_table
from mailctl.rows_file import read_rows
from mailctl.session import Session, run
from shared.domain.columns import Row
from shared.domain.errors import ConnectorError, MailboxUnavailable
from shared.domain.subscription import InvalidSubscription, Subscription
from shared.workflows import preview as workflow
from shared.workflows.apply import NotThere, check, name_of, named, table_rows
from shared.workflows.deliveries import key_text
from shared.workflows.preview import Evaluated, Preview, PreviewedMail

PATIENCE = timedelta(minutes=3)
VALUE_CHARACTERS = 120


def preview(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="PartitionKey/RowKey")],
    *,
    file: Annotated[Path | None, typer.Option(help="YAML with the row, not yet applied.")] = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Mails to look at.")] = 10,
    variables: Annotated[
        bool, typer.Option("--variables", help="Prints variables whole, bodies included.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Shows which mail a subscription matches now, and what would become of it. Touches nothing.

    Subjects and addresses are shown, for the operator's own eyes.
    """

    async def work(session: Session) -> Preview:
        subscription = await _subscription(session, name, file)
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                return await workflow.preview(subscription, session.ports, top)
        except TimeoutError as error:
            what = f"{name}: not answered within {PATIENCE}; look at fewer mails with --top"
            raise MailboxUnavailable(subscription.polling.mailbox, what) from error

    found = run(ctx, work)
    if as_json:
        print_json(_as_json(found, whole=variables))
    else:
        _print(found, whole=variables)


async def _subscription(session: Session, name: str, file: Path | None) -> Subscription:
    """The row of the file or the table; it need not be enabled.

    Raises:
        NotThere: there is none.
        ConnectorError: it is invalid; names every problem.
    """
    rows: dict[str, Row] = await table_rows(session.ports.subscriptions)
    if file is not None:
        given = {name_of(row): row for row in read_rows(file)}
        if name not in given:
            raise NotThere(f"{file} has no row {name!r}; it has {', '.join(given) or 'none'}.")
        rows |= given
    named(rows, name)
    read = check(rows, session.settings.plain_http_hosts).subscriptions[name]
    if isinstance(read, InvalidSubscription):
        raise ConnectorError(f"{name} is invalid: {' '.join(read.problems)}")
    return read


def _as_json(found: Preview, *, whole: bool) -> dict[str, Any]:
    polling = found.subscription.polling
    return {
        "subscription": found.subscription.name,
        "enabled": found.subscription.enabled,
        "mailbox": polling.mailbox,
        "folder": str(polling.folder),
        "filter": found.condition,
        "target": {"host": found.host, "call": found.call},
        "warnings": list(found.subscription.warnings),
        "more": found.more,
        "mails": [_mail(one, whole=whole) for one in found.mails],
    }


def _mail(mail: PreviewedMail, *, whole: bool) -> dict[str, Any]:
    return {
        "id": mail.mail_id,
        "key": key_text(mail.key),
        "receivedAt": mail.received_at,
        "from": mail.sender,
        "subject": mail.subject,
        "automatic": mail.automatic,
        "archived": mail.archived,
        "known": mail.known.state if mail.known else None,
        "expressions": [
            {
                "column": one.column,
                "value": one.value if whole else _shortened(one.value),
                "warnings": list(one.warnings),
                "error": one.error,
            }
            for one in mail.expressions
        ],
        "outcome": _outcome(mail),
        "reason": mail.failure or mail.why_not,
        "message": _message(mail, whole=whole),
        "afterwards": list(mail.afterwards),
    }


def _message(mail: PreviewedMail, *, whole: bool) -> dict[str, Any] | None:
    if mail.message is None:
        return None
    message: dict[str, Any] = {
        "messageId": mail.message.message_id,
        "messageName": mail.message.message_name,
        "correlationKey": mail.message.correlation_key,
        "timeToLive": int(mail.message.time_to_live.total_seconds() * 1000),
        "sizes": mail.sizes,
    }
    return {**message, "variables": mail.message.variables} if whole else message


def _outcome(mail: PreviewedMail) -> str:
    """What would become of the mail: for one that the ledger knows, what would if it did not."""
    if mail.failure:
        return "dead"
    return "unmatched" if mail.why_not else "delivered"


def _print(found: Preview, *, whole: bool) -> None:
    polling = found.subscription.polling
    print_fields(
        {
            "subscription": found.subscription.name,
            "mailbox": f"{polling.mailbox}, folder {polling.folder}",
            "filter": found.condition or "all mail",
            "target": f"{found.call} to {found.host}",
            "warnings": found.subscription.warnings,
        }
    )
    rows = [
        (
            number,
            mail.key.mail[-8:],
            mail.received_at,
            mail.sender,
            mail.subject,
            mail.known.state if mail.known else "new",
            _outcome(mail),
        )
        for number, mail in enumerate(found.mails, 1)
    ]
    typer.echo()
    columns = ("#", "id", "received", "from", "subject", "ledger", "outcome")
    print_table(columns, rows, "No mail matches now.")
    for number, mail in enumerate(found.mails, 1):
        typer.echo(f"\n#{number}")
        print_fields(_details(mail, whole=whole))
    if found.more:
        typer.echo("\nMore mail matches; --top looks at more.")


def _details(mail: PreviewedMail, *, whole: bool) -> Mapping[str, object]:
    message = _message(mail, whole=False) or {}
    sizes = message.pop("sizes", {})
    return {
        "key": key_text(mail.key),
        "flags": [name for name in ("automatic", "archived") if getattr(mail, name)],
        **{one.column: _expression(one, whole=whole) for one in mail.expressions},
        "reason": mail.failure or mail.why_not,
        **message,
        "variables": [f"{name}: {size} bytes" for name, size in sizes.items()],
        "in the mailbox": list(mail.afterwards) or "nothing",
        "whole": json.dumps(mail.message.variables, indent=2, ensure_ascii=False)
        if whole and mail.message
        else None,
    }


def _expression(one: Evaluated, *, whole: bool) -> str:
    if one.error:
        return f"error: {one.error}"
    value = json.dumps(one.value, ensure_ascii=False)
    return "\n".join((value if whole else _cut(value), *one.warnings))


def _shortened(value: Any) -> Any:
    """A value as it is where it is short, else the beginning of its JSON."""
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= VALUE_CHARACTERS else _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_CHARACTERS else f"{text[:VALUE_CHARACTERS]}…"
