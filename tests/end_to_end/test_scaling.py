"""More than one worker, and more mail than one tick has time for."""

from pathlib import Path

from localdev.graph_simulator import Faults, GraphSimulator
from tests.end_to_end.mails import mail
from tests.end_to_end.world import new_world, states

MAILBOX = "support@contoso.example"
NAME = "team/support"
MAILS = 60


async def test_two_workers_share_the_work(tmp_path: Path) -> None:
    """No mail is delivered twice, and no folder is polled by both at once."""
    async with new_world(tmp_path, settings={"PAGE_SIZE": "10"}) as world:
        world.deliver(MAILBOX, *(mail(number) for number in range(MAILS)))
        await world.stack.subscribe(NAME, userId=MAILBOX)
        async with world.app(), world.app():
            await world.ended(MAILS)

        assert states(await world.deliveries(NAME)) == ["done"] * MAILS
        assert world.receiver.counters.received == MAILS
        assert world.simulator.metrics.by_operation["POST move"] == MAILS
        assert world.simulator.metrics.max_concurrency[MAILBOX] <= 4


async def test_what_a_tick_has_no_time_for_is_polled_by_way_of_a_queue(tmp_path: Path) -> None:
    """And nothing of it is left out."""
    simulator = GraphSimulator(faults=Faults(latency=0.3))
    settings = {"PAGE_SIZE": "2", "TICK_BUDGET": "PT1S"}
    async with new_world(tmp_path, simulator, settings=settings) as world:
        world.deliver(MAILBOX, *(mail(number) for number in range(20)))
        await world.stack.subscribe(NAME, userId=MAILBOX, postProcess="markAsRead")
        async with world.app():
            await world.accepted(NAME, 20)

        assert '"handed_over": 1' in world.log
        assert len(set(world.accepted_of(NAME))) == world.receiver.counters.received == 20
