from collections.abc import AsyncIterator

import pytest

from localdev.azurite import Azurite
from tests.contract.storage.worlds import AzuriteWorld, FakeWorld, World


@pytest.fixture(scope="session")
async def azurite() -> AsyncIterator[Azurite]:
    async with Azurite() as running:
        yield running


@pytest.fixture
async def azurite_world(azurite: Azurite) -> AsyncIterator[AzuriteWorld]:
    world = AzuriteWorld(azurite.connection_string)
    yield world
    await world.close()


@pytest.fixture(params=["fake", "azurite"])
def world(request: pytest.FixtureRequest) -> World:
    """A storage with nothing in it: that of the fakes, or the real one."""
    if request.param == "fake":
        return FakeWorld()
    real: AzuriteWorld = request.getfixturevalue("azurite_world")
    return real
