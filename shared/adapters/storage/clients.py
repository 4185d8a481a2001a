"""The connections to the storage account: by connection string, or by identity."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.utils import parse_connection_string
from azure.data.tables.aio import TableServiceClient
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from shared.domain.errors import SettingsError

SETTING = "AzureWebJobsStorage"

CONNECTIONS = 128
CONNECT_SECONDS = 10
READ_SECONDS = 30
KEEP_ALIVE_SECONDS = 60
RETRIES = 3
PIECE_BYTES = 1024 * 1024

_EMULATOR = "UseDevelopmentStorage=true"
_SERVICES = ("table", "queue", "blob")


class StorageClients:
    """Clients of one storage account, each made when it is first wanted, sharing one pool.

    Use them from one event loop, and close them there.

    Args:
        settings: app settings that begin with ``AzureWebJobsStorage``: a connection string, or
            ``__accountName`` or ``__tableServiceUri`` and the like, with ``__credential`` and
            ``__clientId``.
        retries: how often a request is repeated that failed in the storage or on the way.

    Raises:
        SettingsError: they name no account, or in a form that cannot be read.
    """

    def __init__(self, settings: Mapping[str, str], *, retries: int = RETRIES) -> None:
        self._settings = settings
        self._retries = retries
        self._connection_string = _connection_string(settings)
        missing = [service for service in _SERVICES if not _endpoint(settings, service)]
        if missing and not self._connection_string:
            raise SettingsError(
                [
                    f"{SETTING}: no connection string, and no {SETTING}__accountName or"
                    f" {SETTING}__{service}ServiceUri."
                    for service in missing
                ]
            )

    @property
    def by_identity(self) -> bool:
        """Whether the app's identity opens the account, and no connection string."""
        return not self._connection_string

    @cached_property
    def tables(self) -> TableServiceClient:
        """The tables of the account."""
        options = self._options | {"retry_backoff_factor": 0.4, "retry_backoff_max": 8}
        if self._connection_string:
            return TableServiceClient.from_connection_string(self._connection_string, **options)
        endpoint = _endpoint(self._settings, "table")
        return TableServiceClient(endpoint, credential=self._credential, **options)

    @cached_property
    def queues(self) -> QueueServiceClient:
        """The queues of the account."""
        options = self._options | _PATIENCE
        if self._connection_string:
            return QueueServiceClient.from_connection_string(self._connection_string, **options)
        endpoint = _endpoint(self._settings, "queue")
        return QueueServiceClient(endpoint, credential=self._credential, **options)

    @cached_property
    def blobs(self) -> BlobServiceClient:
        """The blobs of the account."""
        # larger bodies in one piece would hold up the event loop
        pieces = {"max_single_put_size": PIECE_BYTES, "max_block_size": PIECE_BYTES}
        options = self._options | _PATIENCE | pieces
        if self._connection_string:
            return BlobServiceClient.from_connection_string(self._connection_string, **options)
        endpoint = _endpoint(self._settings, "blob")
        return BlobServiceClient(endpoint, credential=self._credential, **options)

    async def close(self) -> None:
        """Closes what was opened. The clients cannot be used afterwards."""
        opened = vars(self)
        for name in ("tables", "queues", "blobs", "_credential", "_session"):
            if name in opened:
                await opened[name].close()

    @cached_property
    def _credential(self) -> AsyncTokenCredential:
        client_id = self._settings.get(f"{SETTING}__clientId") or None
        if self._settings.get(f"{SETTING}__credential", "").lower() == "managedidentity":
            return ManagedIdentityCredential(client_id=client_id)
        if client_id:
            return DefaultAzureCredential(managed_identity_client_id=client_id)
        return DefaultAzureCredential()

    @cached_property
    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # the libraries do it
            trust_env=bool(urllib.request.getproxies()),  # looking for a proxy costs each request
        )

    @cached_property
    def _options(self) -> dict[str, Any]:
        transport = AioHttpTransport(
            session=self._session,
            session_owner=False,
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
        )
        return {
            "transport": transport,
            "retry_total": self._retries,
            "logging_enable": False,
            # a line for each request and answer is too much, and names mail by their keys
            "http_logging_level": logging.DEBUG,
        }


# their default is to wait 15 s and longer, which holds up every mail behind
_PATIENCE = {"initial_backoff": 1, "increment_base": 2, "random_jitter_range": 1}


def _connection_string(settings: Mapping[str, str]) -> str:
    text = settings.get(SETTING, "").strip().rstrip(";")
    if not text:
        return ""
    if text.lower() == _EMULATOR.lower():
        # the table library wants nothing around it, the queue library wants this spelling
        return _EMULATOR
    try:
        fields = parse_connection_string(text)
    except ValueError:
        fields = {}
    if not fields.keys() & {"accountkey", "sharedaccesssignature"}:
        problem = (
            f"{SETTING} is no connection string. It holds AccountName and AccountKey, or"
            " SharedAccessSignature with the addresses of the services."
        )
        raise SettingsError([problem])
    return text


def _endpoint(settings: Mapping[str, str], service: str) -> str:
    account = settings.get(f"{SETTING}__accountName", "").strip()
    default = f"https://{account}.{service}.core.windows.net" if account else ""
    named = settings.get(f"{SETTING}__{service}ServiceUri", "").strip()
    return named.rstrip("/") or default
