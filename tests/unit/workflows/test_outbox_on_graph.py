"""Durable sends on the Graph simulator, by way of the real adapter: it counts what goes out."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import stamina

from localdev.graph_simulator import GraphSimulator
from shared.adapters.graph.mailboxes import ATTEMPTS
from shared.domain.outbound.outbox import SendState
from tests.builders import MAILBOX
from tests.contract.outbound.worlds import OutboundWorld
from tests.fakes.outbox_world import OutboxWorld
from tests.unit.workflows.crashing import Crash, Life

ADA = "ada@contoso.example"
LOSSES: list[dict[str, Any]] = [
    {"status": "drop"},
    {"status": "drop", "after_effect": True},
    {"status": 503},
    {"status": 504, "after_effect": True},
    {"status": 500, "after_effect": True, "times": 2},
    {"status": 429, "retry_after": 2},
    {"status": 429, "retry_after": 45, "times": 2},
]


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """As many attempts as in production, without the pauses between them."""
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


@pytest.fixture
async def graph(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OutboundWorld]:
    """A simulator with two mailboxes, and the adapter."""
    simulator = GraphSimulator()
    for address in (MAILBOX, ADA):
        simulator.add_mailbox(address)
    async with simulator.serve(ca_dir=certificates(tmp_path_factory)) as running:
        opened = OutboundWorld(simulator, running)
        yield opened
        await opened.close()


def certificates(factory: pytest.TempPathFactory) -> Path:
    """One directory for all tests of this module: certificates take their time."""
    directory = factory.getbasetemp() / "certificates"
    directory.mkdir(exist_ok=True)
    return directory


def world_on(graph: OutboundWorld) -> OutboxWorld:
    """Fresh storage beside the simulator."""
    return OutboxWorld(operations=graph.operations, caller=graph.caller)


async def an_hour(world: OutboxWorld, graph: OutboundWorld) -> None:
    """In which whatever Graph asked to wait is over as well."""
    await world.work()
    for _ in range(6):
        world.later(minutes=10)
        graph.hourglass.time += 600
        await world.recover()
        await world.work()


async def test_a_simple_durable_send_is_two_requests_to_graph(graph: OutboundWorld) -> None:
    """And the recipient has it."""
    world = world_on(graph)
    await world.enqueue(to=[ADA])
    await world.work()

    assert graph.counted() == {"POST messages": 1, "POST send": 1}
    assert len(graph.simulator.messages(ADA, "inbox")) == 1
    [kept] = graph.simulator.messages(MAILBOX, "sentitems")
    assert world.item().internet_message_id == kept.content.internet_message_id


@pytest.mark.parametrize("takes_effect", [False, True], ids=["before", "after"])
async def test_a_kill_at_any_call_sends_exactly_once_by_the_simulators_count(
    graph: OutboundWorld,
    takes_effect: bool,  # noqa: FBT001
) -> None:
    """Graph's own requests among the calls."""
    for step in count(1):
        world, sent_before = world_on(graph), len(graph.simulator.sent)
        life = Life(step, takes_effect=takes_effect)
        dying = [False]

        async def before(name: str, life: Life = life, dying: list[bool] = dying) -> None:
            dying[0] = life.begin(name)

        async def after(_: str, dying: list[bool] = dying) -> None:
            if dying[0]:
                raise Crash

        try:
            box = world.watched(before, after)
            await world.enqueue(box=box)
            await world.work(box)
        except Crash:
            world.later(minutes=6)
        await world.enqueue()
        await an_hour(world, graph)

        at = f"killed at call {step}, {life.last_call}"
        assert world.item().state is SendState.SENT, at
        assert len(graph.simulator.sent) == sent_before + 1, at
        assert graph.simulator.messages(MAILBOX, "drafts") == [], at
        if not life.is_over():
            return


@pytest.mark.parametrize("operation", ["POST messages", "POST send"])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
async def test_a_lost_or_refused_answer_sends_exactly_once(
    graph: OutboundWorld, operation: str, loss: dict[str, Any]
) -> None:
    """Whatever happened to the first request."""
    world = world_on(graph)
    graph.simulator.fail_next(operation, **loss)
    await world.enqueue()
    await an_hour(world, graph)

    assert world.item().state is SendState.SENT
    assert len(graph.simulator.sent) == 1
    assert graph.simulator.messages(MAILBOX, "drafts") == []


async def test_a_mailbox_that_may_not_send_fails_the_send_with_what_to_do(
    graph: OutboundWorld,
) -> None:
    """At once, and no draft is left."""
    world = world_on(graph)
    sender: dict[str, Any] = {"from": "boss@contoso.example"}
    await world.enqueue(**sender)
    await an_hour(world, graph)

    assert world.item().state is SendState.FAILED
    assert "ErrorSendAsDenied" in world.item().reason
    assert graph.simulator.messages(MAILBOX, "drafts") == []
    assert graph.simulator.sent == []
