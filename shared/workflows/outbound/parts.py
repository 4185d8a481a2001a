"""The files of a mail that goes out: where their bytes are, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.document import is_document_id
from shared.domain.errors import Refusal, SendRefused, StorageUnavailable
from shared.domain.outbound.graph_json import attachment
from shared.domain.outbound.mail import OutgoingAttachment, usable_type
from shared.outbound_ports import Upload
from shared.ports import Documents

LARGEST_FILE = 150 * 1024 * 1024
"""Bytes of one file, and of all files of a mail (Graph and Exchange Online)."""

LARGEST_POST = 3_000_000
"""Bytes of a file from which on it needs an upload session."""

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Part:
    """A file to be sent.

    Args:
        name: file name.
        content_type: MIME type; may be empty.
        content_id: of an inline image.
        size: bytes.
        content: the bytes, where the caller has sent them.
        document_id: else the document that has them.
        documents: where that is.
    """

    name: str
    content_type: str
    content_id: str | None
    size: int
    content: bytes | None
    document_id: str
    documents: Documents

    async def read(self, start: int, length: int) -> bytes:
        """A part of the bytes.

        Raises:
            SendRefused: the document has expired meanwhile.
            StorageUnavailable: it cannot be read now.
        """
        if self.content is not None:
            return self.content[start : start + length]
        try:
            found = await self.documents.read(self.document_id, start, length)
        except StorageUnavailable as error:
            if error.status == _NOT_FOUND:
                raise _no_document(self.document_id) from error
            raise
        if not found:
            raise _no_document(self.document_id)
        return found

    async def whole(self) -> dict[str, Any]:
        """The file as Graph's JSON, with its bytes."""
        content = await self.read(0, self.size) if self.size else b""
        return attachment(self.name, self.content_type, self.content_id, content)

    def upload(self) -> Upload:
        """The file as an upload session wants it described."""
        return Upload(self.name, self.size, self.content_type, self.content_id)


async def parts_of(attachments: Iterable[OutgoingAttachment], documents: Documents) -> list[Part]:
    """The files of a mail.

    Raises:
        SendRefused: a document is not there, or all together are too large.
        StorageUnavailable: documents cannot be looked up now.
    """
    parts = [await _part(one, documents) for one in attachments]
    if sum(part.size for part in parts) > LARGEST_FILE:
        raise SendRefused(
            Refusal.TOO_LARGE,
            f"the attachments have more than {LARGEST_FILE // 2**20} MB together. Send fewer, or a"
            " link to them.",
        )
    return parts


def weight(parts: Sequence[Part]) -> int:
    """Bytes that the files take in a request, in base64 and with what describes them."""
    return sum(part.size * 4 // 3 + 600 + 6 * len(part.name) for part in parts)


async def _part(one: OutgoingAttachment, documents: Documents) -> Part:
    if one.content is not None:
        return Part(
            one.name, one.content_type, one.content_id, len(one.content), one.content, "", documents
        )
    identity = one.document_id or ""
    document = await documents.find(identity) if is_document_id(identity) else None
    if document is None:
        raise _no_document(identity)
    return Part(
        one.name or document.name,
        one.content_type or usable_type(document.content_type),
        one.content_id,
        document.size,
        None,
        identity,
        documents,
    )


def _no_document(identity: str) -> SendRefused:
    name = identity if is_document_id(identity) else "of that id"
    return SendRefused(
        Refusal.NO_DOCUMENT,
        f"there is no document {name}, or it has expired (DOCUMENT_RETENTION). Send the bytes.",
    )
