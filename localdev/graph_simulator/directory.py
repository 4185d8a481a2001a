"""All mailboxes, and the post that goes between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from localdev.graph_simulator.content import Content
from localdev.graph_simulator.errors import GraphError, invalid_user
from localdev.graph_simulator.mailbox import Mailbox
from localdev.graph_simulator.message import Message
from localdev.graph_simulator.mime import content_from_mime
from localdev.graph_simulator.uploads import Uploads


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail that left a mailbox through Graph.

    Attributes:
        mailbox: The address of the mailbox that sent it.
        recipients: The addresses it went to, simulated or not.
        content: What it says.
        write: Writes the mail as MIME.
    """

    mailbox: str
    recipients: tuple[str, ...]
    content: Content
    write: Callable[[], bytes]

    @property
    def mime(self) -> bytes:
        """The mail as MIME."""
        return self.write()


class Directory:
    """The mailboxes of the simulated organisation, by address and by object id."""

    def __init__(self) -> None:
        self.mailboxes: dict[str, Mailbox] = {}
        self.sent: list[SentMail] = []
        self.uploads = Uploads()
        self._by_user_id: dict[str, Mailbox] = {}

    def add(self, address: str, *, display_name: str = "", rest_enabled: bool = True) -> Mailbox:
        """Add a mailbox; one that is there already stays as it is."""
        known = self.mailboxes.get(address.lower())
        if known is not None:
            return known
        mailbox = Mailbox(address, display_name=display_name, rest_enabled=rest_enabled)
        self.mailboxes[address.lower()] = self._by_user_id[mailbox.user_id] = mailbox
        return mailbox

    def find(self, user: str) -> Mailbox | None:
        """Return the mailbox of an address or an object id."""
        return self.mailboxes.get(user.lower()) or self._by_user_id.get(user.lower())

    def mailbox(self, user: str) -> Mailbox:
        """Return the mailbox of an address or an object id.

        Raises:
            GraphError: 404, if the directory has no such user.
        """
        mailbox = self.find(user)
        if mailbox is None:
            raise invalid_user(user)
        return mailbox

    def deliver(
        self,
        address: str,
        mime: bytes,
        *,
        folder: str = "inbox",
        received: datetime | None = None,
        is_read: bool = False,
        categories: Sequence[str] = (),
    ) -> Message:
        """Put a mail into a folder, which is created if it is not there."""
        mailbox = self.mailbox(address)
        message = Message(
            mailbox,
            mailbox.folder_at(folder, create=True),
            content_from_mime(mime),
            mime,
            received=received or datetime.now(UTC),
            is_read=is_read,
            categories=categories,
        )
        return mailbox.add(message)

    def send(
        self, mailbox: Mailbox, content: Content, write: Callable[[], bytes], *, keep_copy: bool
    ) -> None:
        """Send a mail: to every simulated recipient, and to Sent Items if a copy is kept.

        Args:
            mailbox: Whose mail it is.
            content: What it says.
            write: Writes it as MIME, where somebody reads it.
            keep_copy: Whether a copy goes to Sent Items.

        Raises:
            GraphError: 400, if nobody is to get it.
        """
        recipients = tuple(dict.fromkeys(a.address.lower() for a in content.recipients))
        if not recipients or not all("@" in recipient for recipient in recipients):
            raise GraphError(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
        self.sent.append(SentMail(mailbox.address, recipients, content, write))
        if keep_copy:
            copy = self.deliver(mailbox.address, write(), folder="sentitems", is_read=True)
            copy.content.bcc = list(content.bcc)
            copy.content.properties = dict(content.properties)
        for recipient in recipients:
            if recipient in self.mailboxes:
                self.deliver(recipient, write())
