"""Takes messages of the queue `outbox`: an attempt at each send, in bounds of time and memory."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack
from datetime import timedelta

from shared.domain.errors import StorageUnavailable
from shared.domain.outbound.outbox import OutboxItem, OutboxMessage, send_id
from shared.domain.settlement import LONGEST_DELAY
from shared.telemetry import bound
from shared.workflows.outbox.attempt import Attempt, TakenOver
from shared.workflows.outbox.box import Outbox
from shared.workflows.outbox.enqueue import ordered

WITH_FILES = timedelta(minutes=7)
"""The longest that one attempt takes that may have files to send."""

WAIT_FOR_ROOM = timedelta(seconds=30)
"""How long a large mail waits in place for others to make room; then it goes back to the queue."""

_FAILED = "the connector itself failed on this mail at every attempt; its log says why"
_NO_ROOM = "other large mails are being sent"


async def send_queued(message: OutboxMessage, box: Outbox, *, is_first: bool) -> None:
    """Takes one send as far as it goes now: to its end, or to its next attempt.

    Args:
        message: as it was queued.
        box: the outbox.
        is_first: whether the queue gives the message out for the first time.

    Raises:
        StorageUnavailable: the queue gives the message again.
        TimeoutError: it took longer than its deadline; likewise.
    """
    with bound(mailbox=message.mailbox, send=message.key):
        is_new = is_first and message.is_new
        if message.item is not None:
            # as it was stored: the first write tells whether it still is so
            attempt = await _attempt(message.item, box, is_new=is_new)
            if attempt.began:
                return
            is_new = False
        item = await box.table.read(send_id(message.mailbox, message.key))
        if item is None and message.request is not None:
            item, is_new = await ordered(box, message)
        if item is not None:  # else it ended long ago, and is forgotten
            await _attempt(item, box, is_new=is_new and item.is_untouched)


async def _attempt(item: OutboxItem, box: Outbox, *, is_new: bool) -> Attempt:
    """Makes one attempt; it has not begun where somebody has changed the item before."""
    deadline = max(box.deadline, WITH_FILES) if item.blob else box.deadline
    # clocks differ, and a timer may come late: others wait a little longer than the attempt lasts
    attempt = Attempt(box, item, deadline * 1.25, is_new=is_new)
    async with AsyncExitStack() as room:
        with contextlib.suppress(TakenOver):
            try:
                async with asyncio.timeout(WAIT_FOR_ROOM.total_seconds()):
                    await room.enter_async_context(box.room.of(item))
            except TimeoutError:
                await attempt.go_on_later(_NO_ROOM, WAIT_FOR_ROOM)
                return attempt
            async with asyncio.timeout(deadline.total_seconds()):
                await attempt.take()
    return attempt


async def give_up(message: OutboxMessage, box: Outbox) -> None:
    """Takes a message that the queue has given out too often: something in us fails on it.

    It may be an outage of the storage that hit all sends. So it is tried again, with long pauses,
    as long as an unavailable mailbox would be; then the send has failed.
    """
    with bound(mailbox=message.mailbox, send=message.key):
        try:
            item = await box.table.read(send_id(message.mailbox, message.key))
            if item is None and message.request is not None:
                item, _ = await ordered(box, message)
        except StorageUnavailable:
            if message.request is None:
                raise  # it is stored: recovery has it
            await box.queue.put(message, LONGEST_DELAY)
            return
        if item is not None:
            with contextlib.suppress(TakenOver):
                attempt = Attempt(box, item, LONGEST_DELAY, is_new=False)
                await attempt.go_on_later(_FAILED, LONGEST_DELAY)
