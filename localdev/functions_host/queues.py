"""Drives a queue trigger as the platform does.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger
says how messages are polled, hidden, retried and given up. What it leaves open is as in the
platform's QueueListener and QueueProcessor (Microsoft.Azure.WebJobs.Extensions.Storage).
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from azure.storage.queue import QueueMessage

from localdev.functions_host.clock import Clock, Nap
from localdev.functions_host.functions import LoadedFunction
from localdev.functions_host.hostfile import QueueOptions
from localdev.functions_host.queue_message import decode_message
from localdev.functions_host.storage import STORAGE_ERRORS

MIN_POLLING_INTERVAL = timedelta(milliseconds=100)

logger = logging.getLogger(__name__)


class Queue(Protocol):
    """What the listener asks of a queue."""

    @property
    def name(self) -> str:
        """Its name."""

    async def receive(self, count: int, hidden_seconds: int) -> list[QueueMessage]:
        """Return up to so many messages and hide them."""

    async def send(self, text: str) -> None:
        """Add a message."""

    async def delete(self, message: QueueMessage) -> None:
        """Delete a received message, unless someone else has it by now."""

    async def hide(self, message: QueueMessage, seconds: int) -> bool:
        """Hide a received message for so many seconds more; false if it is no longer ours."""


@dataclass(slots=True, eq=False)
class _Held:
    """A message whose function runs: it is kept hidden."""

    message: QueueMessage
    renew_at: datetime
    renewal: asyncio.Task[None] | None = None


class Backoff:
    """The delays between polls of an empty queue: doubling, with some jitter."""

    def __init__(self, longest: timedelta) -> None:
        self._longest = longest.total_seconds()
        self._exponent = 0

    def reset(self) -> None:
        """Begin again: a message was found."""
        self._exponent = 0

    def next_delay(self) -> float:
        """Return the next delay, in seconds."""
        shortest = MIN_POLLING_INTERVAL.total_seconds()
        delay = shortest
        if self._exponent:
            delay += shortest * 2.0 ** (self._exponent - 1) * random.uniform(0.8, 1.2)
        if delay >= self._longest:
            return self._longest
        self._exponent += 1
        return delay


class QueueListener:
    """Fetches the messages of one queue and runs one function for each.

    Args:
        function: what is run.
        queue: where messages come from.
        poison_queue: where messages go that failed too often, or cannot be decoded.
        options: host.json's `extensions.queues`.
        run: runs a function; raises if it fails.
        clock: what delays and renewals go by.
        hidden_for: how long a fetched message is hidden. At half of it, the time is renewed
            while the function runs. Ten minutes on the platform; whole seconds.
    """

    def __init__(
        self,
        function: LoadedFunction,
        queue: Queue,
        poison_queue: Queue,
        options: QueueOptions,
        *,
        run: Callable[[LoadedFunction, object], Awaitable[Any]],
        clock: Clock,
        hidden_for: timedelta,
    ) -> None:
        self._function = function
        self._queue = queue
        self._poison_queue = poison_queue
        self._options = options
        self._run = run
        self._clock = clock
        self._hidden_seconds = max(1, round(hidden_for.total_seconds()))
        self._renew_after = hidden_for / 2
        self._backoff = Backoff(options.max_polling_interval)
        self._nap = Nap(clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[str, _Held] = {}
        self._room = asyncio.Event()
        self._stopping = False
        self._polls = 0
        self._drain_waiters: list[tuple[int, asyncio.Future[None]]] = []

    async def listen(self) -> None:
        """Poll until told to stop."""
        renewing = asyncio.create_task(self._keep_hidden())
        try:
            while not self._stopping:
                if await self._fetch():
                    self._backoff.reset()
                    await self._wait_for_room()
                else:
                    await self._nap.sleep(self._backoff.next_delay())
            if self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            # The messages of what is cancelled stay hidden and come back, as after a crash.
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            renewing.cancel()

    def stop(self) -> None:
        """Fetch no more; `listen` returns when what runs has finished."""
        self._stopping = True
        self._room.set()
        self._nap.wake()

    def wake(self) -> None:
        """Poll now: there is a new message."""
        self._nap.wake()

    async def drained(self) -> None:
        """Return once a poll that began after this call found nothing, and nothing runs."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._drain_waiters.append((self._polls + 1, waiter))
        self._nap.wake()
        await waiter

    async def _fetch(self) -> bool:
        """Start the functions for one batch of messages; false if there were none."""
        self._polls += 1
        poll = self._polls
        try:
            messages = await self._queue.receive(self._options.batch_size, self._hidden_seconds)
        except STORAGE_ERRORS as error:
            logger.warning("Queue %s cannot be read: %s", self._queue.name, _short(error))
            return False
        for message in messages:
            task = asyncio.create_task(self._process(message))
            self._tasks.add(task)
            task.add_done_callback(self._finished)
        if not messages and not self._tasks:
            self._tell_drained(poll)
        return bool(messages)

    async def _wait_for_room(self) -> None:
        """Wait until the next batch may be fetched.

        At most batchSize + newBatchThreshold messages are so in work.
        https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger#concurrency
        """
        while len(self._tasks) > self._options.new_batch_threshold and not self._stopping:
            self._room.clear()
            await self._room.wait()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if len(self._tasks) <= self._options.new_batch_threshold:
            self._room.set()
        if not self._tasks and self._drain_waiters:
            self._nap.wake()

    def _tell_drained(self, poll: int) -> None:
        for since, waiter in self._drain_waiters:
            if since <= poll and not waiter.done():
                waiter.set_result(None)
        self._drain_waiters = [item for item in self._drain_waiters if not item[1].done()]

    async def _process(self, message: QueueMessage) -> None:
        try:
            if (message.dequeue_count or 0) > self._options.max_dequeue_count:
                await self._give_up(message)
                return
            try:
                value = decode_message(message, self._options.message_encoding)
            except ValueError:
                logger.warning(
                    "Message %s of %s is not %s: check messageEncoding in host.json",
                    message.id,
                    self._queue.name,
                    self._options.message_encoding,
                )
                await self._give_up(message)
                return
            await self._settle(message, succeeded=await self._invoke(message, value))
        except STORAGE_ERRORS as error:
            # It comes back when the time is up that it is hidden for.
            logger.warning("Message %s is not settled: %s", message.id, _short(error))

    async def _invoke(self, message: QueueMessage, value: object) -> bool:
        """Run the function while the message is kept hidden; true if it succeeded."""
        held = _Held(message, self._clock.now() + self._renew_after)
        self._held[message.id] = held
        try:
            await self._run(self._function, value)
        except Exception:  # noqa: BLE001 - whatever it is: the runner has logged it
            return False
        else:
            return True
        finally:
            self._held.pop(message.id, None)
            if held.renewal is not None:  # it changes the pop receipt
                await asyncio.wait({held.renewal})

    async def _settle(self, message: QueueMessage, *, succeeded: bool) -> None:
        if succeeded:
            await self._queue.delete(message)
        elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._give_up(message)
        else:
            delay = self._options.visibility_timeout.total_seconds()
            await self._queue.hide(message, round(delay))

    async def _give_up(self, message: QueueMessage) -> None:
        """Move a message to the poison queue.

        https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger#poison-messages
        """
        logger.warning("Message %s goes to %s", message.id, self._poison_queue.name)
        await self._poison_queue.send(message.content)
        await self._queue.delete(message)

    async def _keep_hidden(self) -> None:
        """Renew what is held when its time comes.

        What is fetched during a sleep is due later than the sleep ends.
        """
        while True:
            now = self._clock.now()
            due = [held for held in self._held.values() if held.renew_at <= now]
            for held in due:
                held.renewal = asyncio.create_task(self._renew(held))
            if due:
                await asyncio.wait([held.renewal for held in due if held.renewal])
            next_at = min(
                (held.renew_at for held in self._held.values()), default=now + self._renew_after
            )
            await self._clock.sleep((next_at - self._clock.now()).total_seconds())

    async def _renew(self, held: _Held) -> None:
        try:
            ours = await self._queue.hide(held.message, self._hidden_seconds)
        except STORAGE_ERRORS as error:
            logger.warning("Message %s is not renewed: %s", held.message.id, _short(error))
            held.renew_at = self._clock.now() + self._renew_after / 4
        else:
            held.renew_at = self._clock.now() + self._renew_after
            if not ours:
                self._held.pop(held.message.id, None)


def _short(error: BaseException) -> str:
    """Return an error's first line: storage errors go on with headers."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
