import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.domain.odata import BEGINNING
from shared.domain.source import SourceState
from tests.contract.storage.worlds import World

NOW = datetime(2026, 1, 14, 16, 11, 39, 123456, tzinfo=UTC)
WHOLE = SourceState(
    id="manual-source_1",
    watermark=NOW,
    swept_at=NOW - timedelta(hours=1),
    sweep_position=NOW - timedelta(days=3),
    next_poll_at=NOW + timedelta(seconds=30),
    lease_until=NOW + timedelta(minutes=2),
    polled_at=NOW,
    folder_id="AAMkAD=='",
    mailbox="straße@contoso.com",
    subscriptions=("team/one", "tëam/twö"),
    failures=3,
    error="mailbox straße@contoso.com: no",
)


async def test_a_source_that_was_never_stored_is_fresh(world: World) -> None:
    assert await world.sources().read("new") == SourceState(id="new")
    assert SourceState(id="new").watermark == BEGINNING


async def test_what_is_written_is_read_by_another_worker(world: World) -> None:
    written = await world.sources().write(WHOLE)

    assert written is not None
    assert written == replace(WHOLE, version=written.version)
    assert written.version
    assert await world.sources().read(WHOLE.id) == written


async def test_a_fresh_state_can_be_written(world: World) -> None:
    written = await world.sources().write(await world.sources().read("new"))

    assert written is not None
    assert written.watermark == BEGINNING
    assert await world.sources().read("new") == written


async def test_each_write_gives_the_version_for_the_next(world: World) -> None:
    sources = world.sources()
    state = await sources.write(WHOLE)
    for failures in range(3):
        assert state is not None
        state = await sources.write(replace(state, failures=failures))

    assert state is not None
    assert (await sources.read(WHOLE.id)).failures == 2


async def test_a_write_with_an_old_version_is_refused(world: World) -> None:
    first = await world.sources().write(WHOLE)
    assert first is not None
    second = await world.sources().write(replace(first, failures=7))

    assert await world.sources().write(replace(first, failures=8)) is None
    assert await world.sources().read(WHOLE.id) == second


async def test_a_first_write_is_refused_where_somebody_was_faster(world: World) -> None:
    await world.sources().write(WHOLE)

    assert await world.sources().write(WHOLE) is None


async def test_a_write_of_a_state_that_was_deleted_is_refused(world: World) -> None:
    await world.sources().write(replace(WHOLE, id="other"))

    assert await world.sources().write(replace(WHOLE, version='W/"gone"')) is None


async def test_one_of_many_workers_writes(world: World) -> None:
    state = await world.sources().write(WHOLE)
    assert state is not None
    results = await asyncio.gather(
        *(world.sources().write(replace(state, failures=number)) for number in range(8))
    )

    assert len([one for one in results if one is not None]) == 1


async def test_all_gives_every_state_by_id(world: World) -> None:
    sources = world.sources()
    states = [replace(WHOLE, id=f"source-{number}", failures=number) for number in range(120)]
    written = await asyncio.gather(*(sources.write(state) for state in states))

    assert await sources.all() == {state.id: state for state in written if state is not None}


async def test_there_may_be_no_states(world: World) -> None:
    assert await world.sources().all() == {}


async def test_a_long_error_is_no_obstacle(world: World) -> None:
    written = await world.sources().write(replace(WHOLE, error="語" * 4000))

    assert written is not None
    assert await world.sources().read(WHOLE.id) == written
