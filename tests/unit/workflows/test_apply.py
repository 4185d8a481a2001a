from collections.abc import Mapping
from typing import Any

import pytest

from shared.domain.columns import Row
from shared.workflows.apply import Change, NotThere, Plan, carry_out, columns_of, named, plan
from shared.workflows.apply import table_rows as rows_of
from tests.builders import row
from tests.fakes.tables import FakeSubscriptionTable


def table_of(*rows: Row) -> FakeSubscriptionTable:
    table = FakeSubscriptionTable()
    for one in rows:
        table.write(one)
    return table


async def planned(
    table: FakeSubscriptionTable, *wanted: Mapping[str, Any], prune: str = ""
) -> Plan:
    return plan(wanted, await rows_of(table), (), prune)


def changes_of(found: Plan) -> dict[str, str]:
    return {one.name: one.change.value for one in found.changes}


async def test_rows_are_created_changed_or_unchanged() -> None:
    """Compared by their columns."""
    table = table_of(row("same"), row("other", postProcess="delete"))

    found = await planned(table, row("same"), row("other"), row("new", folder="archive"))

    assert found.invalid == ()
    assert changes_of(found) == {
        "team/same": "unchanged",
        "team/other": "changed",
        "team/new": "created",
    }


async def test_a_change_names_what_is_there_and_what_is_to_be() -> None:
    """Columns that are left out are removed; the text `true` is not the value."""
    table = table_of(row(enabled="true", folder="archive", onlyUnread=True))

    [change] = (await planned(table, row(enabled=True, onlyUnread=True, categories=""))).changes

    assert change.differences == {
        "enabled": ("true", True),
        "folder": ("archive", None),
        "categories": (None, ""),
    }


async def test_what_is_planned_is_carried_out_and_changes_nothing_more() -> None:
    """Applying the same again finds nothing to do."""
    table = table_of(row("a"), row("b"))
    wanted = [row("b", folder="archive"), row("c", folder="sentitems")]

    done = await carry_out((await planned(table, *wanted, prune="team")).changes, table)

    assert [one.change for one in done] == [Change.CHANGED, Change.CREATED, Change.REMOVED]
    assert sorted(table.by_name) == ["team/b", "team/c"]
    assert columns_of(table.by_name["team/b"]) == columns_of(wanted[0])
    assert set(changes_of(await planned(table, *wanted, prune="team")).values()) == {"unchanged"}


async def test_only_rows_of_the_label_are_pruned() -> None:
    """Others are not the file's."""
    table = table_of(row("a"), row("b", PartitionKey="sales"))

    found = await planned(table, row("new", folder="archive"), prune="team")

    assert changes_of(found) == {"team/new": "created", "team/a": "removed"}


async def test_every_problem_of_every_row_is_found() -> None:
    """The valid ones are compared all the same."""
    found = await planned(
        table_of(), row("a", postProcess="mvoe", folderr="x"), row("b", target="fax"), row("c")
    )

    assert {one.name: len(one.problems) for one in found.invalid} == {"team/a": 2, "team/b": 1}
    assert changes_of(found)["team/c"] == "created"


async def test_a_row_is_checked_together_with_the_table() -> None:
    """One that would take the mail of another is refused; that other row is not the file's."""
    table = table_of(row("there"))

    found = await planned(table, row("new", pollingInterval="PT5M"))

    [refused] = found.invalid
    assert refused.name == "team/new"
    assert "polls the same mail as team/there" in refused.problems[0]


async def test_rows_that_are_pruned_are_nobodys_rivals() -> None:
    """Nor are those that the file replaces."""
    table = table_of(row("old"), row("other", folder="archive"))
    wanted = [row("new", pollingInterval="PT5M"), row("other", folder="sentitems")]

    assert (await planned(table, *wanted, prune="team")).invalid == ()


async def test_a_row_of_the_table_that_is_invalid_keeps_nobody_from_applying() -> None:
    """It is reported elsewhere."""
    table = table_of(row("broken", target="fax"))

    assert (await planned(table, row("new"))).invalid == ()


@pytest.mark.parametrize("key", ["a/b", "", "a#b", 7])
async def test_a_key_that_the_storage_refuses_is_a_problem(key: object) -> None:
    """Before anything is written."""
    [refused] = (await planned(table_of(), row(RowKey=key))).invalid

    assert "without / \\ # ?" in refused.problems[0]


async def test_a_name_that_comes_twice_is_a_problem() -> None:
    """One would be written over the other."""
    [refused] = (await planned(table_of(), row(), row(folder="archive"))).invalid

    assert "there are 2 rows of this name" in refused.problems[0]


async def test_warnings_are_told() -> None:
    """They keep nobody from applying."""
    found = await planned(table_of(), row(onlyUnread=False))

    assert list(found.warnings) == ["team/tickets"]


@pytest.mark.parametrize("meanwhile", ["written", "removed", "created"])
async def test_what_somebody_else_has_changed_meanwhile_is_left_alone(meanwhile: str) -> None:
    """That row has failed with what to do; the others are written."""
    table = table_of() if meanwhile == "created" else table_of(row())
    found = await planned(table, row(folder="archive"), row("b", folder="sentitems"))
    if meanwhile == "removed":
        await table.remove("team/tickets")
    else:
        table.write(row(bodyFormat="html"))

    failed, written = await carry_out(found.changes, table)

    assert (failed.change, written.change) == (Change.FAILED, Change.CREATED)
    assert "apply again" in failed.reason
    assert "folder" not in table.by_name.get("team/tickets", {})
    assert "team/b" in table.by_name


def test_a_name_that_is_not_there_is_told() -> None:
    """With the form of names."""
    with pytest.raises(NotThere, match="its name is PartitionKey/RowKey"):
        named({}, "tickets")
