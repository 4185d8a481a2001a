"""A message in a mailbox, and messages in the order of their arrival."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING

from localdev.graph_simulator.compose import mime_from_content
from localdev.graph_simulator.content import Content
from localdev.graph_simulator.errors import item_not_found
from localdev.graph_simulator.mime import content_from_mime

if TYPE_CHECKING:
    from localdev.graph_simulator.mailbox import Folder, Mailbox

_arrival = attrgetter("arrival")


class Message:
    """A mail in a mailbox.

    Attributes:
        id: The immutable id, which every move leaves as it is.
        mutable_id: The id that callers get who do not ask for immutable ones; a move changes it.
        folder: The folder that it lies in; None once it is purged.
        content: What the mail says.
        received: When it arrived, to the second, in UTC.
        fragments: Rendered properties, dropped when the content changes.
    """

    __slots__ = (
        "_headers",
        "_mime",
        "arrival",
        "categories",
        "change_number",
        "content",
        "created",
        "flag_status",
        "folder",
        "fragments",
        "id",
        "importance",
        "is_draft",
        "is_read",
        "mailbox",
        "modified",
        "mutable_id",
        "number",
        "received",
    )

    def __init__(
        self,
        mailbox: Mailbox,
        folder: Folder,
        content: Content,
        mime: bytes | None,
        *,
        received: datetime,
        is_read: bool,
        is_draft: bool = False,
        categories: Sequence[str] = (),
    ) -> None:
        self.mailbox = mailbox
        self.folder: Folder | None = folder
        self.content = content
        self._mime = mime
        self._headers = None if mime is None else content.headers
        self.number = next(mailbox.numbers)
        self.id = mailbox.ids.immutable(self.number)
        self.mutable_id = mailbox.ids.message(folder.number, self.number)
        self.received = received.astimezone(UTC).replace(microsecond=0)
        self.arrival = (self.received, self.number)
        self.created = self.modified = self.received
        self.is_read = is_read
        self.is_draft = is_draft
        self.categories = list(categories)
        self.importance = content.importance
        self.flag_status = "notFlagged"
        self.change_number = next(mailbox.numbers)
        self.fragments: dict[str, str] = {}

    @property
    def subject(self) -> str:
        """The subject, empty where there is none."""
        return self.content.subject

    @property
    def internet_message_id(self) -> str:
        """The Message-ID with its angle brackets."""
        return self.content.internet_message_id

    @property
    def parent_folder(self) -> Folder:
        """The folder of a mail that was not purged."""
        if self.folder is None:
            raise item_not_found()
        return self.folder

    @property
    def mime(self) -> bytes:
        """The mail as MIME: as it came, or composed for what was written through Graph."""
        if self._mime is None:
            self._mime = mime_from_content(self.content)
        return self._mime

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers with which the mail travelled; a draft has none."""
        if self.is_draft:
            return []
        if self._headers is None:
            self._headers = content_from_mime(self.mime).headers
        return self._headers

    def leave(self) -> None:
        """Be a draft no more, but a mail that was sent."""
        self.is_draft, self._headers = False, None
        self.fragments.clear()

    @property
    def change_key(self) -> str:
        """What changes with every change but that of the read state."""
        return self.mailbox.ids.change_key(self.change_number)

    @property
    def size(self) -> int:
        """The size that Exchange counts, in bytes."""
        return len(self.mime) + 1024

    def touch(self, *, content_changed: bool = False) -> None:
        """Note a change: a new change key, a new time, and no rendered content if that changed."""
        self.change_number = next(self.mailbox.numbers)
        self.modified = self.mailbox.now()
        if content_changed:
            self.fragments.clear()
            self._mime = None

    def set_read(self, *, is_read: bool) -> None:
        """Mark as read or unread; the change key stays, as recorded traffic shows."""
        if is_read != self.is_read:
            folder = self.parent_folder
            folder.remove(self)
            self.is_read = is_read
            folder.add(self)

    def __repr__(self) -> str:
        where = self.folder.path if self.folder else "purged"
        return f"<Message {self.subject!r} in {where}{'' if self.is_read else ', unread'}>"


class Arrivals:
    """Messages in the order of their arrival; to add the newest and to walk are cheap."""

    __slots__ = ("_messages",)

    def __init__(self) -> None:
        self._messages: list[Message] = []

    def add(self, message: Message) -> None:
        """Put a message in its place."""
        if not self._messages or self._messages[-1].arrival < message.arrival:
            self._messages.append(message)
        else:
            insort(self._messages, message, key=_arrival)

    def remove(self, message: Message) -> None:
        """Take a message out."""
        place = bisect_left(self._messages, message.arrival, key=_arrival)
        if place < len(self._messages) and self._messages[place] is message:
            del self._messages[place]

    def newest_first(self) -> Iterator[Message]:
        """Walk in Graph's default order."""
        return reversed(self._messages)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)
