"""Links into the storage, as it answers them itself."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from azure.storage.blob import UserDelegationKey

from localdev.azurite import Azurite
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.documents import BlobDocuments
from shared.domain.document import Document, new_document
from shared.domain.errors import StorageUnavailable

IDENTITY = f"20260302-{'a' * 32}-{'1' * 16}"
OTHER = f"20260302-{'a' * 32}-{'2' * 16}"
MINUTES = timedelta(minutes=5)


async def content() -> AsyncIterator[bytes]:
    yield b"<script>alert(1)</script>"


async def fetched(url: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers={"x-ms-blob-type": "BlockBlob"}) as response,
    ):
        return response.status, dict(response.headers), await response.read()


async def test_a_link_gives_the_document_as_a_download(clients: StorageClients) -> None:
    documents = BlobDocuments(clients)
    name = 'Büro "1"; x=\r\n/../🎉.html'
    stored = await documents.store(IDENTITY, name, "text/html\r\nX-Header: 1", content())

    status, headers, body = await fetched(await documents.direct_url(stored, MINUTES))

    assert (status, body) == (200, b"<script>alert(1)</script>")
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith('attachment; filename="B_ro 1 x=')
    assert "X-Header" not in headers


async def test_a_link_gives_this_document_only_and_changes_nothing(clients: StorageClients) -> None:
    documents = BlobDocuments(clients)
    stored = await documents.store(IDENTITY, "a", "b/c", content())
    await documents.store(OTHER, "a", "b/c", content())

    url = await documents.direct_url(stored, MINUTES)
    other = url.replace("1" * 16, "2" * 16)

    assert [(await fetched(url, "PUT"))[0], (await fetched(url, "DELETE"))[0]] == [403, 403]
    assert (await fetched(other))[0] == 403


async def test_a_link_ends(clients: StorageClients) -> None:
    documents = BlobDocuments(clients)
    stored = await documents.store(IDENTITY, "a", "b/c", content())

    url = await documents.direct_url(stored, timedelta(seconds=-1))

    assert (await fetched(url))[0] == 403


async def test_the_longest_name_fits_into_a_link(clients: StorageClients) -> None:
    documents = BlobDocuments(clients)
    stored = await documents.store(IDENTITY, "🎉" * 5000 + ".pdf", "b/c", content())

    url = await documents.direct_url(stored, MINUTES)

    assert len(url) < 6000
    assert (await fetched(url))[0] == 200


async def test_a_signature_of_the_account_is_never_given_out(azurite: Azurite) -> None:
    blob = f"http://127.0.0.1:{azurite.blob_port}/devstoreaccount1"
    signed = f"BlobEndpoint={blob};SharedAccessSignature=sv=2024-01-01&sig=secret"
    clients = StorageClients({"AzureWebJobsStorage": signed})

    with pytest.raises(StorageUnavailable, match="no AccountKey") as raised:
        await BlobDocuments(clients).direct_url(Document(IDENTITY, "a", "b/c", 1), MINUTES)
    await clients.close()

    assert "secret" not in str(raised.value)


async def test_an_app_with_an_identity_signs_with_a_key_that_it_asks_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clients = StorageClients({"AzureWebJobsStorage__accountName": "account"})
    asked: list[timedelta] = []

    async def give_key(start: datetime, expiry: datetime) -> UserDelegationKey:
        asked.append(expiry - start)
        await asyncio.sleep(0)
        key = UserDelegationKey()  # type: ignore[no-untyped-call]
        key.signed_oid = key.signed_tid = "00000000-0000-4000-8000-000000000000"
        key.signed_start, key.signed_expiry = "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"
        key.signed_service, key.signed_version, key.value = "b", "2024-01-01", "QUJD"
        return key

    monkeypatch.setattr(clients.blobs, "get_user_delegation_key", give_key)
    documents = BlobDocuments(clients)
    document = new_document(IDENTITY, "a.pdf", "application/pdf", 10_000_000)
    urls = await asyncio.gather(*(documents.direct_url(document, MINUTES) for _ in range(3)))
    await clients.close()

    parts, query = urlsplit(urls[0]), parse_qs(urlsplit(urls[0]).query)
    assert len(asked) == 1
    assert parts.geturl().startswith("https://account.blob.core.windows.net/documents/20260302/")
    assert (query["sp"], query["spr"], query["sr"]) == (["r"], ["https"], ["b"])
    assert query["skoid"] == ["00000000-0000-4000-8000-000000000000"]
    assert datetime.fromisoformat(query["se"][0]) < datetime.now(UTC) + timedelta(minutes=6)
