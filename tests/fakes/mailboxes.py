"""Mailboxes in memory, with those rules of Graph that the workflows have to live with."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from shared.domain.errors import (
    AnswerTooLarge,
    FolderNotFound,
    MailboxError,
    MailboxRefused,
    MailboxUnavailable,
    MailNotFound,
)
from shared.domain.mail import parse_time, received_at
from shared.domain.subscription import Folder, Operation, PostProcess
from shared.ports import MailboxAddress, Page

WELL_KNOWN = frozenset({"archive", "deleteditems", "inbox", "msgfolderroot"})
FILE = "#microsoft.graph.fileAttachment"
ITEM = "#microsoft.graph.itemAttachment"
REFERENCE = "#microsoft.graph.referenceAttachment"
OVERHEAD = 200
"""Bytes that Exchange counts to an attachment beside its own."""

PIECE = 64 * 1024
"""Bytes of a stream that come at once."""

GONE = "somebody else had removed the mail from the mailbox"
_FILTER = re.compile(
    r"receivedDateTime ge (\S+?)"
    r"(?: and \((?:receivedDateTime lt ([^\s)]+))?(?: and \()?(isRead eq false)?\)*)?"
)


@dataclass(slots=True)
class FakeMail:
    """One mail: Graph's JSON, and the id of the folder that it lies in."""

    message: dict[str, Any]
    folder: str


class FakeMailbox:
    """One mailbox: folders by path, mails by id.

    Attributes:
        contents: the bytes of attachments by mail id and attachment id.
        mime: mails as they came, by id.
    """

    def __init__(self) -> None:
        self.contents: dict[str, dict[str, bytes]] = {}
        self.mime: dict[str, bytes] = {}
        self.mails: dict[str, FakeMail] = {}
        self._folders = {path: path for path in WELL_KNOWN}
        self._numbers = count(1)

    def deliver(self, message: Mapping[str, Any], folder: str = "inbox") -> str:
        """Puts a mail into a folder, which is made if it is not there; gives the mail's id."""
        folder_id = self._folders.get(folder) or self.create_folder(folder)
        self.mails[message["id"]] = FakeMail(dict(message), folder_id)
        return str(message["id"])

    def attach(self, mail_id: str, name: str, content: bytes, **properties: Any) -> str:
        """Attaches a file to a mail, or what `@odata.type` says; gives the attachment's id."""
        attachments = self.mails[mail_id].message.setdefault("attachments", [])
        identity = f"{mail_id}-{len(attachments) + 1}"
        attachments.append(
            {
                "@odata.type": FILE,
                "id": identity,
                "name": name,
                "contentType": "application/octet-stream",
                "size": len(content) + OVERHEAD,
                "isInline": False,
                **properties,
            }
        )
        self.contents.setdefault(mail_id, {})[identity] = content
        return identity

    def create_folder(self, path: str) -> str:
        """Makes a folder with those above it; gives its id."""
        above, _, _ = path.rpartition("/")
        if above and above not in self._folders:
            self.create_folder(above)
        self._folders[path] = f"folder-{next(self._numbers)}"
        return self._folders[path]

    def delete_folder(self, path: str) -> None:
        """Moves a folder with all that is in it below Deleted Items; its id stays."""
        self._folders[f"deleteditems/{path}"] = self._folders.pop(path)

    def purge_folder(self, path: str) -> None:
        """Removes a folder with all that is in it, for good."""
        folder_id = self._folders.pop(path)
        self.mails = {key: mail for key, mail in self.mails.items() if mail.folder != folder_id}

    def folder_id(self, path: str) -> str | None:
        """The id of a folder, or None where it is not there."""
        return self._folders.get(path)

    def knows(self, folder_id: str) -> bool:
        """Whether there is a folder of this id."""
        return folder_id in self._folders.values()

    def folder_of(self, mail_id: str) -> str:
        """The path of the folder that a mail lies in; empty where it is gone."""
        if mail_id not in self.mails:
            return ""
        lies_in = self.mails[mail_id].folder
        return next(path for path, folder in self._folders.items() if folder == lies_in)

    def is_read(self, mail_id: str) -> bool:
        """Whether a mail is marked as read."""
        return bool(self.mails[mail_id].message["isRead"])

    def listed(self, folder_id: str, condition: str) -> list[dict[str, Any]]:
        """The messages of a folder that meet a `$filter`, oldest first."""
        matched = _FILTER.fullmatch(condition)
        if matched is None:
            raise NotImplementedError(f"this fake does not know the filter {condition}")
        since, unread_only = parse_time(matched[1]), matched[3] is not None
        before = parse_time(matched[2]) if matched[2] else datetime.max.replace(tzinfo=UTC)
        found = [mail.message for mail in self.mails.values() if mail.folder == folder_id]
        found = [message for message in found if since <= received_at(message) < before]
        found = [message for message in found if not (unread_only and message["isRead"])]
        return sorted(found, key=lambda message: (received_at(message), message["id"]))


@dataclass(slots=True)
class _Fault:
    error: MailboxError
    operation: str
    left: int
    after: int


class FakeMailboxes:
    """Fulfils :class:`~shared.ports.Mailboxes`.

    Args:
        mailboxes: the mailboxes by address.

    Attributes:
        asked: how often each method was called.
        operations: what was done to mails, as (mail id, operation), in order.
        largest_answer: the characters that an answer with whole mails may have.
        cut_after: bytes of the next stream after which its connection breaks; once.
        streams_at_once: the most streams that were open together.
        empty_page_first: whether a list begins with an empty page that has a next link.
        meanwhile: what happens while the next call is under way; once.
        meanwhile_in: the method that `meanwhile` waits for; any where it is empty.
    """

    def __init__(self, mailboxes: Mapping[str, FakeMailbox]) -> None:
        self.mailboxes = mailboxes
        self.asked: Counter[str] = Counter()
        self.operations: list[tuple[str, str]] = []
        self.largest_answer: int | None = None
        self.cut_after: int | None = None
        self.streams_at_once = 0
        self.empty_page_first = False
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.meanwhile_in = ""
        self._faults: list[_Fault] = []
        self._streams = 0

    def fail_next(
        self, error: MailboxError, operation: str = "", times: int = 1, *, after: int = 0
    ) -> None:
        """Lets the next calls of a method, or of any, fail; after some that go well."""
        self._faults.append(_Fault(error, operation, times, after))

    async def find_folder(self, address: MailboxAddress, folder: Folder) -> str:
        """The id of a folder, or its well-known name."""
        mailbox = await self._mailbox(address, "find_folder")
        return folder.id or self._find(address, mailbox, folder.path)

    async def list_messages(
        self,
        address: MailboxAddress,
        folder_id: str,
        query: Mapping[str, str],
        body_format: str,  # noqa: ARG002
        next_link: str | None = None,
    ) -> Page:
        """One page. A next link is a position in the list as it is when the link is followed."""
        mailbox = await self._mailbox(address, "list_messages")
        if not mailbox.knows(folder_id):
            raise FolderNotFound(address.mailbox, f"the folder {folder_id!r} is not there")
        if self.empty_page_first and next_link is None:
            return Page((), "skip=0")
        listed = mailbox.listed(folder_id, query["$filter"])
        skip, top = int((next_link or "skip=0").partition("=")[2]), int(query["$top"])
        names = query["$select"].split(",") + ["attachments"] * ("$expand" in query)
        page = [_selected(message, names) for message in listed[skip : skip + top]]
        if "body" in query["$select"]:
            self._check_size(address, page)
        return Page(page, f"skip={skip + top}" if skip + top < len(listed) else None)

    async def fetch_messages(
        self,
        address: MailboxAddress,
        mail_ids: Sequence[str],
        body_format: str,  # noqa: ARG002
    ) -> list[Mapping[str, Any]]:
        """Messages by id, whole; those that are gone are left out."""
        mailbox = await self._mailbox(address, "fetch_messages")
        found = [dict(mailbox.mails[one].message) for one in mail_ids if one in mailbox.mails]
        self._check_size(address, found)
        return list(found)

    async def attachment_contents(
        self, address: MailboxAddress, mail_id: str
    ) -> Mapping[str, bytes]:
        """The bytes of all file attachments of a mail by attachment id."""
        mailbox = await self._mailbox(address, "attachment_contents")
        attachments = self._mail(address, mailbox, mail_id).message.get("attachments", ())
        files = [one["id"] for one in attachments if one["@odata.type"] == FILE]
        found = {one: mailbox.contents[mail_id][one] for one in files}
        if self.largest_answer is not None and sum(map(len, found.values())) > self.largest_answer:
            raise AnswerTooLarge(address.mailbox, "more bytes than one answer may have")
        return found

    @asynccontextmanager
    async def attachment_stream(
        self, address: MailboxAddress, mail_id: str, attachment_id: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of one attachment, in pieces."""
        mailbox = await self._mailbox(address, "attachment_stream")
        attachments = self._mail(address, mailbox, mail_id).message.get("attachments", ())
        found = next((one for one in attachments if one["id"] == attachment_id), None)
        if found is None:
            raise MailNotFound(address.mailbox, "read attachment: Graph answered 404")
        if found["@odata.type"] == REFERENCE:
            raise MailboxRefused(address.mailbox, "read attachment: Graph answered 405")
        with self._open() as cut_after:
            yield _pieces(address, mailbox.contents[mail_id][attachment_id], cut_after)

    @asynccontextmanager
    async def mime_stream(
        self, address: MailboxAddress, mail_id: str
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The whole mail as it came, in pieces."""
        mailbox = await self._mailbox(address, "mime_stream")
        self._mail(address, mailbox, mail_id)
        with self._open() as cut_after:
            yield _pieces(address, mailbox.mime.get(mail_id, b""), cut_after)

    async def post_process(
        self, address: MailboxAddress, mail_id: str, actions: PostProcess, categories: Sequence[str]
    ) -> str:
        """Does the operations on one mail, in their order."""
        mailbox = await self._mailbox(address, "post_process")
        try:
            for operation in actions.operations:
                self._do(address, mailbox, mail_id, operation, actions, categories)
        except MailNotFound:
            return GONE
        return ""

    def _do(  # noqa: PLR0917 - what one step needs
        self,
        address: MailboxAddress,
        mailbox: FakeMailbox,
        mail_id: str,
        operation: Operation,
        actions: PostProcess,
        categories: Sequence[str],
    ) -> None:
        if mail_id not in mailbox.mails:
            raise MailNotFound(address.mailbox, operation)
        mail = mailbox.mails[mail_id]
        match operation:
            case Operation.MARK_AS_READ:
                mail.message["isRead"] = True
            case Operation.CATEGORIZE:
                labels = dict.fromkeys((*categories, *actions.categories))
                mail.message["categories"] = list(labels)
            case Operation.MOVE:
                assert actions.move_to is not None
                path = actions.move_to.path
                if actions.create_folder and mailbox.folder_id(path) is None:
                    mailbox.create_folder(path)
                mail.folder = self._find(address, mailbox, path)
            case Operation.DELETE:
                mail.folder = "deleteditems"
            case Operation.FORCE_DELETE:
                del mailbox.mails[mail_id]
        self.operations.append((mail_id, operation.value))

    async def _mailbox(self, address: MailboxAddress, operation: str) -> FakeMailbox:
        self.asked[operation] += 1
        if self.meanwhile is not None and self.meanwhile_in in ("", operation):
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        for fault in self._faults:
            if fault.operation in ("", operation):
                fault.after -= 1
                if fault.after >= 0:
                    continue
                fault.left -= 1
                if not fault.left:
                    self._faults.remove(fault)
                raise fault.error
        mailbox = self.mailboxes.get(address.mailbox)
        if mailbox is None:
            what = "there is no such mailbox in this tenant; check userId"
            raise MailboxRefused(address.mailbox, what)
        return mailbox

    def _mail(self, address: MailboxAddress, mailbox: FakeMailbox, mail_id: str) -> FakeMail:
        if mail_id not in mailbox.mails:
            raise MailNotFound(address.mailbox, "read: Graph answered 404 ErrorItemNotFound")
        return mailbox.mails[mail_id]

    @contextmanager
    def _open(self) -> Iterator[int | None]:
        """Counts a stream while it is open; gives where it is cut."""
        cut_after, self.cut_after = self.cut_after, None
        self._streams += 1
        self.streams_at_once = max(self.streams_at_once, self._streams)
        try:
            yield cut_after
        finally:
            self._streams -= 1

    def _find(self, address: MailboxAddress, mailbox: FakeMailbox, path: str) -> str:
        names = path.split("/")
        if names[0].lower() in WELL_KNOWN:
            names[0] = names[0].lower()
        for depth, name in enumerate(names, 1):
            if mailbox.folder_id("/".join(names[:depth])) is None:
                above = "/".join(names[: depth - 1]) or "the mailbox"
                what = f"there is no folder {name!r} in {above} (path {path!r})"
                raise FolderNotFound(address.mailbox, what)
        return mailbox.folder_id("/".join(names)) or ""

    def _check_size(self, address: MailboxAddress, messages: Sequence[Mapping[str, Any]]) -> None:
        if self.largest_answer is not None and len(json.dumps(messages)) > self.largest_answer:
            raise AnswerTooLarge(address.mailbox, "more bytes than one answer may have")


async def _pieces(
    address: MailboxAddress, content: bytes, cut_after: int | None
) -> AsyncIterator[bytes]:
    for start in range(0, len(content), PIECE):
        await asyncio.sleep(0)
        if cut_after is not None and start + PIECE > cut_after:
            yield content[start:cut_after]
            raise MailboxUnavailable(address.mailbox, "read: no answer (RemoteProtocolError)")
        yield content[start : start + PIECE]


def _selected(message: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: message[name] for name in names if name in message}
