"""Transactions on the real storage: what the library reads is what was written."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.tables import Table, plain
from shared.adapters.storage.transactions import Operation, delete, insert, merge, upsert
from shared.domain.errors import StorageUnavailable

TIME = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
VALUES = {
    "text": 'ü 🎉 "quoted"\r\n--changeset\t\'',
    "empty": "",
    "time": TIME,
    "earliest": datetime(1601, 1, 1, tzinfo=UTC),
    "content": bytes(range(256)),
    "number": -(2**31),
    "flag": False,
}


def row(key: str = "one", **values: Any) -> dict[str, Any]:
    """A row of the one partition."""
    return {"PartitionKey": "p", "RowKey": key, **values}


@pytest.fixture
def table(clients: StorageClients) -> Table:
    return Table(clients, "transactions")


async def rows(table: Table) -> dict[str, Any]:
    """All rows by key, without their keys, as the library reads them."""
    found = {one["RowKey"]: dict(one) async for one in table.query()}
    for one in found.values():
        del one["PartitionKey"], one["RowKey"]
    return found


async def test_what_the_library_reads_is_what_was_written(table: Table) -> None:
    """Every type that rows have, and keys of any characters that the storage takes."""
    await table.commit([insert(row("o'neill ä+", **VALUES)), upsert(row("put", **VALUES))])
    found = await rows(table)

    for name in ("o'neill ä+", "put"):
        read = found[name]
        times = {column: plain(read[column]) for column in ("time", "earliest")}
        assert {**read, **times} == VALUES


async def test_each_operation_does_what_it_says(table: Table) -> None:
    """Merging keeps the columns that it does not name; putting does not."""
    await table.commit([insert(row(key, old="1")) for key in ("merged", "put", "gone")])
    await table.commit(
        [merge(row("merged", new="2")), upsert(row("put", new="2")), delete(row("gone"))]
    )

    assert await rows(table) == {"merged": {"old": "1", "new": "2"}, "put": {"new": "2"}}


async def test_the_version_of_a_row_is_that_which_the_next_change_needs(table: Table) -> None:
    """In the order of the operations."""
    first, second = await table.commit([insert(row("one")), insert(row("two"))])
    [third] = await table.commit([merge(row("one", x="1"), first)])
    await table.commit([merge(row("one", x="2"), third), delete(row("two"), second)])

    assert await rows(table) == {"one": {"x": "2"}}


@pytest.mark.parametrize(
    ("bad", "status", "code"),
    [
        (insert(row("known")), 409, "EntityAlreadyExists"),
        (merge(row("unknown")), 404, "ResourceNotFound"),
        (delete(row("unknown")), 404, "ResourceNotFound"),
        (merge(row("known"), "W/\"datetime'2026-01-01T00%3A00%3A00.000Z'\""), 412, ""),
    ],
    ids=["taken", "missing", "gone", "changed"],
)
async def test_one_operation_that_fails_undoes_the_others(
    table: Table, bad: Operation, status: int, code: str
) -> None:
    """And says which kind of failure it was."""
    await table.commit([insert(row("known"))])
    others: Sequence[Operation] = [insert(row(f"new-{number}")) for number in range(3)]

    with pytest.raises(StorageUnavailable) as refused:
        await table.commit([*others, bad])

    assert refused.value.status == status
    assert code in ("", refused.value.code)
    assert set(await rows(table)) == {"known"}
