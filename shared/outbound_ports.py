"""What sending and the HTTP API need from outside, as protocols.

How a mail is sent exactly once: `create_draft` (or `create_answer`) with a key of the caller's
choice, `send_draft`, and, where an answer was lost (:class:`~shared.domain.errors.AnswerLost`), a
search for what became of it. None of its ways is sure, so all are gone: `look` by the immutable id,
which Graph's page on immutable ids says a draft keeps when it is sent, and its overview of mail
that it does not; `find_draft` by the key, an extended property, which Graph documents for creation
and for `$filter`, but not whether the copy in Sent Items has it; and `list_messages` by the
`internetMessageId`, of which nothing contrary is known.
`send_at_once` is one request, and if its answer is lost, nobody knows.

Every method raises :class:`~shared.domain.errors.MailboxError`. None repeats a request that may
have had an effect which a second one would double.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from shared.domain.outbound.links import GraphLink
from shared.domain.subscription import Credential

Json: TypeAlias = Mapping[str, Any]
ReadPart: TypeAlias = Callable[[int, int], Awaitable[bytes]]
"""Gives a part of a file: up to so many bytes (second) from a position (first)."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A mailbox, and as whom it is opened.

    Args:
        mailbox: address or id.
        credential: the app's.
        bearer: a token that a caller has brought, instead of the credential; never kept.
    """

    mailbox: str
    credential: Credential = field(default_factory=Credential)
    bearer: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of a list.

    Args:
        value: Graph's JSON of each.
        next_link: where the rest is; None at the end. A part may be empty and not the last.
        count: of all that match, where it was asked for.
    """

    value: Sequence[Json]
    next_link: GraphLink | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail before or after it was sent.

    Args:
        id: immutable while it is a draft; the mail in Sent Items may have another.
        internet_message_id: as it stays when the mail is sent.
        conversation_id: of its thread.
        is_draft: whether it still has to be sent.
        recipients: addresses of all who get it, in lower case.
        cc: those of them who get a copy, as Graph has them.
        senders: addresses from which it goes, in lower case: those of its mailbox, as far as Graph
            names them.
        body: what stands in it.
        body_content_type: `text` or `html`.
    """

    id: str
    internet_message_id: str
    conversation_id: str
    is_draft: bool = True
    recipients: tuple[str, ...] = ()
    cc: tuple[Json, ...] = ()
    senders: tuple[str, ...] = ()
    body: str = field(default="", repr=False)
    body_content_type: str = "text"


class Answering(StrEnum):
    """How a mail is answered. Named as the operations of our API."""

    REPLY = "reply"
    REPLY_ALL = "replyAll"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file for an upload session.

    Args:
        name: file name.
        size: bytes; up to 150 MB.
        content_type: MIME type.
        content_id: see :class:`~shared.domain.outbound.mail.OutgoingAttachment`.
    """

    name: str
    size: int
    content_type: str = ""
    content_id: str | None = None


class MailOperations(Protocol):
    """What can be done with a mailbox beside polling it."""

    async def list_folders(
        self, caller: Caller, parent: str | None, query: Mapping[str, str]
    ) -> Listing:
        """The folders right below a folder (id or well-known name); None: below the root."""
        ...

    async def create_folder(
        self, caller: Caller, parent: str | None, name: str, *, hidden: bool
    ) -> Json:
        """Makes a folder; gives it."""
        ...

    async def find_folder(self, caller: Caller, path: str, *, create: bool) -> str:
        """The id of a folder, from a well-known name or a path.

        Raises:
            FolderNotFound: there is none, and none is to be made.
        """
        ...

    async def list_messages(
        self, caller: Caller, folder: str | None, query: Mapping[str, str]
    ) -> Listing:
        """Messages of a folder; None: of the whole mailbox."""
        ...

    async def follow(self, caller: Caller, link: GraphLink) -> Listing:
        """The next part of a list."""
        ...

    async def get_message(self, caller: Caller, message_id: str, query: Mapping[str, str]) -> Json:
        """One message."""
        ...

    async def update_message(self, caller: Caller, message_id: str, changes: Json) -> Json:
        """Changes properties of a message; gives it."""
        ...

    async def move_message(self, caller: Caller, message_id: str, folder: str) -> Json:
        """Moves a message into a folder (id or well-known name); gives it."""
        ...

    async def purge_message(self, caller: Caller, message_id: str) -> None:
        """Deletes a message for good."""
        ...

    async def send_at_once(self, caller: Caller, message: Json, *, save: bool) -> None:
        """Sends a mail in one request.

        Raises:
            AnswerLost: nobody knows whether it is sent.
        """
        ...

    async def create_draft(self, caller: Caller, message: Json, key: str) -> Draft:
        """Makes a draft that `find_draft` finds by a key.

        Raises:
            AnswerLost: it may be there or not; `find_draft` tells.
        """
        ...

    async def create_answer(
        self, caller: Caller, how: Answering, message_id: str, changes: Json, key: str
    ) -> Draft:
        """Makes the draft of an answer in the thread of a message; as `create_draft`.

        Args:
            caller: whose mailbox.
            how: reply, reply to all, or forward.
            message_id: what is answered.
            changes: properties of the draft; with a body the quoted mail is left out.
            key: see `find_draft`.
        """
        ...

    async def find_draft(self, caller: Caller, key: str) -> Draft | None:
        """The draft, or the mail if it was sent, that was made with a key."""
        ...

    async def look(self, caller: Caller, draft_id: str) -> Draft | None:
        """What has the id of a draft, sent or not; None where nothing has it (yet, or any more)."""
        ...

    async def update_draft(self, caller: Caller, draft_id: str, changes: Json) -> Draft:
        """Changes properties of a draft."""
        ...

    async def add_attachment(self, caller: Caller, draft_id: str, attachment: Json) -> None:
        """Attaches a file of less than 3 MB, in one request.

        Raises:
            AnswerLost: it may be attached or not.
        """
        ...

    async def upload(self, caller: Caller, draft_id: str, upload: Upload, read: ReadPart) -> None:
        """Attaches a file of 3 to 150 MB, part by part; goes on where an answer was lost."""
        ...

    async def send_draft(self, caller: Caller, draft_id: str) -> None:
        """Sends a draft.

        Raises:
            AnswerLost: nobody knows whether it is sent; `look` may tell.
        """
        ...

    async def discard_draft(self, caller: Caller, draft_id: str) -> None:
        """Removes a draft; one that is gone is no error."""
        ...


class SendCounts(Protocol):
    """How many mails each recipient got in the current hour, over all workers."""

    async def add(self, recipient: str, hour: datetime, most: int) -> bool:
        """Counts one mail more, unless there were `most` already.

        Args:
            recipient: an address; case does not matter.
            hour: the beginning of the hour, in UTC.
            most: mails that a recipient may get in it.

        Returns:
            whether it was counted.

        Raises:
            StorageUnavailable: nobody can count now.
        """
        ...

    async def take_back(self, recipient: str, hour: datetime) -> None:
        """Counts one mail less in an hour, in which it was counted and then not sent.

        Raises:
            StorageUnavailable: nobody can count now.
        """
        ...
