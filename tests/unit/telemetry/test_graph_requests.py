import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import stamina

from localdev.graph_simulator import GraphSimulator
from shared.adapters.graph.mailboxes import ATTEMPTS
from shared.domain.delivery import DeliveryKey
from shared.domain.subscription import Operation
from shared.telemetry import mail_span, span
from tests.builders import MAILBOX
from tests.contract.mailboxes.worlds import SimulatedWorld
from tests.unit.telemetry.recorder import Recorder

MAILS = 5


@pytest.fixture
async def simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SimulatedWorld]:
    """Graph's adapter on the simulator; nobody really waits."""
    simulator = GraphSimulator()
    simulator.add_mailbox(MAILBOX)
    with stamina.set_testing(True, attempts=ATTEMPTS):
        async with simulator.serve(ca_dir=tmp_path) as running:
            world = SimulatedWorld(simulator, running, monkeypatch)
            yield world
            await world.graph.close()


async def test_requests_are_counted_as_graph_counts_them(
    recorder: Recorder, simulated: SimulatedWorld
) -> None:
    """Those in a batch one by one, repeated ones again; a batch apart, as a round trip."""
    ids = [simulated.deliver(f"mail {number}") for number in range(MAILS)]
    simulated.simulator.fail_next("GET messages", 429, retry_after=1)
    simulated.simulator.fail_next("PATCH message", 503)
    await simulated.list("inbox")
    await asyncio.gather(*(simulated.post_process(one, Operation.MARK_AS_READ) for one in ids))

    metrics = simulated.simulator.metrics
    listed, marked = metrics.by_operation["GET messages"], metrics.by_operation["PATCH message"]
    assert recorder.counted("graph.requests", operation="list messages") == listed == 2
    assert recorder.counted("graph.requests", operation="mark") == marked == MAILS + 1
    assert recorder.counted("graph.requests", operation="mark", status="5xx") == 1
    assert recorder.counted("graph.requests", operation="batch") == metrics.batches
    assert recorder.counted("graph.throttled", operation="list messages") == 1
    assert recorder.counted("graph.throttled") == 1


async def test_requests_are_counted_for_whom_they_are_made(
    recorder: Recorder, simulated: SimulatedWorld
) -> None:
    """Each once: those who share a poll stand together; a round trip of many is nobody's own."""
    ids = [simulated.deliver(f"mail {number}") for number in range(2)]
    with span("poll", subscription=["team/a", "team/b"]):
        await simulated.list("inbox")
    key = DeliveryKey("source", "mail")

    async def mark(mail_id: str, subscription: str) -> None:
        with mail_span("deliver", key, subscription=[subscription]), span("post-process"):
            await simulated.post_process(mail_id, Operation.MARK_AS_READ)

    await asyncio.gather(mark(ids[0], "team/a"), mark(ids[1], "team/b"))
    await simulated.list("inbox")

    listed = [
        (point.attributes.get("subscription"), point.value)
        for name, point in recorder.points()
        if name == "graph.requests" and point.attributes["operation"] == "list messages"
    ]
    assert sorted(listed, key=str) == [("team/a, team/b", 1), (None, 1)]
    assert recorder.counted("graph.requests", operation="mark", subscription="team/a") == 1
    assert recorder.counted("graph.requests", operation="mark", subscription="team/b") == 1
    assert "subscription" not in str(
        [
            point.attributes
            for name, point in recorder.points()
            if name == "graph.requests" and point.attributes["operation"] == "batch"
        ]
    )


async def test_throttling_is_counted_for_whom_it_slows(
    recorder: Recorder, simulated: SimulatedWorld
) -> None:
    """So that an operator sees whose mailbox it is."""
    simulated.deliver()
    simulated.simulator.fail_next("GET messages", 429, retry_after=1)
    with span("poll", subscription=["team/a"]):
        await simulated.list("inbox")

    assert recorder.counted("graph.throttled", subscription="team/a") == 1


async def test_no_address_of_a_request_is_told(
    recorder: Recorder, simulated: SimulatedWorld
) -> None:
    """Neither by us, nor by the SDK within our span."""
    simulated.deliver()
    with span("poll"):
        await simulated.list("inbox")

    assert [one.name for one in recorder.spans()] == ["poll"]
    for word in (MAILBOX, "/users", "$filter", "%24filter"):
        assert word not in recorder.text()
