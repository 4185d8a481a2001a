from dataclasses import replace

from localdev.azurite import Azurite
from localdev.storage_faults import FaultKind, StorageFaults
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.sources import TableSourceStates
from shared.domain.source import SourceState


async def test_a_write_whose_answer_is_lost_is_known_as_ones_own() -> None:
    """The library repeats it, and its own first try is what it then collides with."""
    async with Azurite() as azurite, StorageFaults(azurite.connection_string) as faults:
        clients = StorageClients({"AzureWebJobsStorage": faults.connection_string})
        states = TableSourceStates(clients)
        try:
            state = await states.write(SourceState(id="source"))
            assert state is not None
            faults.fail_next(FaultKind.FAILED)
            written = await states.write(replace(state, failures=1))
            assert written is not None
        finally:
            await clients.close()
