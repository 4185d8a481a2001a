"""Rows of subscriptions as an operator wants them: checked together, compared, written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.domain.columns import Row, read_row
from shared.domain.errors import ConnectorError, StorageUnavailable
from shared.domain.subscription import InvalidSubscription, ReadSubscription, Subscription
from shared.ports import SubscriptionTable
from shared.workflows.concurrency import for_each
from shared.workflows.registry import Configuration, configured

WRITES_AT_ONCE = 8

_KEYS = ("PartitionKey", "RowKey")
_NO_COLUMNS = {*_KEYS, "Timestamp", "etag", "odata.etag"}
_NAME = re.compile(r"[^/\\#?\x00-\x1f\x7f-\x9f]{1,200}")
_SOMEBODY_WAS_FASTER = {404, 409, 412}


class NotThere(ConnectorError):
    """An operator names something that does not exist."""


class Change(StrEnum):
    """What becomes of a row."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """What is to become of one row, or has.

    Args:
        name: ``PartitionKey/RowKey``.
        row: the row as it is to be; as it is, where it is to be removed.
        known: ETag of the row that was compared; empty where there was none.
        differences: by column, what is there and what is to be; None where there is nothing.
        reason: why it failed, for a person.
    """

    name: str
    change: Change
    row: Row
    known: str = ""
    differences: Mapping[str, tuple[Any, Any]]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying rows would do.

    Args:
        changes: one for each row, in their order, then those that are removed.
        invalid: rows that cannot be used; as long as there is one, nothing is to be written.
        warnings: what is allowed but probably not meant, by the name of the row.
    """

    changes: tuple[RowChange, ...]
    invalid: tuple[InvalidSubscription, ...]
    warnings: Mapping[str, Sequence[str]]


async def table_rows(table: SubscriptionTable) -> dict[str, Row]:
    """All rows of the table by name."""
    return {name_of(row): row async for row in table.rows()}


def named(rows: Mapping[str, Row], name: str) -> Row:
    """One of some rows.

    Raises:
        NotThere: there is none of this name.
    """
    if name not in rows:
        raise NotThere(f"there is no subscription {name!r}; its name is PartitionKey/RowKey.")
    return rows[name]


def name_of(row: Row) -> str:
    """The name of a row: ``PartitionKey/RowKey``."""
    return "/".join(str(row.get(key, "")) for key in _KEYS)


def columns_of(row: Row) -> dict[str, Any]:
    """The columns that people write, without keys and what the storage adds."""
    return {column: value for column, value in row.items() if column not in _NO_COLUMNS}


def check(rows: Mapping[str, Row], plain_http_hosts: Collection[str]) -> Configuration:
    """What the app would make of a table with these rows: each by itself, and all together."""
    return configured({name: _read(name, row, plain_http_hosts) for name, row in rows.items()})


def plan(
    wanted: Sequence[Row],
    there: Mapping[str, Row],
    plain_http_hosts: Collection[str],
    prune: str = "",
) -> Plan:
    """Compares rows with the table.

    Args:
        wanted: the rows as they are to be.
        there: the rows of the table, by name.
        plain_http_hosts: hosts that may be called without TLS.
        prune: a PartitionKey of which rows that are not wanted are removed; empty for none.
    """
    by_name = {name_of(row): row for row in wanted}
    removed = {
        name: row
        for name, row in there.items()
        if row["PartitionKey"] == prune and name not in by_name
    }
    left = {name: row for name, row in there.items() if name not in removed}
    checked = check({**left, **by_name}, plain_http_hosts).subscriptions
    often = Counter(name_of(row) for row in wanted)
    invalid, warnings = [], {}
    for name in by_name:
        one = checked[name]
        problems = list(one.problems) if isinstance(one, InvalidSubscription) else []
        if often[name] > 1:
            problems.append(f"there are {often[name]} rows of this name; leave one.")
        if problems:
            invalid.append(InvalidSubscription(name, tuple(problems)))
        elif isinstance(one, Subscription) and one.warnings:
            warnings[name] = one.warnings
    changes = [_compared(name, row, there.get(name)) for name, row in by_name.items()]
    changes += [_removal(name, row) for name, row in removed.items()]
    return Plan(tuple(changes), tuple(invalid), warnings)


async def carry_out(changes: Sequence[RowChange], table: SubscriptionTable) -> list[RowChange]:
    """Writes and removes rows; gives what became of each, in order.

    A row that somebody else has changed since it was read is left as it is, and has failed.
    """
    done: dict[str, RowChange] = {}

    async def one(change: RowChange) -> None:
        done[change.name] = await _carried_out(change, table)

    await for_each(one, changes, WRITES_AT_ONCE)
    return [done[change.name] for change in changes]


def _read(name: str, row: Row, plain_http_hosts: Collection[str]) -> ReadSubscription:
    problems = [
        f"{key} {row.get(key)!r}; allowed: a text of up to 200 characters without / \\ # ?"
        for key in _KEYS
        if not isinstance(value := row.get(key), str) or not _NAME.fullmatch(value)
    ]
    if problems:
        return InvalidSubscription(name, tuple(problems))
    try:
        return read_row(row, plain_http_hosts)
    except Exception as error:  # noqa: BLE001 - as in the app, one row never stops another
        return InvalidSubscription(name, (f"cannot be read ({type(error).__name__}).",))


def _compared(name: str, row: Row, there: Row | None) -> RowChange:
    if there is None:
        new = {column: (None, value) for column, value in columns_of(row).items()}
        return RowChange(name=name, change=Change.CREATED, row=row, differences=new)
    old, new_columns = columns_of(there), columns_of(row)
    differences = {
        column: (old.get(column), new_columns.get(column))
        for column in dict.fromkeys((*old, *new_columns))
        if not _same(old.get(column), new_columns.get(column))
    }
    return RowChange(
        name=name,
        change=Change.CHANGED if differences else Change.UNCHANGED,
        row=row,
        known=str(there.get("etag", "")),
        differences=differences,
    )


def _same(one: object, other: object) -> bool:
    # to Python True is 1, to the storage they are of two types
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _removal(name: str, row: Row) -> RowChange:
    gone = {column: (value, None) for column, value in columns_of(row).items()}
    return RowChange(name=name, change=Change.REMOVED, row=row, differences=gone)


async def _carried_out(change: RowChange, table: SubscriptionTable) -> RowChange:
    try:
        if change.change is Change.REMOVED:
            await table.remove(change.name)
        elif change.change is not Change.UNCHANGED:
            await table.write(change.row, change.known)
    except StorageUnavailable as error:
        if error.status not in _SOMEBODY_WAS_FASTER:
            raise
        return RowChange(
            name=change.name,
            change=Change.FAILED,
            row=change.row,
            differences={},
            reason="somebody else has changed this row meanwhile; look at it and apply again.",
        )
    return change
