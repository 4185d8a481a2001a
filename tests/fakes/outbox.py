"""The outbox in memory, and mailboxes with the rules that decide whether a mail goes out twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count

from shared.domain.errors import AnswerLost, MailboxRefused
from shared.domain.outbound.outbox import OutboxItem, OutboxMessage, SendId, SendState
from shared.outbound_ports import Caller, Draft, Listing
from tests.fakes.mail_operations import FakeMailOperations
from tests.fakes.queues import FakeQueue

REASON_CHARACTERS = 1000
_versions = count(1)


class FakeOutboxTable:
    """Fulfils :class:`~shared.outbox_ports.OutboxTable`.

    Args:
        rows: the sends, shared by those that stand for workers on one storage.
    """

    def __init__(self, rows: dict[SendId, OutboxItem] | None = None) -> None:
        self.rows = {} if rows is None else rows

    async def add(self, item: OutboxItem) -> OutboxItem | None:
        """Stores a new send; None where its key is known already."""
        return None if item.id in self.rows else self._stored(item)

    async def read(self, identity: SendId) -> OutboxItem | None:
        """One send; None where it is not known."""
        return self.rows.get(identity)

    async def write(self, item: OutboxItem) -> OutboxItem | None:
        """Stores what changes, if nobody has changed it since it was read; else gives None."""
        known = self.rows.get(item.id)
        if known is None or known.version != item.version:
            return None
        # a write leaves alone what a list did not bring
        content = b"" if item.state.is_final else known.content
        self._stored(replace(item, content=content, blob=known.blob))
        return replace(item, version=self.rows[item.id].version)

    async def overdue(self, before: datetime) -> AsyncIterator[OutboxItem]:
        """Sends not at their end whose `due_at` lies before a time; without their content."""
        for item in list(self.rows.values()):
            if not item.state.is_final and item.due_at < before:
                yield replace(item, content=b"")

    async def purge(self, before: datetime) -> int:
        """Forgets sends that ended before a time. Gives how many."""
        old = [
            identity
            for identity, item in self.rows.items()
            if item.state.is_final and item.updated_at < before
        ]
        for identity in old:
            del self.rows[identity]
        return len(old)

    def in_state(self, state: SendState) -> list[OutboxItem]:
        """The sends that stand there, for a test to look at."""
        return [item for item in self.rows.values() if item.state is state]

    def _stored(self, item: OutboxItem) -> OutboxItem:
        version = f"v{next(_versions)}"
        stored = replace(item, version=version, reason=item.reason[:REASON_CHARACTERS])
        self.rows[item.id] = stored
        return stored


class FakeOutboxQueue:
    """Fulfils :class:`~shared.outbox_ports.OutboxQueue`.

    Args:
        queue: what was sent, shared by those that stand for workers on one storage.
    """

    def __init__(self, queue: FakeQueue | None = None) -> None:
        self.queue = queue or FakeQueue()

    async def put(self, message: OutboxMessage, delay: timedelta = timedelta(0)) -> None:
        """Sends a message, to be seen after ``delay``."""
        self.queue.send(message.encode(), delay)

    async def oldest_waiting(self) -> datetime | None:
        """When the first message that waits for a worker was put; None where none waits."""
        visible = self.queue.visible()
        return visible[0].sent_at if visible else None


class FakeOutboxContents:
    """Fulfils :class:`~shared.outbox_ports.OutboxContents`.

    Args:
        blobs: contents by name, shared likewise.
    """

    def __init__(self, blobs: dict[str, bytes] | None = None) -> None:
        self.blobs = {} if blobs is None else blobs

    async def store(self, name: str, content: bytes) -> None:
        """Stores one."""
        self.blobs[name] = content

    async def read(self, name: str) -> bytes | None:
        """One; None where it is gone."""
        return self.blobs.get(name)

    async def remove(self, name: str) -> None:
        """Removes one, if it is there."""
        self.blobs.pop(name, None)

    async def expire(self, before: date) -> int:
        """Removes those of all days before a day; gives how many."""
        old = [name for name in self.blobs if name.partition("/")[0] < f"{before:%Y%m%d}"]
        for name in old:
            del self.blobs[name]
        return len(old)


class StrictMailOperations(FakeMailOperations):
    """Mailboxes in which a mail that was sent is no draft any more.

    Attributes:
        unseen: whether mail that was sent is not seen yet, by any way of looking.
        copies: whether the copy in Sent Items has an id of its own, and has lost the key.
        late: whether the next send is not answered, and takes effect only at `arrive`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unseen = False
        self.copies = False
        self.late = False
        self._delayed: list[tuple[Caller, str]] = []

    async def send_draft(self, caller: Caller, draft_id: str) -> None:
        """Sends a draft; refuses what is none, as Graph does."""
        known = self.messages.get(draft_id)
        if known is not None and not known.json["isDraft"]:
            self.asked["send_draft"] += 1
            raise MailboxRefused(caller.mailbox, "send draft: Graph answered 400")
        if self.late:
            self.late = False
            self._delayed.append((caller, draft_id))
            raise AnswerLost(caller.mailbox, "send draft: no answer")
        try:
            await super().send_draft(caller, draft_id)
        finally:
            if self.copies and known is not None and not known.json["isDraft"]:
                del self.messages[draft_id]
                known.json["id"], known.key = f"copy-of-{draft_id}", ""
                self.messages[known.json["id"]] = known

    async def arrive(self) -> None:
        """What was delayed takes effect now, if it still can."""
        delayed, self._delayed = self._delayed, []
        for caller, draft_id in delayed:
            if draft_id in self.messages and self.messages[draft_id].json["isDraft"]:
                await self.send_draft(caller, draft_id)

    async def look(self, caller: Caller, draft_id: str) -> Draft | None:
        """A draft or what it became."""
        return self._seen(await super().look(caller, draft_id))

    async def find_draft(self, caller: Caller, key: str) -> Draft | None:
        """What was made with a key."""
        return self._seen(await super().find_draft(caller, key))

    async def list_messages(
        self, caller: Caller, folder: str | None, query: Mapping[str, str]
    ) -> Listing:
        """Mail of which the id stands in the filter."""
        self._begin("list_messages", caller)
        found = [
            one.json
            for one in self.messages.values()
            if folder in (None, one.folder)
            and one.json["internetMessageId"] in query.get("$filter", "")
            and not (self.unseen and not one.json["isDraft"])
        ]
        return Listing(found)

    def _seen(self, found: Draft | None) -> Draft | None:
        return None if found is not None and self.unseen and not found.is_draft else found
