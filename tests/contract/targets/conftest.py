from collections.abc import AsyncIterator

import pytest

from tests.contract.targets.worlds import (
    Cluster,
    FakeWorld,
    ReceiverWorld,
    World,
    new_cluster,
    receiver_world,
)


@pytest.fixture
async def received() -> AsyncIterator[ReceiverWorld]:
    """The webhook adapter, and a receiver that checks its signatures."""
    async with receiver_world() as world:
        yield world


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """The adapter of Camunda, and an engine that fails when told to."""
    async with new_cluster() as fresh:
        yield fresh


@pytest.fixture(params=["fake", "webhook"])
def world(request: pytest.FixtureRequest) -> World:
    """That of the fake, or the real adapter's."""
    if request.param == "fake":
        return FakeWorld()
    received: ReceiverWorld = request.getfixturevalue("received")
    return received
