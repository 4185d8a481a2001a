"""A storage that is not there, refuses, or does not answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from localdev.azurite import ACCOUNT_KEY, Azurite
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.documents import BlobDocuments
from shared.adapters.storage.envelopes import StorageEnvelopeQueue
from shared.adapters.storage.errors import storage_errors
from shared.adapters.storage.ledger import TableLedger
from shared.adapters.storage.polls import StoragePollQueue
from shared.adapters.storage.sources import TableSourceStates
from shared.adapters.storage.subscriptions import TableSubscriptions
from shared.domain.envelope import INLINE_BYTES, Envelope
from shared.domain.errors import StorageUnavailable
from shared.domain.source import SourceState
from shared.ports import SubscriptionStatus
from tests.contract.storage.deliveries import NOW, delivery

KEY = delivery("key").key
SMALL = Envelope(key=KEY, mail={"id": "a"})
LARGE = Envelope(key=KEY, mail={"body": "x" * INLINE_BYTES})
IN_BLOB = Envelope(key=KEY, blob="source/key.json")


DOCUMENT = f"20260302-{'a' * 32}-{'b' * 16}"


async def nothing() -> AsyncIterator[bytes]:
    yield b""


async def megabytes() -> AsyncIterator[bytes]:
    yield bytes(3_000_000)


async def drained(rows: AsyncIterator[object]) -> list[object]:
    return [row async for row in rows]


CALLS: dict[str, Callable[[StorageClients], Awaitable[object]]] = {
    "claim": lambda clients: TableLedger(clients).claim([delivery("key")]),
    "read": lambda clients: TableLedger(clients).read(KEY),
    "save": lambda clients: TableLedger(clients).save(delivery("key")),
    "overdue": lambda clients: drained(TableLedger(clients).overdue(NOW)),
    "purge": lambda clients: TableLedger(clients).purge("source", NOW),
    "sources.all": lambda clients: TableSourceStates(clients).all(),
    "sources.read": lambda clients: TableSourceStates(clients).read("source"),
    "sources.write": lambda clients: TableSourceStates(clients).write(SourceState(id="a")),
    "rows": lambda clients: drained(TableSubscriptions(clients).rows()),
    "statuses": lambda clients: TableSubscriptions(clients).statuses(),
    "report": lambda clients: TableSubscriptions(clients).report(
        [SubscriptionStatus("team/one", "ok")], [], NOW
    ),
    "emails.put": lambda clients: StorageEnvelopeQueue(clients).put(SMALL, timedelta(hours=1)),
    "emails.put large": lambda clients: StorageEnvelopeQueue(clients).put(LARGE),
    "emails.mail_of": lambda clients: StorageEnvelopeQueue(clients).mail_of(IN_BLOB),
    "emails.discard": lambda clients: StorageEnvelopeQueue(clients).discard(IN_BLOB),
    "emails.oldest_waiting": lambda clients: StorageEnvelopeQueue(clients).oldest_waiting(),
    "documents.known": lambda clients: BlobDocuments(clients).known(DOCUMENT[:41]),
    "documents.find": lambda clients: BlobDocuments(clients).find(DOCUMENT),
    "documents.store": lambda clients: BlobDocuments(clients).store(DOCUMENT, "a", "b", nothing()),
    "documents.store large": lambda clients: BlobDocuments(clients).store(
        DOCUMENT, "a", "b", megabytes()
    ),
    "documents.read": lambda clients: BlobDocuments(clients).read(DOCUMENT, 0, 1),
    "documents.expire": lambda clients: BlobDocuments(clients).expire(NOW.date()),
    "polls.put": lambda clients: StoragePollQueue(clients).put(["source"]),
    "polls.length": lambda clients: StoragePollQueue(clients).length(),
}


@pytest.fixture(scope="module")
async def stopped() -> AsyncIterator[StorageClients]:
    async with Azurite() as azurite:
        settings = {"AzureWebJobsStorage": azurite.connection_string}
    clients = StorageClients(settings, retries=0)
    yield clients
    await clients.close()


@pytest.fixture
async def stranger(azurite: Azurite) -> AsyncIterator[StorageClients]:
    """Clients with a wrong key."""
    wrong_key = "QUJD" + ACCOUNT_KEY[4:]
    text = azurite.connection_string.replace(ACCOUNT_KEY, wrong_key)
    clients = StorageClients({"AzureWebJobsStorage": text}, retries=0)
    yield clients
    await clients.close()


@pytest.mark.parametrize("call", CALLS)
async def test_a_storage_that_is_stopped_is_unavailable(stopped: StorageClients, call: str) -> None:
    with pytest.raises(StorageUnavailable, match="not reached") as raised:
        await CALLS[call](stopped)

    assert raised.value.retryable


@pytest.mark.parametrize("call", CALLS)
async def test_a_storage_that_refuses_says_what_to_do(stranger: StorageClients, call: str) -> None:
    with pytest.raises(StorageUnavailable, match="roles") as raised:
        await CALLS[call](stranger)

    assert not raised.value.retryable


async def test_an_operation_ends_at_its_deadline() -> None:
    with pytest.raises(StorageUnavailable, match="no answer") as raised:
        async with storage_errors("table deliveries", deadline=0.0):
            await asyncio.Event().wait()

    assert raised.value.retryable
