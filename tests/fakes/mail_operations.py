"""Mailboxes to send from, in memory, with the rules of Graph that sends have to live with."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from shared.domain.errors import (
    FolderNotFound,
    GraphSaid,
    MailboxRefused,
    MailNotFound,
)
from shared.domain.outbound.graph_json import KEY_PROPERTY, addresses, senders
from shared.domain.outbound.links import GraphLink
from shared.outbound_ports import Answering, Caller, Draft, Json, Listing, ReadPart, Upload

PART = 1024 * 1024
_WELL_KNOWN = ("inbox", "drafts", "sentitems", "deleteditems", "archive")


@dataclass(slots=True)
class FakeMessage:
    """A mail: Graph's JSON, where it lies, and the files that are attached to it."""

    json: dict[str, Any]
    folder: str
    files: list[tuple[str, bytes]] = field(default_factory=list)
    key: str = ""


class FakeMailOperations:
    """Fulfils :class:`~shared.outbound_ports.MailOperations`; every mailbox is one and the same.

    Attributes:
        messages: all mail, by id.
        folders: names of folders by id.
        sent: what went out, in order.
        asked: how often each method was called.
        callers: who called.
        own: address of the mailbox, which is that of its drafts; empty: they show none.
        let_go: lets calls go on that hang.
    """

    def __init__(self) -> None:
        self.own = ""
        self.let_go = asyncio.Event()
        self._hanging: dict[tuple[str, bool], asyncio.Event] = {}
        self.messages: dict[str, FakeMessage] = {}
        self.folders = {name: name for name in _WELL_KNOWN}
        self.sent: list[FakeMessage] = []
        self.asked: Counter[str] = Counter()
        self.callers: list[Caller] = []
        self._numbers = count(1)
        self._faults: list[tuple[str, Exception, bool]] = []

    def fail_next(self, method: str, error: Exception, *, after_effect: bool = False) -> None:
        """Lets the next call of a method fail, before or after it has done its work."""
        self._faults.append((method, error, after_effect))

    def hang_next(self, method: str, *, after_effect: bool) -> asyncio.Event:
        """Lets the next call of a method hang; gives what is set when it does."""
        return self._hanging.setdefault((method, after_effect), asyncio.Event())

    def deliver(self, folder: str = "inbox", **properties: Any) -> str:
        """Puts a mail into a folder; gives its id."""
        message = self._new(
            {
                "subject": "Subject",
                "from": {"emailAddress": {"name": "Ada", "address": "ada@example.org"}},
                "toRecipients": [],
                "body": {"contentType": "text", "content": "Question"},
                "isRead": False,
                "isDraft": False,
                "conversationId": "thread-of-question",
                **properties,
            },
            folder,
        )
        return str(message.json["id"])

    async def list_folders(
        self, caller: Caller, parent: str | None, query: Mapping[str, str]
    ) -> Listing:
        """All folders but their tree."""
        self._begin("list_folders", caller)
        self._folder(caller, parent)
        return self._page(
            [{"id": one, "displayName": name} for one, name in self.folders.items()],
            query,
            "/mailFolders",
        )

    async def create_folder(
        self, caller: Caller, parent: str | None, name: str, *, hidden: bool
    ) -> Json:
        """Makes a folder."""
        self._begin("create_folder", caller)
        self._folder(caller, parent)
        if name in self.folders.values():
            error = MailboxRefused(caller.mailbox, "create folder: there is one of this name")
            error.said = GraphSaid(409, "ErrorFolderExists")
            raise error
        identity = f"folder-{next(self._numbers)}"
        self.folders[identity] = name
        return {"id": identity, "displayName": name, "isHidden": hidden}

    async def find_folder(self, caller: Caller, path: str, *, create: bool) -> str:
        """The id of a folder by its name."""
        self._begin("find_folder", caller)
        for identity, name in self.folders.items():
            if name == path:
                return identity
        if not create:
            raise FolderNotFound(caller.mailbox, "there is no such folder")
        self.folders[f"folder-{next(self._numbers)}"] = path
        return next(reversed(self.folders))

    async def list_messages(
        self, caller: Caller, folder: str | None, query: Mapping[str, str]
    ) -> Listing:
        """Mail of a folder or of all; of the query `$top`, `$skip` and `$count` count."""
        self._begin("list_messages", caller)
        self._folder(caller, folder)
        found = [one.json for one in self.messages.values() if folder in (None, one.folder)]
        return self._page(found, query, "/messages")

    async def follow(self, caller: Caller, link: GraphLink) -> Listing:  # noqa: ARG002
        """The rest of a list, which here is always empty."""
        self._begin("follow", caller)
        return Listing(())

    async def get_message(
        self,
        caller: Caller,
        message_id: str,
        query: Mapping[str, str],  # noqa: ARG002
    ) -> Json:
        """One message."""
        self._begin("get_message", caller)
        return self._message(caller, message_id).json

    async def update_message(self, caller: Caller, message_id: str, changes: Json) -> Json:
        """Changes a message."""
        self._begin("update_message", caller)
        message = self._message(caller, message_id)
        message.json |= changes
        return message.json

    async def move_message(self, caller: Caller, message_id: str, folder: str) -> Json:
        """Moves a message."""
        self._begin("move_message", caller)
        message = self._message(caller, message_id)
        self._folder(caller, folder)
        message.folder = folder
        return message.json

    async def purge_message(self, caller: Caller, message_id: str) -> None:
        """Deletes a message for good."""
        self._begin("purge_message", caller)
        self._message(caller, message_id)
        del self.messages[message_id]

    async def send_at_once(self, caller: Caller, message: Json, *, save: bool) -> None:
        """Sends a mail."""
        self._begin("send_at_once", caller)
        await self._hang("send_at_once", after_effect=False)
        sent = self._new({**message, "isDraft": False}, "sentitems")
        if not save:
            del self.messages[sent.json["id"]]
        self.sent.append(sent)
        await self._end("send_at_once")

    async def create_draft(self, caller: Caller, message: Json, key: str) -> Draft:
        """Makes a draft."""
        self._begin("create_draft", caller)
        await self._hang("create_draft", after_effect=False)
        made = self._new({"isDraft": True, **self._sender(), **message}, "drafts", key)
        await self._end("create_draft")
        return _draft(made)

    async def create_answer(
        self, caller: Caller, how: Answering, message_id: str, changes: Json, key: str
    ) -> Draft:
        """Makes the draft of an answer; what it quotes is the body of what it answers."""
        self._begin("create_answer", caller)
        await self._hang("create_answer", after_effect=False)
        origin = self._message(caller, message_id).json
        to = [] if how is Answering.FORWARD else origin.get("replyTo") or [origin["from"]]
        own = {"toRecipients": to, "body": origin["body"], "isDraft": True}
        if how is Answering.REPLY_ALL:
            own["ccRecipients"] = origin.get("ccRecipients", [])
        thread = {"conversationId": origin["conversationId"]}
        made = self._new({**own, **thread, **self._sender(), **changes}, "drafts", key)
        await self._end("create_answer")
        return _draft(made)

    async def find_draft(self, caller: Caller, key: str) -> Draft | None:
        """What was made with a key."""
        self._begin("find_draft", caller)
        return next((_draft(one) for one in self.messages.values() if one.key == key), None)

    async def look(self, caller: Caller, draft_id: str) -> Draft | None:
        """A draft or what it became."""
        self._begin("look", caller)
        found = self.messages.get(draft_id)
        return None if found is None else _draft(found)

    async def update_draft(self, caller: Caller, draft_id: str, changes: Json) -> Draft:
        """Changes a draft."""
        self._begin("update_draft", caller)
        message = self._message(caller, draft_id)
        message.json |= changes
        return _draft(message)

    async def add_attachment(self, caller: Caller, draft_id: str, attachment: Json) -> None:
        """Attaches a file."""
        self._begin("add_attachment", caller)
        await self._hang("add_attachment", after_effect=False)
        content = b64decode(attachment["contentBytes"])
        self._message(caller, draft_id).files.append((attachment["name"], content))
        await self._end("add_attachment")

    async def upload(self, caller: Caller, draft_id: str, upload: Upload, read: ReadPart) -> None:
        """Attaches a large file."""
        self._begin("upload", caller)
        await self._hang("upload", after_effect=False)
        parts = [
            await read(start, min(PART, upload.size - start))
            for start in range(0, upload.size, PART)
        ]
        self._message(caller, draft_id).files.append((upload.name, b"".join(parts)))
        await self._end("upload")

    async def send_draft(self, caller: Caller, draft_id: str) -> None:
        """Sends a draft."""
        self._begin("send_draft", caller)
        await self._hang("send_draft", after_effect=False)
        message = self._message(caller, draft_id)
        message.json["isDraft"], message.folder = False, "sentitems"
        self.sent.append(message)
        await self._end("send_draft")

    async def discard_draft(self, caller: Caller, draft_id: str) -> None:
        """Removes a draft."""
        self._begin("discard_draft", caller)
        self.messages.pop(draft_id, None)

    def _sender(self) -> dict[str, Any]:
        return {"from": {"emailAddress": {"address": self.own}}} if self.own else {}

    def _new(self, source: Json, folder: str, key: str = "") -> FakeMessage:
        number = next(self._numbers)
        properties = source.get("singleValueExtendedProperties", ())
        key = next((one["value"] for one in properties if one["id"] == KEY_PROPERTY), key)
        own = {
            "id": f"mail-{number}",
            "internetMessageId": f"<{number}@example.org>",
            "conversationId": f"thread-{number}",
        }
        message = FakeMessage({**own, **source}, folder, key=key)
        for one in source.get("attachments", ()):
            message.files.append((one["name"], b64decode(one["contentBytes"])))
        self.messages[message.json["id"]] = message
        return message

    def _message(self, caller: Caller, identity: str) -> FakeMessage:
        if identity not in self.messages:
            error = MailNotFound(caller.mailbox, "get message: Graph answered 404")
            error.said = GraphSaid(404, "ErrorItemNotFound")
            raise error
        return self.messages[identity]

    def _folder(self, caller: Caller, identity: str | None) -> None:
        if identity is not None and identity not in self.folders:
            raise FolderNotFound(caller.mailbox, "the folder is not there")

    def _page(
        self, found: Sequence[Mapping[str, Any]], query: Mapping[str, str], path: str
    ) -> Listing:
        skip, top = int(query.get("$skip", 0)), int(query.get("$top", 10))
        more = GraphLink(path, f"%24skip={skip + top}") if len(found) > skip + top else None
        listing = Listing(found[skip : skip + top], more)
        return replace(listing, count=len(found)) if query.get("$count") == "true" else listing

    def _begin(self, method: str, caller: Caller) -> None:
        self.asked[method] += 1
        self.callers.append(caller)
        self._fail(method, after_effect=False)

    async def _end(self, method: str) -> None:
        self._fail(method, after_effect=True)
        await self._hang(method, after_effect=True)

    async def _hang(self, method: str, *, after_effect: bool) -> None:
        entered = self._hanging.pop((method, after_effect), None)
        if entered is not None:
            entered.set()
            await self.let_go.wait()

    def _fail(self, method: str, *, after_effect: bool) -> None:
        for fault in self._faults:
            if fault[0] == method and fault[2] == after_effect:
                self._faults.remove(fault)
                raise fault[1]


def _draft(message: FakeMessage) -> Draft:
    return Draft(
        id=message.json["id"],
        internet_message_id=message.json["internetMessageId"],
        conversation_id=message.json["conversationId"],
        is_draft=message.json["isDraft"],
        recipients=addresses(message.json),
        cc=tuple(message.json.get("ccRecipients", ())),
        senders=senders(message.json),
        body=(message.json.get("body") or {}).get("content", ""),
        body_content_type=(message.json.get("body") or {}).get("contentType", "text"),
    )
