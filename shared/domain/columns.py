"""The columns of the table `subscriptions`, and how a row of them becomes a subscription."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.domain import values
from shared.domain.accounts import account_name
from shared.domain.column_readers import (
    Reader,
    folder,
    json_object,
    matching,
    moment,
    on_dead,
    operations,
)
from shared.domain.correlation import Archive, Correlation
from shared.domain.expressions import read_expression, unknown_names
from shared.domain.odata import SimpleFilter, checked_filter
from shared.domain.rivals import takes_away
from shared.domain.schedule import Cron, Interval
from shared.domain.subscription import (
    Credential,
    Folder,
    InvalidSubscription,
    KeptDocuments,
    Operation,
    Polling,
    PostProcess,
    ReadSubscription,
    Subscription,
)
from shared.domain.target import CamundaTarget, EngineCall, Target
from shared.domain.target_columns import read_target
from shared.feel import Expression

Row = Mapping[str, Any]
_DEDUPLICATION_ID = re.compile(r"^[a-zA-Z0-9_-]{1,100}$")
_TENANT = re.compile(r"^[A-Za-z0-9.-]+$")
_MAILBOX = re.compile(r"^(?!\.+$)[^\s/\\?#%]+$")
_APP_COLUMNS = ("tenantId", "clientId", "clientSecret", "clientCertificate")
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


_INTERVAL = values.duration(least=timedelta(seconds=10), most=timedelta(days=30))
_IDENTITY = "id"
"""The messageIdExpression that costs nothing to evaluate."""

COLUMNS: Mapping[str, Column] = {
    "enabled": Column(values.boolean, default=True, meaning="whether it is active"),
    "tenantId": Column(
        matching(_TENANT, "the id of a tenant, or one of its domains"), "", "tenant of the mailbox"
    ),
    "clientId": Column(matching(_TENANT, "the id of an app"), "", "app registration"),
    "clientSecret": Column(values.secret_reference, "", "its client secret", hidden=True),
    "clientCertificate": Column(values.secret_reference, "", "its certificate", hidden=True),
    "account": Column(
        lambda value: account_name(values.text(value)), "", "delegated account, not an app"
    ),
    "userId": Column(
        matching(_MAILBOX, "the address or id of a mailbox"), None, "address or id of the mailbox"
    ),
    "folder": Column(folder, None, "well-known name, or path of display names"),
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
    "postProcess": Column(operations, (), "mailbox operations after acceptance"),
    "moveTo": Column(folder, None, "folder that move moves to"),
    "createFolder": Column(values.boolean, default=False, meaning="make moveTo if missing"),
    "categories": Column(values.words, (), "categories that categorize adds"),
    "target": Column(values.one_of(["webhook", "camunda"]), None, "what accepts the mail"),
    # addresses of webhooks often hold a token
    "targetUrl": Column(values.url, None, "where the target is", hidden=True),
    "targetAuth": Column(str, "", "secrets for the target", hidden=True),
    "targetMode": Column(
        values.one_of(list(EngineCall)), EngineCall.PUBLISH.value, "what the engine is asked for"
    ),
    "processDefinitionId": Column(values.text, "", "process that targetMode start starts"),
    "targetTenantId": Column(values.text, "", "tenant within the engine"),
    "messageName": Column(values.text, "", "name of the message"),
    "activationCondition": Column(read_expression, None, "FEEL: which mail activates"),
    "consumeUnmatchedEvents": Column(
        values.boolean, default=False, meaning="post-process what did not activate"
    ),
    "correlationKeyExpression": Column(read_expression, None, "FEEL: correlation key"),
    "messageIdExpression": Column(read_expression, None, "FEEL: identity of the message"),
    "messageTtl": Column(values.duration(), None, "how long the message is kept"),
    "resultVariable": Column(
        matching(_VARIABLE, "a name of letters, digits and _"), "", "variable of the mail"
    ),
    "resultExpression": Column(read_expression, None, "FEEL: variables"),
    "labels": Column(json_object, {}, "JSON object added to the variables"),
    "archiveBefore": Column(moment, None, "archive mode's cut-off"),
    "archiveVariables": Column(json_object, {}, "what archived mail carries as well"),
    "keepAttachments": Column(
        values.boolean, default=True, meaning="keep attachments as documents"
    ),
    "keepMime": Column(values.boolean, default=False, meaning="keep the whole mail as a document"),
    "offloadBody": Column(
        values.boolean, default=False, meaning="keep a body that is too large as a document"
    ),
    "retry": Column(
        values.duration(most=timedelta(days=365)), timedelta(hours=24), "how long to try a target"
    ),
    "onDead": Column(on_dead, None, "leave, or move:PATH"),
    "deduplicationId": Column(
        matching(_DEDUPLICATION_ID, "up to 100 letters, digits, _ and -"), "", "manual grouping"
    ),
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
    target, found = read_target(fields, given, plain_http_hosts)
    problems += [*_contradictions(fields, given), *found]
    if problems or target is None:
        return InvalidSubscription(name, tuple(problems))
    return _subscription(name, fields, target)


def _unknown(column: str) -> str:
    near = [known for known in COLUMNS if known.lower() == column.lower()]
    hint = f"did you mean {near[0]}?" if near else f"allowed: {', '.join(COLUMNS)}."
    return f"column {column}: there is no such column; {hint}"


def _contradictions(fields: Mapping[str, Any], given: Collection[str]) -> list[str]:
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
            *(("account", other) for other in _APP_COLUMNS),
        )
        if one in given and other in given
    ]
    found += [
        f"column {one}: needs column {other}."
        for one, other in (
            ("clientSecret", "clientId"),
            ("clientCertificate", "clientId"),
            ("consumeUnmatchedEvents", "activationCondition"),
            ("archiveVariables", "archiveBefore"),
        )
        if one in given and other not in given
    ]
    variable = _result_variable(fields)
    found += [
        f"column {column}: {variable} is the variable that holds the mail; choose another name."
        for column in ("labels", "archiveVariables")
        if variable and variable in fields[column]
    ]
    if fields["postProcess"]:
        found += _contradicting_operations(set(fields["postProcess"]), given)
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


def _subscription(name: str, fields: Mapping[str, Any], target: Target) -> Subscription:
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
            account=fields["account"],
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
        target=target,
        correlation=_correlation(name, fields, target),
        documents=KeptDocuments(
            attachments=fields["keepAttachments"],
            mime=fields["keepMime"],
            body=fields["offloadBody"],
        ),
        retry=fields["retry"],
        deduplication_id=fields["deduplicationId"],
        warnings=_warnings(polling, target, fields),
    )


def _time_to_live(fields: Mapping[str, Any], target: Target) -> timedelta:
    """How long a message is kept; by default longer than it is tried, where that counts.

    An engine knows a message that comes twice only as long as it keeps the first one.
    """
    given: timedelta | None = fields["messageTtl"]
    if given is not None:
        return given
    if isinstance(target, CamundaTarget):
        return fields["retry"] + timedelta(hours=1)  # type: ignore[no-any-return] # a timedelta
    return timedelta(hours=1)


def _result_variable(fields: Mapping[str, Any]) -> str:
    """The variable that holds the mail; empty: none does."""
    # a result expression alone says all that is wanted, often to leave the mail's bulk out
    return fields["resultVariable"] or ("" if fields["resultExpression"] else "email")


def _correlation(name: str, fields: Mapping[str, Any], target: Target) -> Correlation:
    # an engine knows a message by name, key and identity, which two subscriptions may share
    may_collide = isinstance(target, CamundaTarget) and fields["messageIdExpression"] is None
    identity: Expression | None = fields["messageIdExpression"]
    if identity is not None and identity.text.strip().removeprefix("=").strip() == _IDENTITY:
        identity = None
    before = fields["archiveBefore"]
    return Correlation(
        message_name=fields["messageName"],
        message_ttl=_time_to_live(fields, target),
        activation=fields["activationCondition"],
        consume_unmatched=fields["consumeUnmatchedEvents"],
        correlation_key=fields["correlationKeyExpression"],
        message_id=identity,
        identity_suffix=f" {name}" if may_collide else "",
        result_variable=_result_variable(fields),
        result=fields["resultExpression"],
        labels=fields["labels"],
        archive=Archive(before, fields["archiveVariables"]) if before else None,
    )


_EXPRESSIONS = (
    "activationCondition",
    "correlationKeyExpression",
    "messageIdExpression",
    "resultExpression",
)


def _warnings(polling: Polling, target: Target, fields: Mapping[str, Any]) -> tuple[str, ...]:
    """What is allowed but probably not meant."""
    found = [
        f"column {column}: {unknown}."
        for column in _EXPRESSIONS
        if fields[column] is not None
        for unknown in unknown_names(fields[column])
    ]
    if not takes_away(polling):
        found.append(_STAYS)
    publishes = isinstance(target, CamundaTarget) and target.call is EngineCall.PUBLISH
    if publishes and _time_to_live(fields, target) < fields["retry"]:
        found.append(_SHORT_LIFE)
    return tuple(found)


_STAYS = (
    "mail that was handled stays among the mail that is listed: each is delivered once, for"
    " the ledger remembers it, but every sweep lists it again. Choose onlyUnread with"
    " markAsRead, or move or delete."
)
_SHORT_LIFE = (
    "column messageTtl: it is shorter than retry. The engine forgets a message after this time: one"
    " whose answer got lost may be taken twice then, and one that nobody waits for in time is gone."
)
