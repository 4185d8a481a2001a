"""One blob container: made on first use, errors turned into the connector's."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobProperties, ContentSettings
from azure.storage.blob.aio import BlobPrefix, ContainerClient

from shared.adapters.storage.clients import PIECE_BYTES, StorageClients
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

    @property
    def client(self) -> ContainerClient:
        """The library's client, for what is not done here."""
        if self._known_client is None:
            self._known_client = self._clients.blobs.get_container_client(self._name)
        return self._known_client

    async def write(
        self,
        blob: str,
        content: bytes,
        content_type: str,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Writes a blob, over what was there. Metadata is ASCII."""
        await self._made(lambda: self._write(blob, content, content_type, metadata or {}))

    async def write_stream(
        self,
        blob: str,
        content: AsyncIterator[bytes],
        content_type: str,
        metadata: Mapping[str, str],
    ) -> int:
        """Writes a blob of any size, over what was there, with one block of it in memory.

        Until all of it has come, nothing is there; what ``content`` raises goes through.

        Returns:
            its size in bytes.

        Raises:
            StorageUnavailable: also, with the code ``InvalidBlockList``, where somebody else has
                written the blob meanwhile.
        """
        block, staged, size = bytearray(), list[str](), 0
        upload = secrets.token_hex(8)  # two that write at once mix nothing
        async for piece in content:
            block += piece
            size += len(piece)
            while len(block) > PIECE_BYTES:
                with memoryview(block) as view:
                    full = bytes(view[:PIECE_BYTES])
                del block[:PIECE_BYTES]
                staged.append(f"{upload}-{len(staged):05}")
                await self._stage(blob, staged[-1], full)
        if not staged:
            await self.write(blob, bytes(block), content_type, metadata)
            return size
        staged.append(f"{upload}-{len(staged):05}")
        await self._stage(blob, staged[-1], bytes(block))
        async with storage_errors(self._what):
            await self.client.get_blob_client(blob).commit_block_list(
                [BlobBlock(one) for one in staged],
                content_settings=ContentSettings(content_type=content_type),
                metadata=dict(metadata),
            )
        return size

    async def read(self, blob: str) -> bytes | None:
        """The content of a blob; None where there is none."""
        async with storage_errors(self._what):
            try:
                download = await self.client.download_blob(blob)
                return await download.readall()
            except ResourceNotFoundError:
                return None

    async def read_range(self, blob: str, start: int, length: int) -> bytes:
        """A part of a blob that is there; shorter where the blob ends."""
        async with storage_errors(self._what):
            download = await self.client.download_blob(blob, offset=start, length=length)
            return await download.readall()

    async def properties(self, blob: str) -> BlobProperties | None:
        """Size and metadata of a blob; None where there is none."""
        async with storage_errors(self._what):
            try:
                return await self.client.get_blob_client(blob).get_blob_properties()
            except ResourceNotFoundError:
                return None

    async def pages(self, prefix: str) -> AsyncIterator[Sequence[BlobProperties]]:
        """The blobs whose names begin with a prefix, with metadata; one request a page."""
        pages = aiter(self.client.list_blobs(prefix, include=["metadata"]).by_page())
        while page := await self._next_page(pages):
            yield page

    async def directories(self) -> list[str]:
        """What names of blobs begin with, up to the first slash."""
        found: list[str] = []
        pages = aiter(self.client.walk_blobs().by_page())
        while page := await self._next_page(pages):
            found += [one.name.rstrip("/") for one in page if isinstance(one, BlobPrefix)]
        return found

    async def delete(self, blob: str) -> None:
        """Deletes a blob, if it is there."""
        async with storage_errors(self._what):
            try:
                await self.client.delete_blob(blob)
            except ResourceNotFoundError:
                return

    async def _made(self, write: Callable[[], Awaitable[None]]) -> None:
        """Writes into the container, which is made where it is not there or was deleted."""
        await self._first_use.ensure()
        try:
            await write()
        except StorageUnavailable as error:
            if error.code != "ContainerNotFound":
                raise
            self._first_use.forget()
            await self._first_use.ensure()
            await write()

    async def _write(
        self, blob: str, content: bytes, content_type: str, metadata: Mapping[str, str]
    ) -> None:
        async with storage_errors(self._what):
            await self.client.upload_blob(
                blob,
                content,
                overwrite=True,
                content_settings=ContentSettings(content_type=content_type),
                metadata=dict(metadata),
            )

    async def _stage(self, blob: str, block_id: str, content: bytes) -> None:
        async def stage() -> None:
            async with storage_errors(self._what):
                await self.client.get_blob_client(blob).stage_block(block_id, content)

        await self._made(stage)

    async def _next_page(self, pages: AsyncIterator[AsyncIterator[Any]]) -> list[Any]:
        """The next page that holds anything; empty at the end, or without a container."""
        while True:
            async with storage_errors(self._what):
                try:
                    page = [one async for one in await anext(pages)]
                except (StopAsyncIteration, ResourceNotFoundError):
                    return []
            if page:
                return page

    async def _create(self) -> None:
        async with storage_errors(self._what):
            try:
                await self.client.create_container()
            except ResourceExistsError:
                return
