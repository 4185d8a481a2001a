"""Credentials for a subscription: secret, certificate, managed identity, or somebody's account."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import (
    CertificateCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
)

from shared.adapters.graph.federated import FederatedCredential
from shared.adapters.secrets import SecretStore
from shared.domain.errors import SettingsError
from shared.domain.subscription import Credential
from shared.settings import Settings


async def build_credential(
    credential: Credential,
    settings: Settings,
    secrets: SecretStore,
    account: Callable[[str], AsyncTokenCredential] | None = None,
) -> AsyncTokenCredential:
    """The credential for what a row says; what the row leaves open comes from the app settings.

    An app without secret and certificate is used by way of the managed identity, which its
    federated credential trusts; without an app, the managed identity itself is used.

    Args:
        credential: what the row says.
        settings: the app settings.
        secrets: what ``{{secrets.NAME}}`` refers to.
        account: gives the credential of a delegated account, by the account's name.

    Raises:
        SecretNotFound: a secret that the row names is not there.
        SettingsError: a certificate cannot be read, or the tenant is missing.
    """
    if credential.account and account is not None:
        return account(credential.account)
    try:
        return await _built(credential, settings, secrets)
    except ValueError as error:  # azure-identity refuses what is no tenant
        raise SettingsError(
            ["tenant and app cannot be used; check tenantId and clientId."]
        ) from error


async def _built(
    credential: Credential, settings: Settings, secrets: SecretStore
) -> AsyncTokenCredential:
    tenant = credential.tenant_id or settings.m365_tenant_id
    client = credential.client_id or settings.m365_client_id
    if not client:
        return _identity(settings)
    if not tenant:
        raise SettingsError([f"tenantId or M365_TENANT_ID is missing for the app {client}."])
    own_app = bool(credential.client_id)
    if credential.secret or (not own_app and settings.m365_client_secret):
        secret = (
            await secrets.get(credential.secret)
            if credential.secret
            else settings.m365_client_secret
        )
        return ClientSecretCredential(tenant, client, secret)
    if credential.certificate or (not own_app and settings.m365_client_certificate):
        certificate = (
            await secrets.get(credential.certificate)
            if credential.certificate
            else settings.m365_client_certificate
        )
        return _with_certificate(tenant, client, certificate)
    return FederatedCredential(tenant, client, _identity(settings))


def _identity(settings: Settings) -> ManagedIdentityCredential:
    return ManagedIdentityCredential(client_id=settings.managed_identity_client_id or None)


def _with_certificate(tenant: str, client: str, text: str) -> CertificateCredential:
    try:
        data = text.encode() if "-----BEGIN" in text else base64.b64decode(text, validate=True)
        return CertificateCredential(tenant, client, certificate_data=data)
    except (ValueError, binascii.Error) as error:
        raise SettingsError(
            [f"the certificate of the app {client} cannot be read: PEM with key, or PFX in base64."]
        ) from error
