"""Which requests a lookup makes: each must be cheap for a partition with very many rows."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from azure.data.tables import TableEntity

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.lookup import find
from shared.adapters.storage.tables import Table

COMPARISONS = re.compile(r" (eq|ge|le) ")


class RecordingTable(Table):
    """Answers nothing, and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__(StorageClients({"AzureWebJobsStorage": "UseDevelopmentStorage=true"}), "x")
        self.conditions: list[str] = []
        self.point_reads = 0

    async def query(
        self, condition: str = "", select: list[str] | None = None
    ) -> AsyncIterator[TableEntity]:
        """Notes the condition."""
        self.conditions.append(condition)
        assert select is None
        for row in list[TableEntity]():
            yield row

    async def run(self, _operation: Callable[[Any], Awaitable[Any]]) -> Any:
        """Counts a read of one row."""
        self.point_reads += 1
        return TableEntity()


async def test_keys_close_together_are_asked_for_as_a_range_of_few_comparisons() -> None:
    table = RecordingTable()
    await find(table, "it's", [f"6966f{number:03}" for number in range(30)])

    assert table.point_reads == 0
    assert [len(COMPARISONS.findall(one)) for one in table.conditions] == [15, 15, 9]
    assert table.conditions[2].startswith(
        "PartitionKey eq 'it''s' and RowKey ge '6966f024' and RowKey le '6966f029' and (RowKey eq"
    )


async def test_keys_far_apart_are_read_one_by_one() -> None:
    table = RecordingTable()
    await find(table, "source", ["aaaaaa", "bbbbbb", "cccccc"])

    assert table.conditions == []
    assert table.point_reads == 3


async def test_a_key_asked_for_twice_is_read_once() -> None:
    table = RecordingTable()
    await find(table, "source", ["aaaaaa", "aaaaaa"])

    assert table.point_reads == 1


async def test_no_keys_are_no_request() -> None:
    table = RecordingTable()

    assert await find(table, "source", []) == []
    assert (table.conditions, table.point_reads) == ([], 0)
