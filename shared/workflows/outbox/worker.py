"""What the app's triggers have the outbox do."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.outbound.outbox import OutboxMessage
from shared.workflows.outbox.box import Outbox
from shared.workflows.outbox.recover import recover_outbox
from shared.workflows.outbox.send_queued import give_up, send_queued


class OutboxWorker:
    """Goes on with sends, given messages as the queue has them.

    Args:
        box: what durable sends need.
    """

    def __init__(self, box: Outbox) -> None:
        self.box = box

    async def send(self, message: str | bytes, *, is_first: bool) -> None:
        """Takes one send as far as it goes now; see :func:`.send_queued.send_queued`."""
        await send_queued(OutboxMessage.decode(message), self.box, is_first=is_first)

    async def give_up(self, message: str | bytes) -> None:
        """Takes a message on which `send` has failed every time."""
        await give_up(OutboxMessage.decode(message), self.box)

    async def recover(self, after: timedelta, retention: timedelta) -> None:
        """Queues what stands still, forgets what ended long ago; see :mod:`.recover`."""
        await recover_outbox(self.box, after, retention)
