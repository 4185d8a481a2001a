"""The queues of a storage account, reached as a binding's `connection` says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any, Self

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from localdev.functions_host.errors import HostError

# What a request can fail with that is the storage's or the network's doing.
STORAGE_ERRORS = (AzureError, TimeoutError, OSError)

# The whole of one operation, retries included.
_OPERATION_SECONDS = 60.0
_CLIENT_OPTIONS: dict[str, Any] = {
    "connection_timeout": 5,
    "read_timeout": 20,
    "retry_total": 3,
    "initial_backoff": 1,
    "increment_base": 2,
}

# Someone else has the message by now, or it or its queue is gone: nothing is left to do.
_GONE = frozenset({"PopReceiptMismatch", "MessageNotFound", "QueueBeingDeleted", "QueueDisabled"})


class StorageQueue:
    """One queue, as the queue listener uses it. Created when it is missing."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client
        self.name = client.queue_name

    async def receive(self, count: int, hidden_seconds: int) -> list[QueueMessage]:
        """Return up to so many messages (at most 32), in one request, and hide them."""
        async with asyncio.timeout(_OPERATION_SECONDS):
            try:
                return await self._receive(count, hidden_seconds)
            except ResourceNotFoundError:
                await self._create()
                return await self._receive(count, hidden_seconds)

    async def send(self, text: str) -> None:
        """Add a message, which is not encoded here."""
        async with asyncio.timeout(_OPERATION_SECONDS):
            try:
                await self._client.send_message(text)
            except ResourceNotFoundError:
                await self._create()
                await self._client.send_message(text)

    async def delete(self, message: QueueMessage) -> None:
        """Delete a message that was received, unless someone else has it by now."""
        async with asyncio.timeout(_OPERATION_SECONDS):
            try:
                await self._client.delete_message(message)
            except HttpResponseError as error:
                if not _is_gone(error):
                    raise

    async def hide(self, message: QueueMessage, seconds: int) -> bool:
        """Hide a received message for so many seconds more; false if it is no longer ours."""
        async with asyncio.timeout(_OPERATION_SECONDS):
            try:
                updated = await self._client.update_message(message, visibility_timeout=seconds)
            except HttpResponseError as error:
                if not _is_gone(error):
                    raise
                return False
        message.pop_receipt = updated.pop_receipt
        return True

    async def _receive(self, count: int, hidden_seconds: int) -> list[QueueMessage]:
        pages: AsyncIterator[AsyncIterator[QueueMessage]] = self._client.receive_messages(
            messages_per_page=count, max_messages=count, visibility_timeout=hidden_seconds
        ).by_page()
        async for page in pages:
            return [message async for message in page]
        return []

    async def _create(self) -> None:
        with contextlib.suppress(ResourceExistsError):
            await self._client.create_queue()


def _is_gone(error: HttpResponseError) -> bool:
    code = getattr(error, "error_code", None)
    return isinstance(error, ResourceNotFoundError) or code in _GONE


class StorageAccounts:
    """Opens each connection once and closes all of them at the end."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._services: dict[str, QueueServiceClient] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        self._services.clear()

    async def queue(self, connection: str, name: str) -> StorageQueue:
        """Return a queue of the account that the setting `connection` names."""
        service = self._services.get(connection)
        if service is None:
            service = await self._stack.enter_async_context(self._open(connection))
            self._services[connection] = service
        return StorageQueue(service.get_queue_client(name))

    def _open(self, connection: str) -> QueueServiceClient:
        """Open a connection: a connection string, or the parts of an identity-based one.

        https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger#connections
        """
        for prefix in (connection, f"AzureWebJobs{connection}"):
            if text := self._settings.get(prefix):
                return QueueServiceClient.from_connection_string(text, **_CLIENT_OPTIONS)
            url = self._settings.get(f"{prefix}__queueServiceUri")
            if account := self._settings.get(f"{prefix}__accountName"):
                url = url or f"https://{account}.queue.core.windows.net"
            if url:
                credential = self._credential(self._settings.get(f"{prefix}__clientId"))
                return QueueServiceClient(url, credential=credential, **_CLIENT_OPTIONS)
        raise HostError(
            f"the storage connection {connection} is not set: neither the app setting"
            f" {connection} nor {connection}__queueServiceUri"
        )

    def _credential(self, client_id: str | None) -> Any:
        # Loaded here only: a machine with Azurite does without.
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415

        credential = DefaultAzureCredential(managed_identity_client_id=client_id)
        self._stack.push_async_exit(credential)
        return credential
