"""One mailbox and the port to it: the fake, or Graph's adapter on the simulator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from azure.identity.aio import ClientSecretCredential

from localdev.graph_simulator import (
    CLIENT_ID,
    SECRET,
    TENANT_ID,
    GraphError,
    GraphSimulator,
    Quirks,
    RunningSimulator,
)
from localdev.graph_simulator.content import Attachment
from localdev.graph_simulator.ids import attachment_id
from shared.adapters.graph import transport
from shared.adapters.graph.client import GraphClient
from shared.adapters.graph.gate import MailboxGate
from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.domain.errors import MailboxUnavailable
from shared.domain.odata import BEGINNING, listing
from shared.domain.subscription import Credential, Operation, PostProcess
from shared.domain.subscription import Folder as FolderName
from shared.ports import MailboxAddress, Mailboxes, Page
from tests.builders import MAILBOX, graph_message
from tests.fakes.mailboxes import FakeMailbox, FakeMailboxes
from tests.fakes.waiting import Hourglass

RECEIVED = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
UNREAD = "isRead eq false"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person sees of a mail in the mailbox."""

    folder: str
    is_read: bool = False
    categories: tuple[str, ...] = ()


class World(ABC):
    """A mailbox, and what a person or an outage does to it."""

    mailboxes: Mailboxes
    address = MailboxAddress(Credential(client_id=CLIENT_ID), MAILBOX)

    @abstractmethod
    def deliver(
        self,
        subject: str = "Subject",
        received: datetime = RECEIVED,
        folder: str = "inbox",
        **state: Any,
    ) -> str:
        """A mail comes in; `state` may hold `is_read` and `categories`. Gives its id."""

    @abstractmethod
    def create_folder(self, path: str) -> None:
        """A person makes a folder."""

    @abstractmethod
    def purge_folder(self, path: str) -> None:
        """A person deletes a folder for good."""

    @abstractmethod
    def remove(self, mail_id: str) -> None:
        """A person deletes a mail for good."""

    @abstractmethod
    def look(self, mail_id: str) -> Seen | None:
        """A person looks at a mail; None where it is gone."""

    @abstractmethod
    def is_down(self, retry_after: float | None, times: int) -> None:
        """The next requests are not served."""

    @abstractmethod
    def time_passes(self) -> None:
        """Whatever Graph asked to wait is over."""

    @abstractmethod
    def has_an_empty_page(self) -> None:
        """The next list begins with an empty page that has a next link."""

    @abstractmethod
    def attach(self, mail_id: str, name: str, content: bytes, kind: str = "file") -> str:
        """Something is attached to a mail: a file, an item or a reference. Gives its id."""

    @abstractmethod
    def mime(self, mail_id: str) -> bytes:
        """A mail as it came in."""

    @abstractmethod
    def files_weigh_too_much(self) -> None:
        """An answer may not have the bytes of all files of a mail any more."""

    async def streamed(self, mail_id: str, attachment_id: str) -> bytes:
        """All bytes of an attachment."""
        stream = self.mailboxes.attachment_stream(self.address, mail_id, attachment_id)
        async with stream as pieces:
            return b"".join([piece async for piece in pieces])

    async def list(self, folder: str, top: int = 100, link: str | None = None) -> Page:
        """A page of unread mail of a folder."""
        folder_id = await self.mailboxes.find_folder(self.address, FolderName(folder))
        query = listing(BEGINNING, UNREAD, top)
        return await self.mailboxes.list_messages(self.address, folder_id, query, "text", link)

    async def post_process(self, mail_id: str, *operations: Operation, **fields: Any) -> str:
        """Does operations on a mail."""
        categories = fields.pop("known", ())
        actions = PostProcess(operations, **fields)
        return await self.mailboxes.post_process(self.address, mail_id, actions, categories)


class FakeWorld(World):
    """In memory."""

    def __init__(self) -> None:
        self.mailbox = FakeMailbox()
        self.fake = FakeMailboxes({MAILBOX: self.mailbox})
        self.mailboxes = self.fake
        self._number = 0

    def deliver(
        self,
        subject: str = "Subject",
        received: datetime = RECEIVED,
        folder: str = "inbox",
        **state: Any,
    ) -> str:
        """A mail comes in."""
        self._number += 1
        categories = list(state.get("categories", ()))
        message = graph_message(
            self._number,
            received,
            subject=subject,
            isRead=state.get("is_read", False),
            categories=categories,
        )
        return self.mailbox.deliver(message, folder)

    def create_folder(self, path: str) -> None:
        """A person makes a folder."""
        self.mailbox.create_folder(path)

    def purge_folder(self, path: str) -> None:
        """A person deletes a folder for good."""
        self.mailbox.purge_folder(path)

    def remove(self, mail_id: str) -> None:
        """A person deletes a mail for good."""
        del self.mailbox.mails[mail_id]

    def look(self, mail_id: str) -> Seen | None:
        """A person looks at a mail."""
        if mail_id not in self.mailbox.mails:
            return None
        message = self.mailbox.mails[mail_id].message
        folder = self.mailbox.folder_of(mail_id)
        return Seen(folder, is_read=message["isRead"], categories=tuple(message["categories"]))

    def is_down(self, retry_after: float | None, times: int) -> None:  # noqa: ARG002
        """The next call is not served; what the adapter repeats in itself, the fake does not."""
        self.fake.fail_next(MailboxUnavailable(MAILBOX, "Graph answered 503", retry_after))

    def time_passes(self) -> None:
        """The fake asks nobody to wait."""

    def has_an_empty_page(self) -> None:
        """The next list begins with an empty page."""
        self.fake.empty_page_first = True

    def attach(self, mail_id: str, name: str, content: bytes, kind: str = "file") -> str:
        """Something is attached to a mail."""
        odata_type = f"#microsoft.graph.{kind}Attachment"
        return self.mailbox.attach(mail_id, name, content, **{"@odata.type": odata_type})

    def mime(self, mail_id: str) -> bytes:
        """A mail as it came in."""
        return self.mailbox.mime.setdefault(mail_id, eml("Subject"))

    def files_weigh_too_much(self) -> None:
        """The limit is below what two files have."""
        self.fake.largest_answer = 1000


class SimulatedWorld(World):
    """Graph's adapter on the simulator."""

    def __init__(
        self, simulator: GraphSimulator, running: RunningSimulator, patch: pytest.MonkeyPatch
    ) -> None:
        self._patch = patch
        self.simulator = simulator
        self.running = running
        self.hourglass = Hourglass()
        self.secrets = {CLIENT_ID: SECRET}
        self.graph = GraphMailboxes(self._connect, linger=0, gate=self._gate)
        self.mailboxes = self.graph

    def deliver(
        self,
        subject: str = "Subject",
        received: datetime = RECEIVED,
        folder: str = "inbox",
        **state: Any,
    ) -> str:
        """A mail comes in."""
        mime, folder = eml(subject), _display(folder)
        return self.simulator.deliver(MAILBOX, mime, folder=folder, received=received, **state)

    def create_folder(self, path: str) -> None:
        """A person makes a folder."""
        self.simulator.directory.mailbox(MAILBOX).folder_at(_display(path), create=True)

    def purge_folder(self, path: str) -> None:
        """A person deletes a folder for good."""
        mailbox = self.simulator.directory.mailbox(MAILBOX)
        folder = mailbox.folder_at(path)
        assert folder.parent is not None
        folder.parent.children.remove(folder)
        del mailbox.folders[folder.id]

    def remove(self, mail_id: str) -> None:
        """A person deletes a mail for good."""
        self.simulator.directory.mailbox(MAILBOX).purge(self.simulator.message(MAILBOX, mail_id))

    def look(self, mail_id: str) -> Seen | None:
        """A person looks at a mail."""
        try:
            message = self.simulator.message(MAILBOX, mail_id)
        except GraphError:
            return None
        assert message.folder is not None
        names = message.folder.path.split("/")
        names[0] = {"Inbox": "inbox", "Deleted Items": "deleteditems", "Archive": "archive"}.get(
            names[0], names[0]
        )
        path = "/".join(names)
        return Seen(path, is_read=message.is_read, categories=tuple(message.categories))

    def is_down(self, retry_after: float | None, times: int) -> None:
        """The next requests are not served."""
        status = 503 if retry_after is None else 429
        self.simulator.fail_next(lambda _: True, status, retry_after=retry_after, times=times)

    def time_passes(self) -> None:
        """An hour."""
        self.hourglass.time += 3600

    def has_an_empty_page(self) -> None:
        """Every page that is not marked as the rest comes after an empty one."""
        self.simulator.quirks = Quirks(empty_pages=1.0)

    def attach(self, mail_id: str, name: str, content: bytes, kind: str = "file") -> str:
        """Something is attached to a mail."""
        message = self.simulator.message(MAILBOX, mail_id)
        attachments = message.content.attachments
        attachments.append(
            Attachment(
                kind=kind,  # type: ignore[arg-type]
                name=name,
                content_type="application/pdf",
                content=content,
            )
        )
        message.fragments.clear()
        return attachment_id(message.id, len(attachments) - 1)

    def mime(self, mail_id: str) -> bytes:
        """A mail as it came in."""
        return self.simulator.message(MAILBOX, mail_id).mime

    def files_weigh_too_much(self) -> None:
        """The limit is below what two files have."""
        self._patch.setattr(transport, "LARGEST_ANSWER", 1000)

    def credential(self, client_id: str = CLIENT_ID) -> ClientSecretCredential:
        """A credential of azure-identity for an app of the simulator."""
        return ClientSecretCredential(
            TENANT_ID,
            client_id,
            self.secrets.get(client_id, SECRET),
            authority=self.running.authority_url,
            connection_verify=str(self.running.ca_file),
            disable_instance_discovery=True,
        )

    def _gate(self, mailbox: str) -> MailboxGate:
        return MailboxGate(mailbox, self.hourglass.sleep, self.hourglass.monotonic)

    async def _connect(self, credential: Credential) -> GraphClient:
        return GraphClient(self.credential(credential.client_id), self.running.graph_url)


def _display(path: str) -> str:
    """A path as the simulator wants it: of display names only, or a well-known name alone."""
    return path.replace("inbox/", "Inbox/")


def eml(subject: str, body: str = "Body", headers: Mapping[str, str] | None = None) -> bytes:
    """A mail as an `.eml` file holds it."""
    message = EmailMessage()
    message["From"], message["To"] = "Ada <ada@example.org>", MAILBOX
    message["Subject"] = subject
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(body)
    return bytes(message)
