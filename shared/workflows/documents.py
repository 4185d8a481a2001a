"""Keeping a mail's attachments, and the mail as it came, as documents.

What is small comes in one request for all; the rest is streamed, so that memory holds a few blocks
of it however large it is. What is stored already is neither fetched nor stored again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.domain.delivery import Delivery
from shared.domain.document import MIME, Document, document_id, kept_from, mail_prefix
from shared.domain.document_links import DocumentLinks
from shared.domain.document_names import with_ending
from shared.domain.errors import (
    AnswerTooLarge,
    MailboxError,
    MailboxUnavailable,
    MailNotFound,
    SignInRefused,
)
from shared.domain.mail import Mail
from shared.domain.subscription import KeptDocuments
from shared.ports import MailboxAddress, Ports
from shared.telemetry import logger
from shared.workflows.concurrency import for_each
from shared.workflows.memory_budget import MemoryBudget, Turns

SMALL = 3 * 1024 * 1024
"""Bytes that all files of a mail may have together to be fetched in one request."""

_FORBIDDEN = 403

AT_ONCE = 3
"""Streams of one mail; a mailbox serves four requests at a time."""

ANSWER_WEIGHT = 4
"""Bytes held for a byte of an answer in base64: as it came, as text, as JSON, unpacked."""

STREAM_WEIGHT = 4 * 1024 * 1024
"""Bytes held for a stream: a block that fills, one on its way, and buffers of the network."""

_OVERHEAD = 64 * 1024
"""Bytes that Exchange may count to an attachment beside its own."""

_NOTHING: Mapping[str, Any] = {"documentId": None, "url": None, "error": None}

_SLICE = 1024 * 1024
_HEAD = 64
"""Bytes that tell the kind of an item."""

_ITEMS = {
    b"BEGIN:VCALENDAR": (".ics", "text/calendar"),
    b"BEGIN:VCARD": (".vcf", "text/vcard"),
}
_MAIL_ITEM = (".eml", "message/rfc822")

Entry = dict[str, Any]
Open = Callable[[], AbstractAsyncContextManager[AsyncIterator[bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How documents are kept; from the app settings.

    Args:
        links: makes the addresses that mails carry.
        memory: what all attachments of this worker may take at once.
        turns: so that one mailbox that is throttled does not hold all of the memory.
        largest: bytes of one document.
    """

    links: DocumentLinks
    memory: MemoryBudget
    largest: int
    turns: Turns = field(default_factory=Turns)


async def keep_documents(  # noqa: PLR0917 - what one step needs
    mail: Mail,
    delivery: Delivery,
    wanted: KeptDocuments,
    address: MailboxAddress,
    ports: Ports,
    keeping: Keeping,
    *,
    patient: bool,
) -> Mail:
    """Stores what is wanted of a mail and is not stored yet.

    Args:
        mail: the mail; not changed.
        delivery: the mail's delivery, from which the documents' ids follow.
        wanted: what of the mail is kept; a body is not kept here.
        address: the mailbox.
        ports: of which mailboxes and documents are used.
        keeping: how documents are kept.
        patient: whether the mail can still wait for what its mailbox does not give now.

    Returns:
        a copy whose attachments say where their bytes are (`documentId`, `url`, real `size`), or
        why nowhere (`error`); with `mime` likewise, where that is wanted.

    Raises:
        MailboxUnavailable: something cannot be had now, and the mail can wait, or the mailbox is
            throttled. What was stored is found at the next attempt.
        MailboxRefused: the app is not let in: that says nothing about an attachment.
        StorageUnavailable: something cannot be stored.
    """
    since = kept_from(delivery, ports.clock.now())
    kept: Mail = {**mail, "attachments": [{**one, **_NOTHING} for one in mail["attachments"]]}
    parts: list[_Part] = []
    for entry in kept["attachments"] if wanted.attachments else ():
        if entry["kind"] == "reference":
            # Graph's v1.0 does not say where the file is: the mail itself does
            entry["link"] = mail["webLink"] or None
        else:
            parts.append(_part(entry, delivery, since, address, ports))
    if wanted.mime:
        kept["mime"] = {**_NOTHING, "size": 0}
        parts.append(_mime_part(kept["mime"], mail, delivery, since, address, ports))
    if parts:
        known = await ports.documents.known(mail_prefix(delivery, since))
        attempt = _Attempt(delivery, address, ports, keeping, since, patient)
        async with keeping.turns.of(address.mailbox):
            await attempt.keep(parts, known)
    return kept


@dataclass(frozen=True, slots=True)
class _Part:
    """Something of a mail that becomes a document.

    Args:
        id: of the document.
        entry: what the mail says of it; filled in here.
        name: file name.
        is_item: whether its first bytes tell its kind.
        open: opens the stream of its bytes.
    """

    id: str
    entry: Entry
    name: str
    content_type: str
    is_item: bool
    open: Open

    @property
    def is_file(self) -> bool:
        """Whether its bytes come with those of the others in one request."""
        return self.entry.get("kind") == "file"


def _part(
    entry: Entry, delivery: Delivery, since: datetime, address: MailboxAddress, ports: Ports
) -> _Part:
    return _Part(
        id=document_id(delivery, f"attachment:{entry['id']}", since),
        entry=entry,
        name=entry["name"],
        content_type=entry["contentType"],
        is_item=entry["kind"] == "item",
        open=lambda: ports.mailboxes.attachment_stream(address, delivery.mail_id, entry["id"]),
    )


def _mime_part(  # noqa: PLR0917 - the same as of an attachment, and the mail
    entry: Entry,
    mail: Mail,
    delivery: Delivery,
    since: datetime,
    address: MailboxAddress,
    ports: Ports,
) -> _Part:
    return _Part(
        id=document_id(delivery, MIME, since),
        entry=entry,
        name=with_ending(mail["subject"] or "mail", ".eml"),
        content_type="message/rfc822",
        is_item=False,
        open=lambda: ports.mailboxes.mime_stream(address, delivery.mail_id),
    )


class _TooLarge(Exception):
    """A stream has more bytes than a document may have."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt at the documents of one mail."""

    delivery: Delivery
    address: MailboxAddress
    ports: Ports
    keeping: Keeping
    since: datetime
    patient: bool

    async def keep(self, parts: Sequence[_Part], known: Mapping[str, Document]) -> None:
        """Stores those parts that are not known, and fills in the entries of all."""
        missing: list[_Part] = []
        for part in parts:
            if part.id in known:
                self._kept(part, known[part.id])
            elif part.entry["size"] > self.keeping.largest + _OVERHEAD:
                self._failed(part, self._too_large())
            else:
                missing.append(part)
        files = [part for part in missing if part.is_file]
        size = sum(part.entry["size"] for part in parts if part.is_file)
        if files and size <= SMALL:
            await self._keep_together(files, size)
        streamed = [part for part in missing if not _is_settled(part)]
        failures: list[MailboxUnavailable] = []

        async def keep(part: _Part) -> None:
            if failures:
                return  # the mail comes again anyway
            try:
                await self._keep_streamed(part)
            except MailboxUnavailable as error:
                failures.append(error)  # those under way come to their end

        await for_each(keep, streamed, AT_ONCE)
        if failures:
            raise failures[0]

    async def _keep_together(self, files: Sequence[_Part], size: int) -> None:
        """Fetches files in one request; those that did not come are left as they are."""
        async with self.keeping.memory.hold(ANSWER_WEIGHT * size):
            try:
                contents = await self.ports.mailboxes.attachment_contents(
                    self.address, self.delivery.mail_id
                )
            except AnswerTooLarge:
                return
            except MailboxUnavailable as error:
                if self._waits_for(error):
                    raise
                return  # it may be one of them only
            except MailboxError as error:
                if self._waits_for(error):
                    raise
                for part in files:
                    self._failed(part, _for_good(error))
                return

            async def store(part: _Part) -> None:
                content = contents.get(part.entry["id"])
                if content is None:
                    return
                if len(content) > self.keeping.largest:
                    self._failed(part, self._too_large())
                    return
                await self._store(part, part.name, part.content_type, sliced(content))

            await for_each(store, files, AT_ONCE)

    async def _keep_streamed(self, part: _Part) -> None:
        async with self.keeping.memory.hold(STREAM_WEIGHT):
            try:
                async with part.open() as pieces:
                    name, content_type = part.name, part.content_type
                    counted = _counted(pieces, self.keeping.largest)
                    if part.is_item:
                        head, counted = await _peeked(counted)
                        ending, content_type = _kind_of_item(head)
                        name = with_ending(name or "item", ending)
                    await self._store(part, name, content_type, counted)
            except _TooLarge:
                self._failed(part, self._too_large())
            except MailboxUnavailable as error:
                if self._waits_for(error):
                    raise
                self._failed(part, f"The mailbox did not give it: {error.what}.")
            except MailboxError as error:
                if self._waits_for(error):
                    raise
                self._failed(part, _for_good(error))

    async def _store(
        self, part: _Part, name: str, content_type: str, content: AsyncIterator[bytes]
    ) -> None:
        self._kept(part, await self.ports.documents.store(part.id, name, content_type, content))

    def _kept(self, part: _Part, document: Document) -> None:
        entry = part.entry
        entry["documentId"] = document.id
        entry["url"] = self.keeping.links.url(document.id, self.since)
        entry["size"] = document.size
        entry["error"] = None
        if part.is_item:
            entry["name"], entry["contentType"] = document.name, document.content_type

    def _failed(self, part: _Part, why: str) -> None:
        part.entry["error"] = why
        logger().warning("document.not_kept", document=part.id, reason=why)

    def _waits_for(self, error: MailboxError) -> bool:
        """Whether the mail waits rather than go on without: nothing is to be lost that comes later.

        A throttled mailbox and an app that is not let in say nothing about one attachment.
        """
        if isinstance(error, MailboxUnavailable):
            return self.patient or error.retry_after is not None
        forbidden = error.said is not None and error.said.status == _FORBIDDEN
        return forbidden or isinstance(error, SignInRefused)

    def _too_large(self) -> str:
        return f"It is larger than {self.keeping.largest / 2**20:.3g} MiB, the most that is kept."


def _is_settled(part: _Part) -> bool:
    return part.entry["documentId"] is not None or part.entry["error"] is not None


def _for_good(error: MailboxError) -> str:
    if isinstance(error, MailNotFound):
        return f"It is not in the mailbox any more: {error.what}."
    return f"Microsoft Graph does not give it out: {error.what}."


def _kind_of_item(head: bytes) -> tuple[str, str]:
    """Ending and content type of an item: a mail, an event or a contact."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().upper()
    return next((kind for mark, kind in _ITEMS.items() if start.startswith(mark)), _MAIL_ITEM)


async def sliced(content: bytes) -> AsyncIterator[bytes]:
    """Bytes that are at hand, in the pieces of a stream."""
    for start in range(0, len(content), _SLICE):
        yield content[start : start + _SLICE]


async def _counted(pieces: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    left = most
    async for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise _TooLarge
        yield piece


async def _peeked(pieces: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first bytes of a stream, and all of it."""
    head = b""
    async for piece in pieces:
        head += piece
        if len(head) >= _HEAD:
            break

    async def whole() -> AsyncIterator[bytes]:
        yield head
        async for piece in pieces:
            yield piece

    return head, whole()
