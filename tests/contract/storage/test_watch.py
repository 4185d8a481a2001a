"""What an operator asks the storage."""

from datetime import timedelta

import pytest

from shared.adapters.health import QUEUES, StorageWatch
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.polls import StoragePollQueue
from shared.domain.errors import StorageUnavailable
from tests.fakes.health import FakeStorageWatch


async def test_the_length_of_each_queue_is_told(clients: StorageClients) -> None:
    """Of those that nobody has used yet as well; the fake names the same ones."""
    await StoragePollQueue(clients).put(["one"])
    lengths = await StorageWatch(clients).queued()

    assert lengths == {**dict.fromkeys(QUEUES, 0), "polls": 1}
    assert set(await FakeStorageWatch().queued()) == set(lengths)


async def test_a_clock_that_is_right_is_not_ahead(clients: StorageClients) -> None:
    """The storage tells whole seconds."""
    watch = StorageWatch(clients)
    await watch.queued()

    assert abs(await watch.clock_ahead()) < timedelta(seconds=5)


async def test_a_storage_that_does_not_answer_is_no_clock() -> None:
    """The error is the connector's own."""
    nowhere = (
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;"
        "QueueEndpoint=http://127.0.0.1:1/a;TableEndpoint=http://127.0.0.1:1/a;"
        "BlobEndpoint=http://127.0.0.1:1/a"
    )
    clients = StorageClients({"AzureWebJobsStorage": nowhere}, retries=0)

    with pytest.raises(StorageUnavailable, match="queue emails: not reached"):
        await StorageWatch(clients).clock_ahead()
    await clients.close()
