"""Everything around the app on one machine: storage, a simulated Graph, a target for mail."""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.data.tables.aio import TableServiceClient

from localdev.azurite import Azurite
from localdev.callback_receiver import CallbackReceiver, RunningReceiver
from localdev.graph_simulator import CLIENT_ID, TENANT_ID, GraphSimulator, RunningSimulator


def new_signing_secret() -> str:
    """A secret as Standard Webhooks wants it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


@dataclass(frozen=True, slots=True)
class LocalStack:
    """What runs.

    Args:
        storage: connection string of the storage emulator.
        signing_secret: what callbacks are signed with.
    """

    storage: str
    simulator: GraphSimulator
    graph: RunningSimulator
    receiver: CallbackReceiver
    callbacks: RunningReceiver
    signing_secret: str

    @property
    def app_settings(self) -> dict[str, str]:
        """The app settings with which the app finds its way around here."""
        return {
            **self.graph.environment,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "AzureWebJobsStorage": self.storage,
            "POLL_SCHEDULE": "*/2 * * * * *",
            "RECOVERY_SCHEDULE": "*/30 * * * * *",
            "M365_TENANT_ID": TENANT_ID,
            "M365_CLIENT_ID": CLIENT_ID,
            "M365_CLIENT_SECRET": self.simulator.secret,
            "GRAPH_ENDPOINT": self.graph.graph_url,
            "PLAIN_HTTP_HOSTS": "127.0.0.1",
            "WEBHOOK_SIGNING_SECRET": self.signing_secret,
        }

    async def subscribe(self, name: str, **columns: Any) -> None:
        """Writes a row of the table `subscriptions`, as an operator would.

        Args:
            name: ``PartitionKey/RowKey``.
            columns: instead of the defaults: a webhook that has mail moved to `Processed`.
        """
        partition, _, row = name.partition("/")
        defaults = {
            "target": "webhook",
            "targetUrl": self.callbacks.hook(row),
            "messageName": "mail-received",
        }
        if "postProcess" not in columns:
            columns |= {"postProcess": "move", "moveTo": "Processed", "createFolder": True}
        async with TableServiceClient.from_connection_string(self.storage) as service:
            table = await service.create_table_if_not_exists("subscriptions")
            keys = {"PartitionKey": partition, "RowKey": row}
            await table.upsert_entity({**keys, **defaults, **columns})


@asynccontextmanager
async def local_stack(
    simulator: GraphSimulator, receiver: CallbackReceiver, signing_secret: str, directory: Path
) -> AsyncIterator[LocalStack]:
    """Runs all of it as long as the block does.

    Args:
        simulator: the Graph to serve.
        receiver: the target to serve; made with the same secret.
        signing_secret: see :func:`new_signing_secret`.
        directory: where certificates are kept.
    """
    async with (
        Azurite() as azurite,
        simulator.serve(ca_dir=directory) as graph,
        receiver.serve() as callbacks,
    ):
        yield LocalStack(
            azurite.connection_string, simulator, graph, receiver, callbacks, signing_secret
        )
