from collections.abc import AsyncIterator

import pytest

from tests.contract.targets.worlds import FakeWorld, ReceiverWorld, World, receiver_world


@pytest.fixture
async def received() -> AsyncIterator[ReceiverWorld]:
    """The webhook adapter, and a receiver that checks its signatures."""
    async with receiver_world() as world:
        yield world


@pytest.fixture(params=["fake", "webhook"])
def world(request: pytest.FixtureRequest) -> World:
    """That of the fake, or the real adapter's."""
    if request.param == "fake":
        return FakeWorld()
    received: ReceiverWorld = request.getfixturevalue("received")
    return received
