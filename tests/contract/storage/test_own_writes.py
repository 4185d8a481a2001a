"""A write that the library repeats, for its answer was lost, collides with its own first try."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from localdev.azurite import Azurite
from localdev.storage_faults import FaultKind, StorageFaults
from shared.adapters.accounts.tables import TableAccounts
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.sources import TableSourceStates
from shared.domain.source import SourceState
from tests.contract.storage.test_accounts import WHOLE


@asynccontextmanager
async def faulty_storage() -> AsyncIterator[tuple[StorageClients, StorageFaults]]:
    """A storage that loses answers when it is told to."""
    async with Azurite() as azurite, StorageFaults(azurite.connection_string) as faults:
        clients = StorageClients({"AzureWebJobsStorage": faults.connection_string})
        try:
            yield clients, faults
        finally:
            await clients.close()


async def test_a_write_whose_answer_is_lost_is_known_as_ones_own() -> None:
    """A source is not taken for another worker's."""
    async with faulty_storage() as (clients, faults):
        states = TableSourceStates(clients)
        state = await states.write(SourceState(id="source"))
        assert state is not None
        faults.fail_next(FaultKind.FAILED)

        assert await states.write(replace(state, failures=1)) is not None


async def test_a_sign_in_whose_storing_is_not_answered_is_known_as_ones_own() -> None:
    """A refresh token that was rotated is not taken for another worker's."""
    async with faulty_storage() as (clients, faults):
        accounts = TableAccounts(clients)
        stored = await accounts.write(WHOLE)
        assert stored is not None
        faults.fail_next(FaultKind.FAILED)

        assert await accounts.write(replace(stored, error="rotated")) is not None
