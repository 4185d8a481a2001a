from collections.abc import AsyncIterator

import pytest

from localdev.azurite import Azurite
from shared.adapters.storage.clients import StorageClients
from tests.contract.storage.worlds import World, clear, fake_world, real_world


@pytest.fixture(scope="session")
async def azurite() -> AsyncIterator[Azurite]:
    async with Azurite() as running:
        yield running


@pytest.fixture
async def clients(azurite: Azurite) -> AsyncIterator[StorageClients]:
    """Clients of a real storage with nothing in it."""
    opened = StorageClients({"AzureWebJobsStorage": azurite.connection_string})
    yield opened
    await clear(opened)
    await opened.close()


@pytest.fixture(params=["fake", "azurite"])
def world(request: pytest.FixtureRequest) -> World:
    """That of the fakes, or the real one."""
    if request.param == "fake":
        return fake_world()
    return real_world(request.getfixturevalue("clients"))
