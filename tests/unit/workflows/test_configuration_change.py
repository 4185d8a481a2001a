from datetime import timedelta

from shared.domain.delivery import State
from shared.workflows.registry import FRESH_FOR
from tests.builders import row
from tests.unit.workflows.world import World


async def test_mail_that_waits_is_not_delivered_again_after_a_change_of_the_row() -> None:
    """Another interval makes another source; what the old one claimed is not new to it."""
    world = World(row())
    world.deliver_many(3)
    await world.worker().poll()

    world.table.write(row(pollingInterval="PT1M"))
    world.later(minutes=1)
    await world.worker().poll()
    await world.work()

    assert len(world.targets.accepted) == 3
    assert [one.state for one in world.deliveries()] == [State.DONE] * 3


async def test_a_worker_that_knew_the_row_before_sees_the_same() -> None:
    """It need not be a fresh one that reads the change."""
    world = World(row())
    world.deliver_many(3)
    worker = world.worker()
    await worker.poll()

    world.table.write(row(pollingInterval="PT1M"))
    world.later(seconds=FRESH_FOR.total_seconds() + 60)
    await worker.poll()

    assert len(world.deliveries()) == 3


async def test_two_changes_in_a_row_are_remembered() -> None:
    """Also where nothing was polled in between."""
    world = World(row())
    world.deliver_many(2)
    await world.worker().poll()

    for interval in ("PT1M", "PT2M", "PT3M"):
        world.table.write(row(pollingInterval=interval))
        await world.worker().registry.current()
    world.later(minutes=5)
    await world.worker().poll()

    assert len(world.deliveries()) == 2


async def test_a_row_that_was_off_meanwhile_is_remembered() -> None:
    """Its status keeps what fed it last."""
    world = World(row())
    world.deliver_many(2)
    await world.worker().poll()

    world.table.write(row(pollingInterval="PT1M", enabled=False))
    await world.worker().registry.current()
    world.table.write(row(pollingInterval="PT1M"))
    world.later(minutes=5)
    await world.worker().poll()

    assert len(world.deliveries()) == 2


async def test_new_mail_is_taken_in_after_a_change() -> None:
    """Only what is known stays out, also in a sweep."""
    world = World(row())
    world.deliver_many(2)
    await world.worker().poll()

    world.table.write(row(pollingInterval="PT1M"))
    world.deliver_many(2, first=3)
    for _ in range(3):
        world.clock.advance(timedelta(minutes=20))
        await world.worker().poll()

    assert len(world.deliveries()) == 4


async def test_a_row_that_leaves_a_shared_poll_gets_its_own_mail() -> None:
    """What its former source claims afterwards, for others, is still new to it."""
    keeps = {"onlyUnread": False, "postProcess": "categorize", "categories": "Seen"}
    world = World(row("a", **keeps), row("b", **keeps))
    world.deliver(1)
    await world.poll_and_work()

    world.table.write(row("a", pollingInterval="PT1M", **keeps))
    world.deliver_many(3, first=2)
    for _ in range(2):
        world.later(minutes=20)
        worker = world.worker()
        for number in (1, 0):
            await worker.poll(number)
            await world.work(worker)

    assert len(world.targets.accepted_by("team/a")) == 4
    assert len(world.targets.accepted_by("team/b")) == 4
