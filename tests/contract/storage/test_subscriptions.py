from datetime import UTC, datetime

import pytest

from shared.domain.errors import StorageUnavailable
from shared.ports import SubscriptionStatus
from tests.contract.storage.worlds import World

NOW = datetime(2026, 1, 14, 16, 11, 39, tzinfo=UTC)
ROW = {
    "PartitionKey": "tëam",
    "RowKey": "it's one",
    "userId": "straße@contoso.com",
    "enabled": True,
    "attempts": 3,
    "postProcess": "markAsRead",
}


async def test_rows_are_given_as_they_are_with_an_etag(world: World) -> None:
    await world.write_row(ROW)
    rows = [row async for row in world.subscriptions().rows()]

    assert [{k: v for k, v in row.items() if k != "etag"} for row in rows] == [ROW]
    assert rows[0]["etag"]


async def test_the_etag_changes_only_when_the_row_is_written(world: World) -> None:
    async def etag() -> str:
        (row,) = [row async for row in world.subscriptions().rows()]
        return str(row["etag"])

    await world.write_row(ROW)
    first = await etag()

    assert await etag() == first
    await world.write_row(ROW | {"enabled": False})
    assert await etag() != first


async def test_there_may_be_no_rows_and_no_statuses(world: World) -> None:
    assert [row async for row in world.subscriptions().rows()] == []
    assert await world.subscriptions().statuses() == {}


async def test_all_rows_of_all_partitions_are_given(world: World) -> None:
    names = {f"p{number % 3}/r{number}" for number in range(30)}
    for name in names:
        partition, row = name.split("/")
        await world.write_row({"PartitionKey": partition, "RowKey": row})
    rows = [row async for row in world.subscriptions().rows()]

    assert {f"{row['PartitionKey']}/{row['RowKey']}" for row in rows} == names


async def test_statuses_are_what_was_reported_last(world: World) -> None:
    table = world.subscriptions()
    good = SubscriptionStatus("tëam/it's one", "ok", "source", (), ("probably not meant",))
    bad = SubscriptionStatus("team/two", "invalid", "", ("a: 'x'\nis wrong", "b: missing"))
    await table.report([good, SubscriptionStatus("team/two", "ok", "source")], [], NOW)
    await table.report([bad], [], NOW)

    assert await world.subscriptions().statuses() == {good.name: good, bad.name: bad}


async def test_statuses_of_rows_that_are_gone_are_removed(world: World) -> None:
    table = world.subscriptions()
    statuses = [SubscriptionStatus(f"team/{number}", "disabled") for number in range(3)]
    await table.report(statuses, [], NOW)
    await table.report([], ["team/0", "team/2"], NOW)

    assert await table.statuses() == {"team/1": statuses[1]}


async def test_a_status_that_was_removed_already_does_not_stop_the_others(world: World) -> None:
    table = world.subscriptions()
    kept = SubscriptionStatus("team/kept", "ok")
    await table.report([SubscriptionStatus("team/old", "ok")], [], NOW)
    await table.report([kept], ["team/old", "team/never", "other/never"], NOW)

    assert await table.statuses() == {kept.name: kept}


async def test_hundreds_of_statuses_are_reported(world: World) -> None:
    names = [f"p{number % 3}/{number}" for number in range(330)]
    statuses = [SubscriptionStatus(name, "ok", "source") for name in names]
    await world.subscriptions().report(statuses, [], NOW)

    assert await world.subscriptions().statuses() == dict(zip(names, statuses, strict=True))


async def _rows(world: World) -> dict[str, dict[str, object]]:
    return {str(row["RowKey"]): dict(row) async for row in world.subscriptions().rows()}


async def test_a_row_is_written_in_place_of_the_one_that_was_there(world: World) -> None:
    """Columns that it does not have are gone."""
    await world.write_row(ROW)
    await world.subscriptions().write({"PartitionKey": "tëam", "RowKey": "it's one", "a": True})
    (row,) = (await _rows(world)).values()

    assert {k: v for k, v in row.items() if k not in {"PartitionKey", "etag"}} == {
        "RowKey": "it's one",
        "a": True,
    }


async def test_a_row_that_was_read_is_written_back_only_if_nobody_else_has_written(
    world: World,
) -> None:
    """Its ETag tells."""
    await world.write_row(ROW)
    (row,) = (await _rows(world)).values()
    changed = {**row, "enabled": False}
    await world.subscriptions().write(changed, str(row["etag"]))

    with pytest.raises(StorageUnavailable) as refused:
        await world.subscriptions().write(row, str(row["etag"]))
    assert refused.value.status == 412
    assert (await _rows(world))["it's one"]["enabled"] is False


async def test_a_row_that_is_to_be_new_is_not_written_over_another(world: World) -> None:
    """It is where there is none."""
    await world.subscriptions().write(ROW, "")

    with pytest.raises(StorageUnavailable) as refused:
        await world.subscriptions().write({**ROW, "enabled": False}, "")
    assert refused.value.status == 409
    assert (await _rows(world))["it's one"]["enabled"] is True


async def test_a_row_that_is_gone_is_not_written_back(world: World) -> None:
    """Somebody has removed it."""
    await world.write_row(ROW)
    (row,) = (await _rows(world)).values()
    await world.subscriptions().remove("tëam/it's one")

    with pytest.raises(StorageUnavailable) as refused:
        await world.subscriptions().write(row, str(row["etag"]))
    assert refused.value.status == 404


async def test_a_row_is_removed_once(world: World) -> None:
    """And no other one."""
    await world.write_row(ROW)
    await world.write_row({**ROW, "RowKey": "two"})

    assert await world.subscriptions().remove("tëam/it's one")
    assert not await world.subscriptions().remove("tëam/it's one")
    assert list(await _rows(world)) == ["two"]
