"""The queues `emails` and `polls`, in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.envelope import INLINE_BYTES, Envelope
from shared.domain.mail import Mail
from shared.domain.poll_message import decode_poll, encode_poll
from shared.ports import Clock
from tests.fakes.clock import SettableClock


@dataclass(frozen=True)
class QueuedMessage:
    """A message that nobody has taken yet."""

    text: str
    sent_at: datetime
    visible_at: datetime
    given_out: int = 0


@dataclass
class FakeQueue:
    """Messages in the order in which they were sent, some of them not to be seen yet."""

    clock: Clock = field(default_factory=SettableClock)
    messages: list[QueuedMessage] = field(default_factory=list)

    def send(self, text: str, delay: timedelta = timedelta(0)) -> None:
        """Puts a message behind the others."""
        now = self.clock.now()
        self.messages.append(QueuedMessage(text, now, now + delay))

    def visible(self) -> list[QueuedMessage]:
        """The messages that a worker would be given now."""
        now = self.clock.now()
        return [message for message in self.messages if message.visible_at <= now]

    def take(self) -> list[str]:
        """Takes all messages that can be seen now off the queue; gives their texts."""
        return [message.text for message in self.give_out()]

    def give_out(self) -> list[QueuedMessage]:
        """Takes all messages that can be seen now off the queue, counting that they are."""
        taken = self.visible()
        self.messages = [message for message in self.messages if message not in taken]
        return [replace(message, given_out=message.given_out + 1) for message in taken]


class FakeEnvelopeQueue:
    """Fulfils :class:`~shared.ports.EnvelopeQueue`.

    Args:
        queue: what was sent, shared by those that stand for workers on one storage.
        blobs: contents by name, shared likewise.
    """

    def __init__(
        self, queue: FakeQueue | None = None, blobs: dict[str, bytes] | None = None
    ) -> None:
        self.queue = queue or FakeQueue()
        self.blobs = {} if blobs is None else blobs

    async def put(self, envelope: Envelope, delay: timedelta = timedelta(0)) -> None:
        """Sends an envelope, to be seen after ``delay``; a mail too large goes into a blob."""
        message = envelope.encode()
        if envelope.mail is not None and len(message) > INLINE_BYTES:
            blob = f"{envelope.key.source}/{envelope.key.mail}.json"
            self.blobs[blob] = json.dumps(envelope.mail).encode()
            message = replace(envelope, mail=None, blob=blob).encode()
        self.queue.send(message, delay)

    async def mail_of(self, envelope: Envelope) -> Mail | None:
        """The mail that an envelope holds or names; None where it has none or it is gone."""
        if envelope.mail is not None or envelope.blob not in self.blobs:
            return envelope.mail
        mail: Mail = json.loads(self.blobs[envelope.blob])
        return mail

    async def discard(self, envelope: Envelope) -> None:
        """Removes what an envelope left beside the queue. Its delivery is at its end."""
        self.blobs.pop(envelope.blob, None)

    async def oldest_waiting(self) -> datetime | None:
        """When the first message that waits for a worker was put; None where none waits."""
        visible = self.queue.visible()
        return visible[0].sent_at if visible else None

    def take(self) -> list[Envelope]:
        """Takes the envelopes that can be seen now, as the queue trigger does."""
        return [Envelope.decode(text) for text in self.queue.take()]


class FakePollQueue:
    """Fulfils :class:`~shared.ports.PollQueue`.

    Args:
        queue: what was sent, shared by those that stand for workers on one storage.
    """

    def __init__(self, queue: FakeQueue | None = None) -> None:
        self.queue = queue or FakeQueue()

    async def put(self, source_ids: Sequence[str]) -> None:
        """Hands over sources, many in one message."""
        if source_ids:
            self.queue.send(encode_poll(source_ids))

    async def length(self) -> int:
        """About how many messages there are."""
        return len(self.queue.messages)

    def take(self) -> list[list[str]]:
        """Takes the messages that can be seen now, as the queue trigger does."""
        return [decode_poll(text) for text in self.queue.take()]
