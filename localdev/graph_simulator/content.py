"""What a mail says, whether it came as MIME or as JSON: plain data, no state of a mailbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

BodyType = Literal["text", "html"]
AttachmentKind = Literal["file", "item", "reference"]


@dataclass(frozen=True, slots=True)
class Address:
    """A display name (the address itself where there is none) and an address."""

    name: str
    address: str


@dataclass(slots=True, kw_only=True)
class Attachment:
    """An attachment of any of Graph's three kinds; `content` is empty for a reference."""

    kind: AttachmentKind
    name: str
    content_type: str
    content: bytes
    is_inline: bool = False
    content_id: str | None = None
    content_location: str | None = None

    @property
    def size(self) -> int:
        """What Exchange calls the size: the bytes and what it stores beside them."""
        return len(self.content) + 2 * len(self.name) + 176


@dataclass(slots=True, kw_only=True)
class Content:
    """Everything of a mail that Graph shows, apart from where it lies and whether it was read."""

    subject: str = ""
    body: str = ""
    body_type: BodyType = "text"
    sender: Address | None = None
    from_: Address | None = None
    to: list[Address] = field(default_factory=list)
    cc: list[Address] = field(default_factory=list)
    bcc: list[Address] = field(default_factory=list)
    reply_to: list[Address] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    internet_message_id: str = ""
    sent: datetime | None = None
    importance: str = "normal"
    thread: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    """Single-value extended properties, by their id."""

    @property
    def recipients(self) -> list[Address]:
        """All who get the mail."""
        return [*self.to, *self.cc, *self.bcc]

    @property
    def has_attachments(self) -> bool:
        """False where all attachments are inline, as in Outlook."""
        return any(not attachment.is_inline for attachment in self.attachments)
