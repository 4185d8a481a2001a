"""One Azurite for all, and queues with names of their own."""

import uuid
from collections.abc import AsyncIterator

import pytest
from azure.storage.queue.aio import QueueServiceClient

from localdev.azurite import Azurite


@pytest.fixture(scope="session")
async def azurite() -> AsyncIterator[Azurite]:
    async with Azurite() as running:
        yield running


@pytest.fixture
def settings(azurite: Azurite) -> dict[str, str]:
    """The app settings, with a queue name that no other test uses."""
    name = f"emails-{uuid.uuid4().hex[:8]}"
    return {"AzureWebJobsStorage": azurite.connection_string, "QUEUE": name}


@pytest.fixture
async def storage(azurite: Azurite) -> AsyncIterator[QueueServiceClient]:
    async with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        yield service
