"""What the real adapters do when the storage does something and its answer is lost."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.adapters.storage import claims
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.delivery_rows import new_row
from shared.adapters.storage.ledger import TableLedger
from shared.adapters.storage.sources import TableSourceStates
from shared.adapters.storage.tables import Table
from shared.adapters.storage.transactions import Operation, insert
from shared.domain.errors import StorageUnavailable
from tests.contract.storage.deliveries import page


class LossyTable(Table):
    """Loses the answers of some transactions, after or instead of doing them."""

    def __init__(self, clients: StorageClients, losses: Sequence[str]) -> None:
        super().__init__(clients, "deliveries")
        self._losses = list(losses)
        self.commits = 0

    async def commit(
        self, operations: Sequence[Operation], *, may_repeat: bool = True
    ) -> list[str]:
        """Does the operations and loses the answer, or only the latter."""
        self.commits += 1
        loss = self._losses.pop(0) if self._losses else "none"
        versions = []
        if loss != "request":
            versions = await super().commit(operations, may_repeat=may_repeat)
        if loss != "none":
            raise StorageUnavailable("lost")
        return versions


@pytest.mark.parametrize("loss", ["answer", "request"])
async def test_what_a_claim_inserted_is_new_even_if_the_answer_was_lost(
    clients: StorageClients, loss: str
) -> None:
    mails = page(30)
    await TableLedger(clients).claim(mails[:5])
    table = LossyTable(clients, ["none", loss])
    await TableLedger(clients).claim(mails[5:8])

    assert await claims.claim(table, mails) == mails[8:]
    assert await TableLedger(clients).claim(mails) == []


async def test_a_claim_whose_answer_was_lost_leaves_others_nothing(
    clients: StorageClients,
) -> None:
    mails = page(120)
    claimed = await asyncio.gather(
        claims.claim(LossyTable(clients, ["answer", "answer"]), mails),
        claims.claim(LossyTable(clients, ["answer"]), mails[::-1]),
    )
    keys = [one.key.mail for some in claimed for one in some]

    assert sorted(keys) == [mail.key.mail for mail in mails]


async def test_a_claim_is_given_up_after_some_rounds(clients: StorageClients) -> None:
    table = LossyTable(clients, ["request"] * 100)

    with pytest.raises(StorageUnavailable, match="rounds"):
        await claims.claim(table, page(2))
    assert table.commits == claims.ROUNDS


async def test_rows_that_appear_between_the_rounds_belong_to_their_worker(
    clients: StorageClients,
) -> None:
    mails = page(10)
    rival = Table(clients, "deliveries")

    class Contested(LossyTable):
        async def commit(
            self, operations: Sequence[Operation], *, may_repeat: bool = True
        ) -> list[str]:
            if self.commits < 3:
                await rival.commit([insert(new_row(mails[self.commits], "the rival"))])
            return await super().commit(operations, may_repeat=may_repeat)

    claimed = await claims.claim(Contested(clients, []), mails)

    assert claimed == mails[3:]


async def test_a_table_that_somebody_deletes_is_made_again(clients: StorageClients) -> None:
    ledger, sources = TableLedger(clients), TableSourceStates(clients)
    mails = page(3)
    await ledger.claim(mails)
    await sources.all()
    for name in ("deliveries", "sources"):
        await clients.tables.delete_table(name)

    assert await ledger.read(mails[0].key) is None
    assert await ledger.claim(mails) == mails
    assert await sources.all() == {}
