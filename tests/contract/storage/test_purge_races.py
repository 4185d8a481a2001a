"""A purge while other workers go on."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.ledger import TableLedger
from shared.adapters.storage.tables import Table
from shared.adapters.storage.transactions import Operation
from shared.domain.delivery import State
from tests.contract.storage.deliveries import NOW, page

LATER = NOW + timedelta(days=1)


@pytest.mark.parametrize("others", [0, 4])
async def test_a_memory_that_is_renewed_during_a_purge_is_kept(
    clients: StorageClients, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """Else a mail that is still listed would be taken in again."""
    ended = [mail.ended(State.DONE, NOW) for mail in page(1 + others)]
    renewed = ended[0].ended(State.DONE, LATER)
    ledger, other_worker = TableLedger(clients), TableLedger(clients)
    await ledger.claim(ended)
    commit = Table.commit

    async def commit_later(table: Table, operations: Sequence[Operation]) -> None:
        monkeypatch.setattr(Table, "commit", commit)
        await other_worker.save(renewed)
        await table.commit(operations)

    monkeypatch.setattr(Table, "commit", commit_later)

    assert await ledger.purge("source", LATER) == others
    assert await ledger.read(renewed.key) == renewed


async def test_two_workers_may_purge_at_once(
    clients: StorageClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = [mail.ended(State.DONE, NOW) for mail in page(5)]
    ledger, other_worker = TableLedger(clients), TableLedger(clients)
    await ledger.claim(ended)
    commit = Table.commit
    purged = []

    async def commit_later(table: Table, operations: Sequence[Operation]) -> None:
        monkeypatch.setattr(Table, "commit", commit)
        purged.append(await other_worker.purge("source", LATER))
        await table.commit(operations)

    monkeypatch.setattr(Table, "commit", commit_later)

    assert await ledger.purge("source", LATER) == 0
    assert purged == [5]
