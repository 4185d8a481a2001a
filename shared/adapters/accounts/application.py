"""The app registration that people sign in to, and how it proves to Entra ID that it is itself."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from shared.adapters.graph.federated import EXCHANGE_SCOPE
from shared.domain.errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The app registration.

    Args:
        client_id: its id.
        secret: its client secret; empty where it has none.
        certificate: or its certificate with key: PEM, or PFX in base64; empty where it has none.
        identity: makes the managed identity that its federated credential trusts, for an app
            with neither.
    """

    client_id: str
    identity: Callable[[], AsyncTokenCredential]
    secret: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)

    def checked(self) -> Application:
        """Itself.

        Raises:
            SettingsError: there is no app registration.
        """
        if not self.client_id:
            raise SettingsError(["M365_CLIENT_ID is missing: the app that people sign in to."])
        return self


class Proof:
    """What the app proves itself with, in the form that msal wants.

    Args:
        application: the app registration.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._assertion = ""
        self._identity: AsyncTokenCredential | None = None

    def form(self) -> Any:
        """The `client_credential` of msal's ConfidentialClientApplication.

        Raises:
            SettingsError: the certificate cannot be read.
        """
        if self._application.secret:
            return self._application.secret
        if self._application.certificate:
            return certificate_form(self._application)
        return {"client_assertion": lambda: self._assertion}

    async def renew(self) -> None:
        """Fetches the managed identity's token, which msal asks for in sync; mostly kept already.

        Raises:
            AzureError: there is no managed identity, or it was given no token.
        """
        if self._application.secret or self._application.certificate:
            return
        if self._identity is None:
            self._identity = self._application.identity()
        self._assertion = (await self._identity.get_token(EXCHANGE_SCOPE)).token

    async def close(self) -> None:
        """Closes the identity, if it was used."""
        if self._identity is not None:
            await self._identity.close()


def certificate_form(application: Application) -> dict[str, str]:
    """A certificate and its key as msal wants them: two PEMs."""
    text = application.certificate
    try:
        if "-----BEGIN" in text:
            return {"private_key": text, "public_certificate": _certificate_of(text)}
        private, certificate = _unpacked(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as error:
        app = application.client_id
        raise SettingsError(
            [f"the certificate of the app {app} cannot be read: PEM with key, or PFX in base64."]
        ) from error
    return {"private_key": private, "public_certificate": certificate}


def _unpacked(pfx: bytes) -> tuple[str, str]:
    key, certificate, _ = pkcs12.load_key_and_certificates(pfx, None)
    if key is None or certificate is None:
        raise ValueError("a PFX without key or certificate")
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode(), certificate.public_bytes(Encoding.PEM).decode()


def _certificate_of(text: str) -> str:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    start, stop = text.find(begin), text.find(end)
    if not 0 <= start < stop:
        raise ValueError("no certificate beside the key")
    return text[start : stop + len(end)]
