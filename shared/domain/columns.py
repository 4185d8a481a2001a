"""The columns of the table `subscriptions`, and how a row of them becomes a subscription."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from shared.domain import values
from shared.domain.odata import SimpleFilter, checked_filter
from shared.domain.rivals import takes_away
from shared.domain.schedule import Cron, Interval
from shared.domain.subscription import (
    Credential,
    Folder,
    InvalidSubscription,
    Operation,
    Polling,
    PostProcess,
    ReadSubscription,
    Subscription,
    TargetAuth,
    WebhookTarget,
)

Row = Mapping[str, Any]
Reader = Callable[[object], Any]

_DEDUPLICATION_ID = re.compile(r"^[a-zA-Z0-9_-]{1,100}$")
_TENANT = re.compile(r"^[A-Za-z0-9.-]+$")
_MAILBOX = re.compile(r"^(?!\.+$)[^\s/\\?#%]+$")
_VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_SYSTEM = {"PartitionKey", "RowKey", "Timestamp", "etag", "odata.etag"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how its text is read, what it is when absent, what it means.

    Args:
        hidden: its value is never repeated in an error, for it might be a secret.
    """

    read: Reader
    default: Any
    meaning: str
    hidden: bool = False


def _operations(value: object) -> tuple[Operation, ...]:
    read = values.one_of([operation.value for operation in Operation])
    chosen = {Operation(read(word)) for word in values.words(value)}
    if not chosen:
        raise ValueError(f"one or more of {', '.join(Operation)}, parted by commas")
    return tuple(operation for operation in Operation if operation in chosen)


def _folder(value: object) -> Folder:
    parts = [part.strip() for part in values.text(value).split("/")]
    if not all(parts):
        raise ValueError(
            "a well-known name such as inbox, or a path such as Inquiries/Tech-Support"
        )
    return Folder(path="/".join(parts))


def _on_dead(value: object) -> Folder | None:
    word = values.text(value)
    if word.lower() == "leave":
        return None
    kind, _, path = word.partition(":")
    if kind.strip().lower() != "move" or not path.strip():
        raise ValueError("leave, or move:PATH such as move:Inbox/Failed")
    return _folder(path)


def _target_auth(value: object) -> TargetAuth:
    allowed = (
        "a reference {{secrets.NAME}} to the signing secret, or a JSON object of references with"
        " signing and one of bearer, basic"
    )
    word = str(value).strip()
    if not word.startswith("{") or word.startswith("{{"):
        try:
            return TargetAuth(signing=values.secret_reference(word))
        except ValueError:
            raise ValueError(allowed) from None
    try:
        fields = json.loads(word)
        auth = TargetAuth(**{name: values.secret_reference(ref) for name, ref in fields.items()})
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError(allowed) from None
    if auth.bearer and auth.basic:
        raise ValueError("bearer or basic, not both")
    return auth


def _matching(pattern: re.Pattern[str], allowed: str) -> Reader:
    def read(value: object) -> str:
        word = values.text(value)
        if pattern.match(word) is None:
            raise ValueError(allowed)
        return word

    return read


def _not_yet(what: str) -> Reader:
    def refuse(_: object) -> None:
        raise ValueError(f"nothing: {what} is not part of this version; leave the column out")

    return refuse


def _only(word: str, otherwise: str) -> Reader:
    def read(value: object) -> str:
        if str(value).strip() != word:
            raise ValueError(f"{word}; {otherwise} is not part of this version")
        return word

    return read


_INTERVAL = values.duration(least=timedelta(seconds=10), most=timedelta(days=30))
_FEEL = _not_yet("the expression language FEEL")
_ARCHIVE = _not_yet("archive mode")

COLUMNS: Mapping[str, Column] = {
    "enabled": Column(values.boolean, default=True, meaning="whether it is active"),
    "tenantId": Column(
        _matching(_TENANT, "the id of a tenant, or one of its domains"), "", "tenant of the mailbox"
    ),
    "clientId": Column(_matching(_TENANT, "the id of an app"), "", "app registration"),
    "clientSecret": Column(values.secret_reference, "", "its client secret", hidden=True),
    "clientCertificate": Column(values.secret_reference, "", "its certificate", hidden=True),
    "userId": Column(
        _matching(_MAILBOX, "the address or id of a mailbox"), None, "address or id of the mailbox"
    ),
    "folder": Column(_folder, None, "well-known name, or path of display names"),
    "folderId": Column(values.text, None, "id of the folder, instead of folder"),
    "pollingInterval": Column(_INTERVAL, None, "ISO 8601 duration between polls"),
    "schedule": Column(lambda value: Cron(values.text(value)), None, "cron, instead of interval"),
    "onlyUnread": Column(values.boolean, None, "simple filter: unread mail only"),
    "subjectContains": Column(str, None, "simple filter: text in the subject"),
    "fromAddress": Column(str, None, "simple filter: address of the sender"),
    "filter": Column(
        lambda value: checked_filter(values.text(value)), None, "OData, instead of the simple one"
    ),
    "bodyFormat": Column(values.one_of(["text", "html"]), "text", "how bodies are wanted"),
    "postProcess": Column(_operations, (), "mailbox operations after acceptance"),
    "moveTo": Column(_folder, None, "folder that move moves to"),
    "createFolder": Column(values.boolean, default=False, meaning="make moveTo if missing"),
    "categories": Column(values.words, (), "categories that categorize adds"),
    "target": Column(_only("webhook", "another target"), None, "what accepts the mail"),
    # addresses of webhooks often hold a token
    "targetUrl": Column(values.url, None, "where the target is", hidden=True),
    "targetAuth": Column(_target_auth, TargetAuth(), "secrets for the target", hidden=True),
    "messageName": Column(values.text, "", "name of the message"),
    "messageIdExpression": Column(_only("id", "FEEL"), "id", "identity of the message"),
    "messageTtl": Column(values.duration(), timedelta(hours=1), "how long the message is kept"),
    "resultVariable": Column(
        _matching(_VARIABLE, "a name of letters, digits and _"), "email", "variable of the mail"
    ),
    "retry": Column(
        values.duration(most=timedelta(days=365)), timedelta(hours=24), "how long to try a target"
    ),
    "onDead": Column(_on_dead, None, "leave, or move:PATH"),
    "deduplicationId": Column(
        _matching(_DEDUPLICATION_ID, "up to 100 letters, digits, _ and -"), "", "manual grouping"
    ),
    "activationCondition": Column(_FEEL, None, "FEEL: which mail activates"),
    "consumeUnmatchedEvents": Column(_FEEL, None, "post-process what did not activate"),
    "correlationKeyExpression": Column(_FEEL, None, "FEEL: correlation key"),
    "resultExpression": Column(_FEEL, None, "FEEL: variables"),
    "labels": Column(_not_yet("labels"), None, "JSON object added to the variables"),
    "archiveBefore": Column(_ARCHIVE, None, "archive mode's cut-off"),
    "archiveVariables": Column(_ARCHIVE, None, "archive mode's variables"),
}


def read_row(row: Row, plain_http_hosts: Collection[str] = ()) -> ReadSubscription:
    """A table row as a subscription, or everything that is wrong with it at once.

    Args:
        row: the entity, with `PartitionKey` and `RowKey`. Empty values count as absent.
        plain_http_hosts: hosts that may be called without TLS.
    """
    name = f"{row['PartitionKey']}/{row['RowKey']}"
    problems: list[str] = []
    fields = {column: spec.default for column, spec in COLUMNS.items()}
    for column, value in row.items():
        if column in _SYSTEM or value is None or value == "":
            continue
        spec = COLUMNS.get(column)
        if spec is None:
            problems.append(_unknown(column))
            continue
        try:
            fields[column] = spec.read(value)
        except ValueError as error:
            shown = "a value that is not shown" if spec.hidden else repr(value)[:200]
            problems.append(f"column {column}: {shown}; allowed: {error}.")
    given = {c for c, v in row.items() if c in COLUMNS and v is not None and v != ""}
    problems += _contradictions(fields, given, plain_http_hosts)
    if problems:
        return InvalidSubscription(name, tuple(problems))
    return _subscription(name, fields)


def _unknown(column: str) -> str:
    near = [known for known in COLUMNS if known.lower() == column.lower()]
    hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(COLUMNS)}."
    return f"column {column}: there is no such column; {hint}"


def _contradictions(
    fields: Mapping[str, Any], given: Collection[str], plain_http_hosts: Collection[str]
) -> list[str]:
    """What is wrong with columns taken together."""
    found = [
        f"column {required}: missing; {COLUMNS[required].meaning} is required."
        for required in ("userId", "postProcess", "target", "targetUrl")
        if required not in given
    ]
    found += [
        f"columns {one} and {other}: only one of them may be set."
        for one, other in (
            ("folder", "folderId"),
            ("pollingInterval", "schedule"),
            ("filter", "onlyUnread"),
            ("filter", "subjectContains"),
            ("filter", "fromAddress"),
            ("clientSecret", "clientCertificate"),
        )
        if one in given and other in given
    ]
    found += [
        f"column {one}: needs column {other}."
        for one, other in (("clientSecret", "clientId"), ("clientCertificate", "clientId"))
        if one in given and other not in given
    ]
    if fields["postProcess"]:
        found += _contradicting_operations(set(fields["postProcess"]), given)
    address = fields["targetUrl"]
    if address and urlsplit(address).scheme == "http":
        host = urlsplit(address).hostname
        if host not in plain_http_hosts:
            found.append(
                f"column targetUrl: plain http to {host}; allowed: https, or a host that the app"
                " setting PLAIN_HTTP_HOSTS names."
            )
    return found


def _contradicting_operations(chosen: set[Operation], given: Collection[str]) -> list[str]:
    found = []
    ending = chosen & {Operation.MOVE, Operation.DELETE, Operation.FORCE_DELETE}
    if len(ending) > 1:
        found.append(
            f"column postProcess: {', '.join(sorted(ending))} contradict each other; allowed: one."
        )
    if Operation.FORCE_DELETE in chosen and len(chosen - ending) > 0:
        found.append("column postProcess: forceDelete leaves nothing that could be marked.")
    for operation, column in ((Operation.MOVE, "moveTo"), (Operation.CATEGORIZE, "categories")):
        if operation in chosen and column not in given:
            found.append(f"column {column}: missing; postProcess {operation} needs it.")
        if operation not in chosen and column in given:
            found.append(f"column {column}: needs {operation} in postProcess.")
    if "createFolder" in given and Operation.MOVE not in chosen:
        found.append("column createFolder: needs move in postProcess.")
    return found


def _subscription(name: str, fields: Mapping[str, Any]) -> Subscription:
    criteria: SimpleFilter | str = fields["filter"] or SimpleFilter(
        only_unread=fields["onlyUnread"] is not False,
        subject_contains=fields["subjectContains"] or "",
        from_address=fields["fromAddress"] or "",
    )
    polling = Polling(
        credential=Credential(
            tenant_id=fields["tenantId"],
            client_id=fields["clientId"],
            secret=fields["clientSecret"],
            certificate=fields["clientCertificate"],
        ),
        mailbox=fields["userId"],
        folder=Folder(id=fields["folderId"])
        if fields["folderId"]
        else fields["folder"] or Folder(path="inbox"),
        criteria=criteria,
        post_process=PostProcess(
            operations=fields["postProcess"],
            move_to=fields["moveTo"],
            create_folder=fields["createFolder"],
            categories=fields["categories"],
        ),
        on_dead=fields["onDead"],
        schedule=fields["schedule"] or Interval(fields["pollingInterval"] or timedelta(seconds=30)),
        body_format=fields["bodyFormat"],
    )
    return Subscription(
        name=name,
        enabled=fields["enabled"],
        polling=polling,
        target=WebhookTarget(fields["targetUrl"], fields["targetAuth"]),
        message_name=fields["messageName"],
        message_ttl=fields["messageTtl"],
        result_variable=fields["resultVariable"],
        retry=fields["retry"],
        deduplication_id=fields["deduplicationId"],
        warnings=_warnings(polling),
    )


def _warnings(polling: Polling) -> tuple[str, ...]:
    """What is allowed but probably not meant: mail that stays in what is listed."""
    if takes_away(polling):
        return ()
    return (
        (
            "mail that was handled stays among the mail that is listed: each is delivered once, for"
            " the ledger remembers it, but every sweep lists it again. Choose onlyUnread with"
            " markAsRead, or move or delete."
        ),
    )
