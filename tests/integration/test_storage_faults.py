from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from localdev.azurite import Azurite
from localdev.storage_faults import FaultKind, StorageFaults

ONCE: dict[str, Any] = {"retry_total": 0}
PIECES = ONCE | {"max_single_put_size": 2**20, "max_block_size": 2**20}
TRIES = 40


@pytest.fixture(scope="module")
async def storage() -> AsyncIterator[str]:
    """The emulator's own connection string; there is a queue to send to."""
    async with (
        Azurite() as azurite,
        QueueServiceClient.from_connection_string(azurite.connection_string) as queues,
    ):
        await queues.create_queue("share")
        yield azurite.connection_string


async def use_blobs(connection: str, name: str) -> list[object]:
    """Writes and reads; larger than the proxy takes at once, with bytes of all kinds."""
    content = bytes(range(256)) * 12_000
    async with BlobServiceClient.from_connection_string(connection, **PIECES) as service:
        container = service.get_container_client(name)
        await container.create_container()
        blob = await container.upload_blob("a folder/ä ß%.bin", content)
        properties = await blob.get_blob_properties()
        names = [item async for item in container.list_blob_names()]
        read = await (await blob.download_blob()).readall()
        await blob.delete_blob()
        return [properties.size, names, read == content]


async def use_queues(connection: str, name: str) -> list[object]:
    """Sends, receives, changes and deletes."""
    async with QueueServiceClient.from_connection_string(connection, **ONCE) as service:
        queue = service.get_queue_client(name)
        await queue.create_queue()
        await queue.send_message("<one> & two")
        [message] = [one async for one in queue.receive_messages()]
        changed = await queue.update_message(message, visibility_timeout=60)
        await queue.delete_message(changed)
        return [message.content, await queue.peek_messages()]


async def use_tables(connection: str, name: str) -> list[object]:
    """Single rows, a transaction, and a query of several pages."""
    async with TableServiceClient.from_connection_string(connection, **ONCE) as service:
        table = await service.create_table(name)
        rows = [{"PartitionKey": "p'1", "RowKey": f"{n:03}", "text": "ü"} for n in range(50)]
        await table.submit_transaction([("create", row) for row in rows])
        await table.upsert_entity({**rows[0], "text": "other"})
        first = await table.get_entity("p'1", "000")
        pages = table.query_entities("text eq 'ü'", results_per_page=20).by_page()
        return [first["text"], [len([row async for row in page]) async for page in pages]]


USES = [use_blobs, use_queues, use_tables]
GOOD: dict[Any, list[object]] = {
    use_blobs: [3_072_000, ["a folder/ä ß%.bin"], True],
    use_queues: ["<one> & two", []],
    use_tables: ["other", [20, 20, 9]],
}


@pytest.mark.parametrize("use", USES)
async def test_without_faults_all_passes_unchanged(storage: str, use: Any) -> None:
    """Signatures hold, for they cover neither host nor port."""
    async with StorageFaults(storage) as faults:
        found = await use(faults.connection_string, "unchanged")

    assert found == GOOD[use]
    assert faults.requests > 0
    assert not faults.counts


async def make_container(service: Any, name: str) -> None:
    await service.create_container(name)


async def make(service: Any, name: str) -> None:
    """A queue or a table."""
    await (service.create_queue if hasattr(service, "create_queue") else service.create_table)(name)


async def names(service: Any) -> set[str]:
    """What there is of that service's things."""
    if hasattr(service, "list_containers"):
        return {one.name async for one in service.list_containers()}
    lists = service.list_queues if hasattr(service, "list_queues") else service.list_tables
    return {one.name async for one in lists()}


SERVICES: list[tuple[type[Any], Callable[[Any, str], Awaitable[None]]]] = [
    (BlobServiceClient, make_container),
    (QueueServiceClient, make),
    (TableServiceClient, make),
]


@pytest.mark.parametrize(("client", "create"), SERVICES)
async def test_a_fault_is_before_the_effect_or_after(
    storage: str, client: type[Any], create: Callable[[Any, str], Awaitable[None]]
) -> None:
    """Each kind is what the client's library takes for the storage's own trouble."""
    seen: dict[FaultKind, set[str]] = {}
    async with (
        StorageFaults(storage, rate=1, seed=1) as faults,
        client.from_connection_string(faults.connection_string, **ONCE) as service,
        client.from_connection_string(storage) as direct,
    ):
        for number in range(TRIES):
            before = faults.counts.copy()
            with pytest.raises(AzureError) as raised:
                await create(service, f"fault{number}")
            # one, or more: the HTTP library repeats a PUT whose connection breaks
            kinds = [*(faults.counts - before).elements()]
            if len(kinds) == 1:
                seen.setdefault(kinds[0], set()).add(told(raised.value))
            made = f"fault{number}" in await names(direct)
            assert made is any(kind.after_effect for kind in kinds)

    assert faults.counts.total() == faults.requests >= TRIES
    answered = {FaultKind.BUSY: {"503 ServerBusy"}, FaultKind.FAILED: {"500 InternalError"}}
    broken = {FaultKind.DROPPED: {"no answer"}, FaultKind.LOST: {"no answer"}}
    assert seen == (answered if client is not TableServiceClient else answered | broken)


def told(error: AzureError) -> str:
    """What a client learns of a fault."""
    if not isinstance(error, HttpResponseError):
        return "no answer"
    code = getattr(error, "error_code", None)
    return f"{error.status_code} {getattr(code, 'value', code)}"


async def test_a_share_fails_until_it_is_switched_off(storage: str) -> None:
    """As drawn from the seed: the same one gives the same faults."""
    runs = []
    for _ in range(2):
        async with StorageFaults(storage, rate=0.3, seed=7) as faults:
            runs.append([await answers(faults) for _ in range(100)])
            faults.rate = 0

            assert all([await answers(faults) for _ in range(50)])
            assert faults.counts.total() == runs[-1].count(False)

    assert runs[0] == runs[1]
    assert 20 <= runs[0].count(False) <= 40


async def test_the_next_requests_fail_as_told(storage: str) -> None:
    """And none after them."""
    async with StorageFaults(storage) as faults:
        faults.fail_next(FaultKind.FAILED, FaultKind.BUSY)

        assert [await answers(faults) for _ in range(4)] == [False, False, True, True]
        assert faults.counts == {FaultKind.FAILED: 1, FaultKind.BUSY: 1}


async def test_a_storage_that_is_gone_breaks_the_connection() -> None:
    """Rather than to answer in its place."""
    async with Azurite() as azurite:
        faults = StorageFaults(azurite.connection_string)
    async with faults:
        assert not await answers(faults)


async def answers(faults: StorageFaults) -> bool:
    """Whether one request is answered well."""
    connection = faults.connection_string
    async with QueueServiceClient.from_connection_string(connection, **ONCE) as service:
        try:
            await service.get_queue_client("share").send_message("hello")
        except AzureError:
            return False
    return True
