"""Claims deliveries in the table `deliveries`: each by one caller only, whatever is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from shared.adapters.storage.delivery_rows import CLAIM, new_row
from shared.adapters.storage.lookup import find
from shared.adapters.storage.tables import CONFLICT, Table
from shared.adapters.storage.transactions import TRANSACTION_LIMIT, insert
from shared.domain.delivery import Delivery
from shared.domain.errors import StorageUnavailable

ROUNDS = 5
"""How often a page is tried while other workers claim parts of it."""


async def claim(table: Table, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Inserts those of one source that are not known yet, and gives them, in order."""
    by_mail: dict[str, Delivery] = {}
    for delivery in deliveries:
        by_mail.setdefault(delivery.key.mail, delivery)  # Graph may list a mail twice
    unique = list(by_mail.values())
    token = uuid4().hex
    new: set[str] = set()
    for start in range(0, len(unique), TRANSACTION_LIMIT):
        new |= await _claim_some(table, unique[start : start + TRANSACTION_LIMIT], token)
    return [delivery for delivery in unique if delivery.key.mail in new]


async def _claim_some(table: Table, deliveries: Sequence[Delivery], token: str) -> set[str]:
    """Inserts first and looks only if that fails; gives the keys that this call has inserted.

    An insert whose answer was lost may have taken effect: the token in the row tells it from one
    that another worker made.
    """
    waiting = {delivery.key.mail: delivery for delivery in deliveries}
    new: set[str] = set()
    failure: StorageUnavailable | None = None
    for _ in range(ROUNDS):
        if not waiting:
            return new
        try:
            await table.commit([insert(new_row(one, token)) for one in waiting.values()])
        except StorageUnavailable as error:
            if error.status != CONFLICT and not error.retryable:
                raise
            failure = error
        else:
            return new | waiting.keys()
        source = deliveries[0].key.source
        for row in await find(table, source, waiting, ["RowKey", CLAIM]):
            del waiting[row["RowKey"]]
            if row[CLAIM] == token:
                new.add(row["RowKey"])
    if not waiting:
        return new
    raise StorageUnavailable(
        f"table deliveries: a page could not be claimed in {ROUNDS} rounds"
    ) from failure
