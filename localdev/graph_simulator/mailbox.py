"""A mailbox: its tree of folders, and what an id leads to."""

from __future__ import annotations

import uuid
from copy import deepcopy
from datetime import UTC, datetime
from itertools import count

from localdev.graph_simulator.errors import (
    GraphError,
    folder_exists,
    item_not_found,
    item_of_another_mailbox,
    malformed_id,
)
from localdev.graph_simulator.ids import MailboxIds, Origin
from localdev.graph_simulator.message import Arrivals, Message

WELL_KNOWN = {
    # name: (display name, name of the parent, hidden)
    "msgfolderroot": ("Top of Information Store", "", True),
    "archive": ("Archive", "msgfolderroot", False),
    "clutter": ("Clutter", "msgfolderroot", True),
    "conversationhistory": ("Conversation History", "msgfolderroot", False),
    "deleteditems": ("Deleted Items", "msgfolderroot", False),
    "drafts": ("Drafts", "msgfolderroot", False),
    "inbox": ("Inbox", "msgfolderroot", False),
    "junkemail": ("Junk Email", "msgfolderroot", False),
    "outbox": ("Outbox", "msgfolderroot", False),
    "scheduled": ("Scheduled", "msgfolderroot", True),
    "sentitems": ("Sent Items", "msgfolderroot", False),
    "syncissues": ("Sync Issues", "msgfolderroot", True),
    "conflicts": ("Conflicts", "syncissues", True),
    "localfailures": ("Local Failures", "syncissues", True),
    "serverfailures": ("Server Failures", "syncissues", True),
    "recoverableitemsdeletions": ("Deletions", "", True),
    "searchfolders": ("Finder", "", True),
}


class Folder:
    """A mail folder with its messages and its child folders."""

    def __init__(
        self,
        mailbox: Mailbox,
        display_name: str,
        parent: Folder | None,
        *,
        well_known: str | None = None,
        hidden: bool = False,
    ) -> None:
        self.mailbox = mailbox
        self.number = next(mailbox.numbers)
        self.id = mailbox.ids.folder(self.number)
        self.display_name = display_name
        self.parent = parent
        self.well_known = well_known
        self.hidden = hidden
        self.children: list[Folder] = []
        self.messages = Arrivals()
        self.unread = Arrivals()
        if parent is not None:
            parent.children.append(self)

    @property
    def path(self) -> str:
        """The display names from below the root, such as `Inbox/Invoices`."""
        above = self.parent.path if self.parent and self.parent.parent else ""
        return f"{above}/{self.display_name}" if above else self.display_name

    @property
    def size(self) -> int:
        """The size of what lies in it, in bytes."""
        return sum(message.size for message in self.messages)

    def add(self, message: Message) -> None:
        """Hold a message."""
        self.messages.add(message)
        self.mailbox.messages.add(message)
        if not message.is_read:
            self.unread.add(message)
            self.mailbox.unread.add(message)

    def remove(self, message: Message) -> None:
        """Let go of a message."""
        self.messages.remove(message)
        self.mailbox.messages.remove(message)
        if not message.is_read:
            self.unread.remove(message)
            self.mailbox.unread.remove(message)

    def child(self, display_name: str) -> Folder | None:
        """Return the child of that name; case does not matter."""
        wanted = display_name.casefold()
        return next((f for f in self.children if f.display_name.casefold() == wanted), None)

    def create_child(self, display_name: str, *, hidden: bool = False) -> Folder:
        """Create a child folder.

        Raises:
            GraphError: 409, if there is one of that name.
        """
        if self.child(display_name) is not None:
            raise folder_exists()
        folder = Folder(self.mailbox, display_name, self, hidden=hidden)
        self.mailbox.folders[folder.id] = folder
        return folder

    def __repr__(self) -> str:
        return f"<Folder {self.path!r}, {len(self.messages)} messages>"


class Mailbox:
    """One mailbox: its folders, and its messages by either kind of id.

    Attributes:
        address: The primary address.
        user_id: The directory's object id, accepted wherever the address is.
        rest_enabled: False for a mailbox that is not in Exchange Online.
        send_as: Other addresses, in lower case, that this mailbox may send as.
        purged: What `permanentDelete` took away, oldest first.
    """

    def __init__(self, address: str, *, display_name: str = "", rest_enabled: bool = True) -> None:
        guid = uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{address.lower()}")
        self.address = address
        self.display_name = display_name or address.split("@", 1)[0].replace(".", " ").title()
        self.user_id = str(guid)
        self.rest_enabled = rest_enabled
        self.send_as: set[str] = set()
        self.ids = MailboxIds(guid)
        self.numbers = count(0x0100)
        self.messages = Arrivals()
        self.unread = Arrivals()
        self.purged: list[Message] = []
        self.folders: dict[str, Folder] = {}
        self.well_known: dict[str, Folder] = {}
        self._by_id: dict[str, Message] = {}
        for name, (display, parent, hidden) in WELL_KNOWN.items():
            above = self.well_known[parent] if parent else None
            folder = Folder(self, display, above, well_known=name, hidden=hidden)
            self.folders[folder.id] = self.well_known[name] = folder

    @property
    def root(self) -> Folder:
        """The folder whose children a plain folder list shows."""
        return self.well_known["msgfolderroot"]

    def now(self) -> datetime:
        """Return the time that changes are noted with."""
        return datetime.now(UTC).replace(microsecond=0)

    def folder(self, name_or_id: str) -> Folder:
        """Return the folder that a request names.

        Raises:
            GraphError: 400 or 404, as Graph has it for an id like that.
        """
        folder = self.folders.get(name_or_id) or self.well_known.get(name_or_id.lower())
        if folder is None:
            raise self._not_found(name_or_id)
        return folder

    def folder_at(self, path: str, *, create: bool = False) -> Folder:
        """Return the folder of a well-known name, or of a path of display names from the root.

        Raises:
            GraphError: 404, if it is not there and not to be created.
        """
        if path.lower() in self.well_known:
            return self.well_known[path.lower()]
        folder = self.root
        for name in path.split("/"):
            child = folder.child(name)
            if child is None:
                if not create:
                    raise item_not_found()
                child = folder.create_child(name)
            folder = child
        return folder

    def message(self, identifier: str) -> Message:
        """Return the message of an id of either kind.

        Raises:
            GraphError: 400 or 404, as Graph has it for an id like that.
        """
        message = self._by_id.get(identifier)
        if message is None:
            raise self._not_found(identifier)
        return message

    def add(self, message: Message) -> Message:
        """Take a new message in."""
        self._by_id[message.id] = self._by_id[message.mutable_id] = message
        message.parent_folder.add(message)
        return message

    def move(self, message: Message, folder: Folder) -> None:
        """Move a message; its mutable id changes, and the old one leads nowhere from now on."""
        message.parent_folder.remove(message)
        del self._by_id[message.mutable_id]
        message.folder = folder
        message.mutable_id = self.ids.message(folder.number, next(self.numbers))
        self._by_id[message.mutable_id] = message
        message.touch()
        folder.add(message)

    def copy(self, message: Message, folder: Folder) -> Message:
        """Put a copy, with ids of its own, into a folder."""
        content = deepcopy(message.content)
        if not message.is_draft:
            content.headers = list(message.headers)
        duplicate = Message(
            self,
            folder,
            content,
            None if message.is_draft else message.mime,
            received=message.received,
            is_read=message.is_read,
            is_draft=message.is_draft,
            categories=message.categories,
        )
        return self.add(duplicate)

    def delete(self, message: Message) -> None:
        """Delete as a person does: to Deleted Items, and from there to the recoverable items."""
        deleted = self.well_known["deleteditems"]
        recoverable = self.well_known["recoverableitemsdeletions"]
        self.move(message, recoverable if message.folder in (deleted, recoverable) else deleted)

    def purge(self, message: Message) -> None:
        """Take a message away for good, out of the reach of every request."""
        self.discard(message)
        self.purged.append(message)

    def discard(self, message: Message) -> None:
        """Let a message cease to be, as a draft does when it is sent."""
        message.parent_folder.remove(message)
        message.folder = None
        del self._by_id[message.mutable_id]
        del self._by_id[message.id]

    def sent(self, draft: Message, *, new_id: bool = False) -> None:
        """Turn a draft into the mail in Sent Items that it became.

        https://learn.microsoft.com/graph/outlook-immutable-id#immutable-id-with-sending-mail

        Args:
            draft: What was sent.
            new_id: Whether the mail gets an immutable id of its own, as some have seen it; see
                https://github.com/microsoftgraph/microsoft-graph-docs/issues/11969.
        """
        draft.leave()
        if new_id:
            self.copy(draft, self.well_known["sentitems"])
            self.discard(draft)
        else:
            self.move(draft, self.well_known["sentitems"])

    def _not_found(self, identifier: str) -> GraphError:
        origin = self.ids.origin(identifier)
        if origin is Origin.MALFORMED:
            return malformed_id()
        if origin is Origin.ANOTHER_MAILBOX:
            return item_of_another_mailbox()
        return item_not_found()
