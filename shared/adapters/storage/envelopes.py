"""The queue `emails`, and the container `envelopes` for mails too large for a message."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

from shared.adapters.storage.blobs import Container
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.queues import Queue
from shared.domain.envelope import INLINE_BYTES, Envelope, blob_name
from shared.domain.mail import Mail


class StorageEnvelopeQueue:
    """Fulfils :class:`~shared.ports.EnvelopeQueue`."""

    def __init__(self, clients: StorageClients) -> None:
        self._queue = Queue(clients, "emails")
        self._container = Container(clients, "envelopes")

    async def put(self, envelope: Envelope, delay: timedelta = timedelta(0)) -> None:
        """Sends an envelope, to be seen after ``delay``; a mail too large goes into a blob."""
        message = envelope.encode()
        if envelope.mail is not None and len(message) > INLINE_BYTES:
            # one name for one mail: a repetition writes over it, and nothing is left behind
            blob = blob_name(envelope.key)
            content = json.dumps(envelope.mail, separators=(",", ":")).encode()
            await self._container.write(blob, content, "application/json")
            message = replace(envelope, mail=None, blob=blob).encode()
        await self._queue.send(message, delay)

    async def mail_of(self, envelope: Envelope) -> Mail | None:
        """The mail that an envelope holds or names; None where it has none or it is gone."""
        if envelope.mail is not None or not envelope.blob:
            return envelope.mail
        content = await self._container.read(envelope.blob)
        if content is None:
            return None
        mail: Mail = json.loads(content)
        return mail

    async def discard(self, envelope: Envelope) -> None:
        """Removes what an envelope left beside the queue. Its delivery is at its end."""
        if envelope.blob:
            await self._container.delete(envelope.blob)

    async def oldest_waiting(self) -> datetime | None:
        """When the first message that waits for a worker was put; None where none waits."""
        return await self._queue.oldest_visible()
