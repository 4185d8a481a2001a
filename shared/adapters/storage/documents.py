"""Documents in the container `documents`: a directory for each day, below it one for each mail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from azure.storage.blob import BlobProperties, BlobSasPermissions, generate_blob_sas

from shared.adapters.storage.blobs import Container
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.errors import storage_errors
from shared.domain.document import Document, is_document_id, new_document
from shared.domain.document_names import UNKNOWN_TYPE, content_disposition, safe_type
from shared.domain.errors import StorageUnavailable

CONTAINER = "documents"
DELETED_AT_ONCE = 16

KEY_LIFETIME = timedelta(days=1)
"""How long a user delegation key is asked for; Azure gives up to seven days."""

CLOCK_SKEW = timedelta(minutes=5)
_DAY = re.compile(r"[0-9]{8}")


class BlobDocuments:
    """Fulfils :class:`~shared.ports.Documents`."""

    def __init__(self, clients: StorageClients) -> None:
        self._container = Container(clients, CONTAINER)
        self._signer = _Signer(clients)

    async def known(self, mail_prefix: str) -> Mapping[str, Document]:
        """The documents of one delivery that are stored already, by id; one request."""
        found: dict[str, Document] = {}
        async for page in self._container.pages(f"{_path(mail_prefix)}/"):
            for blob in page:
                identity = blob.name.replace("/", "-")
                if is_document_id(identity):
                    found[identity] = _document(identity, blob)
        return found

    async def store(
        self, identity: str, name: str, content_type: str, content: AsyncIterator[bytes]
    ) -> Document:
        """Stores a document, over what was there; a document is there whole or not at all."""
        kept = new_document(identity, name, content_type, 0)
        # what a sender has made up is no header: percent-encoded it is ASCII, and harmless
        made_up = {"name": kept.name, "type": kept.content_type}
        metadata = {key: quote(text, "") for key, text in made_up.items() if text}
        try:
            size = await self._container.write_stream(
                _path(identity), content, UNKNOWN_TYPE, metadata
            )
        except StorageUnavailable as error:
            stored = await self.find(identity) if error.code == "InvalidBlockList" else None
            if stored is None:
                raise
            return stored  # somebody else was faster
        return Document(identity, kept.name, kept.content_type, size)

    async def find(self, identity: str) -> Document | None:
        """What is known of a document; None where there is none."""
        if not is_document_id(identity):
            return None
        properties = await self._container.properties(_path(identity))
        return None if properties is None else _document(identity, properties)

    async def read(self, identity: str, start: int, length: int) -> bytes:
        """A part of a document that was found: up to ``length`` bytes from ``start``."""
        return await self._container.read_range(_path(identity), start, length) if length else b""

    async def direct_url(self, document: Document, lifetime: timedelta) -> str:
        """An address at which the storage itself gives the document out, as a download."""
        blob = self._container.client.get_blob_client(_path(document.id))
        signature = generate_blob_sas(
            blob.account_name or "",
            blob.container_name,
            blob.blob_name,
            permission=BlobSasPermissions(read=True),
            expiry=datetime.now(UTC) + lifetime,
            protocol="https" if blob.scheme == "https" else "https,http",
            content_disposition=content_disposition(document.name),
            content_type=safe_type(document.content_type),
            **await self._signer.key(lifetime),
        )
        # a client that was itself made with a signature has it in its address
        return f"{blob.url.partition('?')[0]}?{signature}"

    async def expire(self, before: date) -> int:
        """Removes the documents of all days before a day; gives how many."""
        first_kept = f"{before:%Y%m%d}"
        days = await self._container.directories()
        removed = 0
        for day in days:
            if _DAY.fullmatch(day) and day < first_kept:
                removed += await self._expire_day(day)
        return removed

    async def _expire_day(self, day: str) -> int:
        removed = 0
        async for page in self._container.pages(f"{day}/"):
            for start in range(0, len(page), DELETED_AT_ONCE):
                blobs = page[start : start + DELETED_AT_ONCE]
                results = await asyncio.gather(
                    *(self._container.delete(blob.name) for blob in blobs), return_exceptions=True
                )
                for failure in results:
                    if failure is not None:
                        raise failure
                removed += len(blobs)
        return removed


class _Signer:
    """The key that links into the storage are signed with."""

    def __init__(self, clients: StorageClients) -> None:
        self._clients = clients
        self._delegated: Any = None
        self._delegated_until = datetime.min.replace(tzinfo=UTC)
        self._asking = asyncio.Lock()

    async def key(self, lifetime: timedelta) -> dict[str, Any]:
        """The argument of the library's function, good for so long at least.

        Raises:
            StorageUnavailable: there is none, or it could not be had.
        """
        service = self._clients.blobs
        if account_key := getattr(service.credential, "account_key", None):
            return {"account_key": account_key}
        if not self._clients.by_identity:
            raise StorageUnavailable(
                "no link to a document: the connection string has no AccountKey to sign it with"
            )
        async with self._asking:
            now = datetime.now(UTC)
            if self._delegated_until < now + lifetime:
                until = now + KEY_LIFETIME
                async with storage_errors("user delegation key"):
                    self._delegated = await service.get_user_delegation_key(now - CLOCK_SKEW, until)
                self._delegated_until = until
            return {"user_delegation_key": self._delegated}


def _path(identity: str) -> str:
    """The blob's name: day, mail and part of a document's id, or of a prefix of it."""
    return identity.replace("-", "/")


def _document(identity: str, blob: BlobProperties) -> Document:
    metadata = blob.metadata or {}
    return Document(
        identity,
        unquote(metadata.get("name", "")),
        unquote(metadata.get("type", "")),
        blob.size,
    )
