"""What durable sends need from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from shared.account_ports import AccountTable
from shared.outbox_ports import OutboxContents, OutboxQueue, OutboxTable
from shared.workflows.outbound.sending import Sending
from shared.workflows.outbox.room import Room

DEADLINE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """All that durable sends need.

    Args:
        table: the sends.
        queue: what tells a worker to go on with one.
        contents: mails too large for the table.
        accounts: through which mailboxes can be opened.
        sending: mailboxes, documents, counts and the clock, as for sends at once.
        deadline: the longest that one attempt takes; a quarter of it later, others may go on.
        room: memory for mails that do not lie in the table.
    """

    table: OutboxTable
    queue: OutboxQueue
    contents: OutboxContents
    accounts: AccountTable
    sending: Sending
    deadline: timedelta = DEADLINE
    room: Room = field(default_factory=Room)
