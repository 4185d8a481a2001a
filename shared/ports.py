"""What the workflows need from outside, as protocols. Adapters fulfil them; so do the tests' fakes.

Every method may raise :class:`~shared.domain.errors.ConnectorError`; what else it raises is said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from shared.domain.columns import Row
from shared.domain.delivery import Delivery, DeliveryKey, State
from shared.domain.document import Document
from shared.domain.envelope import Envelope
from shared.domain.mail import Mail
from shared.domain.outcome import Answer
from shared.domain.source import SourceState
from shared.domain.subscription import Credential, Folder, PostProcess
from shared.domain.target import Target, TargetMessage


class Clock(Protocol):
    """The time, so that tests can set it."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SubscriptionStatus:
    """What an operator reads about one row.

    Args:
        name: ``PartitionKey/RowKey`` of the row.
        state: ``ok``, ``disabled`` or ``invalid``.
        source: id of the source that feeds it, or fed it last.
        problems: every problem of the row.
        warnings: what is allowed but probably not meant.
    """

    name: str
    state: str
    source: str = ""
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class SubscriptionTable(Protocol):
    """The table that people configure, and the table that answers them."""

    def rows(self) -> AsyncIterator[Row]:
        """All rows, as they are."""
        ...

    async def statuses(self) -> dict[str, SubscriptionStatus]:
        """What was reported last, by name."""
        ...

    async def write(self, row: Row, known: str | None = None) -> None:
        """Writes a row, in place of one of the same keys.

        Args:
            row: the entity.
            known: ETag that the row must still have; empty: it must not be there yet; None:
                whatever it has.

        Raises:
            StorageUnavailable: with status 412 where the row has another ETag, 404 where it is
                gone, 409 where it is there already.
        """
        ...

    async def remove(self, name: str) -> bool:
        """Removes a row; gives whether it was there."""
        ...

    async def report(
        self, changed: Sequence[SubscriptionStatus], gone: Sequence[str], now: datetime
    ) -> None:
        """Writes statuses that changed, and removes those whose row is gone."""
        ...


class SourceStates(Protocol):
    """What is remembered of sources; one worker at a time may change one."""

    async def all(self) -> dict[str, SourceState]:
        """Every stored state, by source id."""
        ...

    async def read(self, source_id: str) -> SourceState:
        """The state of one source; a fresh one where none is stored."""
        ...

    async def write(self, state: SourceState) -> SourceState | None:
        """Stores a state if nobody stored another since it was read (ETag).

        Returns:
            the state with its new version, or None where somebody else was faster.
        """
        ...


class Ledger(Protocol):
    """All deliveries, the memory that keeps mail from being lost or doubled.

    Calls of concurrent invocations may share a request to the storage.
    """

    async def claim(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Stores those that are not known yet, and gives them, in order. All of one source."""
        ...

    async def read(self, key: DeliveryKey) -> Delivery | None:
        """One delivery, or None where it is not known."""
        ...

    async def save(self, delivery: Delivery) -> None:
        """Stores what changes in the course of a delivery that was claimed."""
        ...

    def overdue(self, before: datetime) -> AsyncIterator[Delivery]:
        """Deliveries not at their end whose `due_at` lies before a time."""
        ...

    def find(self, states: Collection[State] = (), source_id: str = "") -> AsyncIterator[Delivery]:
        """Deliveries in some states, of one source; all of both where not told otherwise."""
        ...

    async def purge(self, source_id: str, before: datetime) -> int:
        """Forgets deliveries of a source that ended before a time. Gives how many."""
        ...


class EnvelopeQueue(Protocol):
    """The queue `emails`. Large mails wait in blobs; the queue's user sees whole envelopes."""

    async def put(self, envelope: Envelope, delay: timedelta = timedelta(0)) -> None:
        """Sends an envelope, to be seen after ``delay``; a mail too large goes into a blob."""
        ...

    async def mail_of(self, envelope: Envelope) -> Mail | None:
        """The mail that an envelope holds or names; None where it has none or it is gone."""
        ...

    async def discard(self, envelope: Envelope) -> None:
        """Removes what an envelope left beside the queue. Its delivery is at its end."""
        ...

    async def oldest_waiting(self) -> datetime | None:
        """When the first message that waits for a worker was put; None where none waits."""
        ...


class PollQueue(Protocol):
    """The queue `polls`: sources that did not fit into a tick."""

    async def put(self, source_ids: Sequence[str]) -> None:
        """Hands over sources, many in one message."""
        ...

    async def length(self) -> int:
        """About how many messages there are, those being worked on included."""
        ...


@dataclass(frozen=True, slots=True)
class MailboxAddress:
    """A mailbox and how to get in."""

    credential: Credential
    mailbox: str


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list of messages.

    Args:
        messages: Graph's JSON.
        next_link: opaque address of the rest; None at the end. A page may be empty and not last.
    """

    messages: Sequence[Mapping[str, Any]]
    next_link: str | None


class Mailboxes(Protocol):
    """Mailboxes in Microsoft 365.

    Every method raises :class:`~shared.domain.errors.MailboxError` as that module describes.
    """

    async def find_folder(self, address: MailboxAddress, folder: Folder) -> str:
        """The id of a folder, or its well-known name.

        Raises:
            FolderNotFound: there is none; says which part of a path is missing.
        """
        ...

    async def list_messages(
        self,
        address: MailboxAddress,
        folder_id: str,
        query: Mapping[str, str],
        body_format: str,
        next_link: str | None = None,
    ) -> Page:
        """One page of messages: the first of a query, or the one that a next link names.

        Raises:
            FolderNotFound: the folder is gone.
            AnswerTooLarge: the page has too many bytes; ask for fewer messages.
        """
        ...

    async def fetch_messages(
        self, address: MailboxAddress, mail_ids: Sequence[str], body_format: str
    ) -> list[Mapping[str, Any]]:
        """Messages by id, whole. Those that are gone are left out."""
        ...

    async def attachment_contents(
        self, address: MailboxAddress, mail_id: str
    ) -> Mapping[str, bytes]:
        """The bytes of all file attachments of a mail by attachment id, in one request.

        Raises:
            MailNotFound: the mail is gone.
            AnswerTooLarge: together they are larger than one answer may be.
        """
        ...

    def attachment_stream(
        self, address: MailboxAddress, mail_id: str, attachment_id: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes of one attachment, in pieces: of a file as it is, of an item its MIME.

        Entering it raises as the other methods do; so may the iterator, at any piece.

        Raises:
            MailNotFound: mail or attachment is gone.
        """
        ...

    def mime_stream(
        self, address: MailboxAddress, mail_id: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The whole mail as it came (MIME), in pieces; raises as `attachment_stream` does."""
        ...

    async def post_process(
        self, address: MailboxAddress, mail_id: str, actions: PostProcess, categories: Sequence[str]
    ) -> str:
        """Does the operations on one mail; calls of concurrent invocations share requests.

        Args:
            address: the mailbox.
            mail_id: the mail's immutable id.
            actions: what is to be done.
            categories: those that the mail has already.

        Returns:
            a note for a person, such as that somebody else had removed the mail; mostly empty.
        """
        ...


class Targets(Protocol):
    """The systems that act on mail."""

    async def deliver(self, target: Target, message: TargetMessage) -> Answer:
        """Hands over one message. Never raises for what the target does or does not do."""
        ...

    async def reachable(self, target: Target) -> str:
        """Empty where the target can be reached, else why not. Hands nothing over."""
        ...


class Documents(Protocol):
    """The bytes of attachments and the like, by document id."""

    async def known(self, mail_prefix: str) -> Mapping[str, Document]:
        """The documents of one delivery that are stored already, by id.

        Args:
            mail_prefix: see :func:`~shared.domain.document.mail_prefix`.
        """
        ...

    async def store(
        self, identity: str, name: str, content_type: str, content: AsyncIterator[bytes]
    ) -> Document:
        """Stores a document, over what was there; a document is there whole or not at all.

        What ``content`` raises goes through, and nothing is stored then.
        """
        ...

    async def find(self, identity: str) -> Document | None:
        """What is known of a document; None where there is none."""
        ...

    async def read(self, identity: str, start: int, length: int) -> bytes:
        """A part of a document that was found: up to ``length`` bytes from ``start``."""
        ...

    async def direct_url(self, document: Document, lifetime: timedelta) -> str:
        """An address at which the storage itself gives the document out, as a download."""
        ...

    async def expire(self, before: date) -> int:
        """Removes the documents of all days before a day; gives how many."""
        ...


class HealthProbe(Protocol):
    """Asks whether what the connector stands on is there."""

    async def storage(self) -> str:
        """Empty where the storage answers, else why not."""
        ...

    async def token(self, credential: Credential) -> str:
        """Empty where Entra ID gives a token, else why not."""
        ...

    async def mail_roles(self, credential: Credential) -> Sequence[str]:
        """The roles for mail, over all mailboxes, that an app was given in Entra ID.

        Raises:
            MailboxError: there is no token, or it cannot be read.
            TimeoutError: no answer in time.
        """
        ...


class StorageWatch(Protocol):
    """What an operator wants to know of the storage, and no workflow of the app needs."""

    async def queued(self) -> Mapping[str, int]:
        """About how many messages each queue has, by name; poison queues as well."""
        ...

    async def clock_ahead(self) -> timedelta:
        """By how much this machine's clock is ahead of the storage's; to the second or so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All that the workflows of one worker need, together.

    Args:
        in_work: the deliveries that this worker is at.
    """

    clock: Clock
    subscriptions: SubscriptionTable
    sources: SourceStates
    ledger: Ledger
    emails: EnvelopeQueue
    polls: PollQueue
    mailboxes: Mailboxes
    targets: Targets
    documents: Documents
    health: HealthProbe
    in_work: set[DeliveryKey] = field(default_factory=set)
