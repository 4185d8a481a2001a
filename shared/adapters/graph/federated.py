"""An app used by way of the managed identity that its federated credential trusts."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import ClientAssertionCredential

EXCHANGE_SCOPE = "api://AzureADTokenExchange/.default"


class FederatedCredential(AsyncTokenCredential):
    """Signs in as an app; the managed identity's token is the app's assertion.

    azure-identity asks for the assertion in sync, within the event loop. So it is fetched before,
    without holding up the loop; the identity's credential keeps it while it is good.

    Args:
        tenant: of the app.
        client: id of the app.
        identity: the managed identity; closed with this.
    """

    def __init__(self, tenant: str, client: str, identity: AsyncTokenCredential) -> None:
        self._identity = identity
        self._assertion = ""
        self._app = ClientAssertionCredential(tenant, client, lambda: self._assertion)

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token of the app."""
        self._assertion = (await self._identity.get_token(EXCHANGE_SCOPE)).token
        return await self._app.get_token(*scopes, **options)

    async def close(self) -> None:
        """Closes both."""
        await self._app.close()
        await self._identity.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
