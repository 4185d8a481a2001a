"""Documents in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from shared.domain.document import Document, is_document_id, kept_on, new_document
from shared.domain.errors import StorageUnavailable


class FakeDocuments:
    """Fulfils :class:`~shared.ports.Documents`.

    Args:
        stored: documents and their bytes by id, shared by those that stand for workers.

    Attributes:
        asked: how often each method was called.
        failing: the methods that the storage does not do now.
        largest_piece: the most bytes that came at once.
    """

    def __init__(self, stored: dict[str, tuple[Document, bytes]] | None = None) -> None:
        self.stored = {} if stored is None else stored
        self.asked: Counter[str] = Counter()
        self.failing: set[str] = set()
        self.largest_piece = 0

    async def known(self, mail_prefix: str) -> Mapping[str, Document]:
        """The documents of one delivery that are stored already, by id."""
        self._called("known")
        return {
            identity: document
            for identity, (document, _) in self.stored.items()
            if identity.startswith(f"{mail_prefix}-")
        }

    async def store(
        self, identity: str, name: str, content_type: str, content: AsyncIterator[bytes]
    ) -> Document:
        """Stores a document, over what was there; it is there whole or not at all."""
        self._called("store")
        collected = bytearray()
        async for piece in content:
            self.largest_piece = max(self.largest_piece, len(piece))
            collected += piece
        document = replace(new_document(identity, name, content_type, 0), size=len(collected))
        self.stored[identity] = (document, bytes(collected))
        return document

    async def find(self, identity: str) -> Document | None:
        """What is known of a document; None where there is none."""
        self._called("find")
        if not is_document_id(identity) or identity not in self.stored:
            return None
        return self.stored[identity][0]

    async def read(self, identity: str, start: int, length: int) -> bytes:
        """A part of a document."""
        self._called("read")
        if identity not in self.stored:
            raise StorageUnavailable("container documents: answered 404", 404)
        return self.stored[identity][1][start : start + length]

    async def direct_url(self, document: Document, lifetime: timedelta) -> str:
        """An address that says what it is of, and for how long."""
        self._called("direct_url")
        return f"https://storage.example/{document.id}?seconds={lifetime.total_seconds():.0f}"

    async def expire(self, before: date) -> int:
        """Removes the documents of all days before a day; gives how many."""
        self._called("expire")
        old = [identity for identity in self.stored if kept_on(identity) < before]
        for identity in old:
            del self.stored[identity]
        return len(old)

    def content(self, identity: str) -> bytes:
        """The bytes of a document."""
        return self.stored[identity][1]

    def _called(self, method: str) -> None:
        self.asked[method] += 1
        if method in self.failing:
            raise StorageUnavailable(f"container documents: {method} answered 503", 503)
