from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import (
    ClientSecretCredential,
    ManagedIdentityCredential,
)

from shared.adapters.graph.credentials import build_credential
from shared.adapters.graph.federated import FederatedCredential
from shared.adapters.secrets import SecretStore
from shared.domain.errors import SecretNotFound, SettingsError
from shared.domain.subscription import Credential
from shared.settings import Settings

Build = Callable[..., Awaitable[AsyncTokenCredential]]
ROW = Credential(tenant_id="row.example", client_id="row-app", secret="ROW")
SECRETS = {"ROW": "hunter2", "CERTIFICATE": "bm8gY2VydGlmaWNhdGU="}


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    """Builds credentials, and closes them."""
    built: list[AsyncTokenCredential] = []

    async def build_one(credential: Credential, **environment: str) -> AsyncTokenCredential:
        settings = Settings.from_environment({"AzureWebJobsStorage": "x", **environment})
        built.append(await build_credential(credential, settings, SecretStore(SECRETS)))
        return built[-1]

    yield build_one
    for one in built:
        await one.close()


DEFAULT_APP = {"M365_TENANT_ID": "set.example", "M365_CLIENT_ID": "set-app"}


@pytest.mark.parametrize(
    ("credential", "environment", "kind"),
    [
        (Credential(), {}, ManagedIdentityCredential),
        (Credential(), {"MANAGED_IDENTITY_CLIENT_ID": "id"}, ManagedIdentityCredential),
        (Credential(), DEFAULT_APP | {"M365_CLIENT_SECRET": "s"}, ClientSecretCredential),
        (Credential(), DEFAULT_APP, FederatedCredential),
        (ROW, {}, ClientSecretCredential),
        (
            Credential(client_id="row-app"),
            DEFAULT_APP | {"M365_CLIENT_SECRET": "s"},
            FederatedCredential,
        ),
        (
            Credential(tenant_id="row.example"),
            DEFAULT_APP | {"M365_CLIENT_SECRET": "s"},
            ClientSecretCredential,
        ),
    ],
)
async def test_what_a_row_and_the_settings_lead_to(
    build: Build, credential: Credential, environment: dict[str, Any], kind: type
) -> None:
    """A row's own app never gets the secret of the default one."""
    assert isinstance(await build(credential, **environment), kind)


async def test_a_secret_that_is_not_there_is_named(build: Build) -> None:
    """By its name."""
    with pytest.raises(SecretNotFound, match="'OTHER'"):
        await build(Credential(tenant_id="t", client_id="c", secret="OTHER"))


async def test_an_app_needs_a_tenant(build: Build) -> None:
    """Of the row or the settings."""
    with pytest.raises(SettingsError, match="M365_TENANT_ID is missing for the app row-app"):
        await build(Credential(client_id="row-app", secret="ROW"))


@pytest.mark.parametrize("certificate", ["hunter2!", "bm8gY2VydGlmaWNhdGU=", "-----BEGIN X-----"])
async def test_a_certificate_that_cannot_be_read_is_named(build: Build, certificate: str) -> None:
    """By its app; its text is not shown."""
    with pytest.raises(SettingsError, match="certificate of the app set-app cannot") as raised:
        await build(Credential(), **DEFAULT_APP, M365_CLIENT_CERTIFICATE=certificate)

    assert "hunter2" not in str(raised.value)
