"""One blob container: made on first use, errors turned into the connector's."""

from __future__ import annotations

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContentSettings
from azure.storage.blob.aio import ContainerClient

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.errors import storage_errors
from shared.adapters.storage.first_use import FirstUse
from shared.domain.errors import StorageUnavailable


class Container:
    """A blob container of the account.

    Every method raises :class:`~shared.domain.errors.StorageUnavailable`.
    """

    def __init__(self, clients: StorageClients, name: str) -> None:
        self._clients = clients
        self._name = name
        self._what = f"container {name}"
        self._known_client: ContainerClient | None = None
        self._first_use = FirstUse(self._create)

    async def write(self, blob: str, content: bytes, content_type: str) -> None:
        """Writes a blob, over what was there."""
        try:
            await self._write(blob, content, content_type)
        except StorageUnavailable as error:
            if error.code != "ContainerNotFound":
                raise
            self._first_use.forget()
            await self._write(blob, content, content_type)

    async def read(self, blob: str) -> bytes | None:
        """The content of a blob; None where there is none."""
        async with storage_errors(self._what):
            try:
                download = await self._client.download_blob(blob)
                return await download.readall()
            except ResourceNotFoundError:
                return None

    async def delete(self, blob: str) -> None:
        """Deletes a blob, if it is there."""
        async with storage_errors(self._what):
            try:
                await self._client.delete_blob(blob)
            except ResourceNotFoundError:
                return

    async def _write(self, blob: str, content: bytes, content_type: str) -> None:
        await self._first_use.ensure()
        async with storage_errors(self._what):
            await self._client.upload_blob(
                blob,
                content,
                overwrite=True,
                content_settings=ContentSettings(content_type=content_type),
            )

    @property
    def _client(self) -> ContainerClient:
        if self._known_client is None:
            self._known_client = self._clients.blobs.get_container_client(self._name)
        return self._known_client

    async def _create(self) -> None:
        async with storage_errors(self._what):
            try:
                await self._client.create_container()
            except ResourceExistsError:
                return
