"""Requests that get lost on the way, with the real libraries in between."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from localdev.azurite import Azurite
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.ledger import TableLedger
from shared.domain.delivery import State
from tests.contract.storage.deliveries import NOW, page


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths whose next request is done, but its answer lost, once for each time listed."""
    paths: list[str] = []
    request = aiohttp.ClientSession._request  # noqa: SLF001 - there is no public place between

    async def lossy(
        session: aiohttp.ClientSession, method: str, url: str, **options: object
    ) -> aiohttp.ClientResponse:
        answer = await request(session, method, url, **options)  # type: ignore[arg-type]
        found = next((path for path in paths if path in url), None)
        if found is None:
            return answer
        paths.remove(found)
        answer.release()
        raise aiohttp.ServerDisconnectedError

    monkeypatch.setattr(aiohttp.ClientSession, "_request", lossy)
    return paths


@pytest.fixture
async def ledger(azurite: Azurite, clients: StorageClients) -> AsyncIterator[TableLedger]:
    assert azurite.pid
    ledger = TableLedger(clients)
    await ledger.claim(page(1, "warm"))
    yield ledger
    await ledger.close()


async def test_a_claim_survives_a_connection_that_breaks(
    ledger: TableLedger, lost: list[str]
) -> None:
    mails = page(20)
    lost.append("$batch")

    assert await ledger.claim(mails) == mails
    assert lost == []


async def test_a_save_survives_a_connection_that_breaks(
    ledger: TableLedger, lost: list[str]
) -> None:
    (mail,) = await ledger.claim(page(1))
    lost.append("$batch")
    await ledger.save(mail.ended(State.DONE, NOW))

    assert lost == []
    assert await ledger.read(mail.key) == mail.ended(State.DONE, NOW)
