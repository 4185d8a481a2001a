"""The simulator with an adapter on it; nobody really waits."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stamina

from localdev.graph_simulator import GraphSimulator
from shared.adapters.graph.mailboxes import ATTEMPTS
from tests.builders import MAILBOX
from tests.contract.mailboxes.worlds import FakeWorld, SimulatedWorld, World


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """As many attempts as in production, without the pauses between them."""
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where certificates are kept for the session."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
async def simulated(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SimulatedWorld]:
    """A fresh simulator with one mailbox, and Graph's adapter."""
    simulator = GraphSimulator()
    simulator.add_mailbox(MAILBOX)
    async with simulator.serve(ca_dir=certificates) as running:
        world = SimulatedWorld(simulator, running, monkeypatch)
        yield world
        await world.graph.close()


@pytest.fixture(params=["fake", "graph"])
def world(request: pytest.FixtureRequest) -> World:
    """That of the fake, or the real adapter's."""
    if request.param == "fake":
        return FakeWorld()
    simulated: SimulatedWorld = request.getfixturevalue("simulated")
    return simulated
