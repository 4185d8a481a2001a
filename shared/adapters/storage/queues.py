"""One queue: made on first use, messages that never expire, errors turned into the connector's."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue.aio import QueueClient

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.errors import storage_errors
from shared.adapters.storage.first_use import FirstUse
from shared.domain.errors import StorageUnavailable

LONGEST_DELAY = timedelta(days=7)
"""The longest that a message can be kept from being seen (Azure's limit)."""

_NEVER = -1

R = TypeVar("R")


class Queue:
    """A queue of the account.

    Every method raises :class:`~shared.domain.errors.StorageUnavailable`.
    """

    def __init__(self, clients: StorageClients, name: str) -> None:
        self._clients = clients
        self._name = name
        self._what = f"queue {name}"
        self._known_client: QueueClient | None = None
        self._first_use = FirstUse(self._create)

    async def send(self, message: str, delay: timedelta = timedelta(0)) -> None:
        """Sends a message as it is, to be seen after ``delay``: whole seconds, at most 7 days."""
        seconds = math.ceil(min(delay, LONGEST_DELAY).total_seconds())
        await self._run(
            lambda queue: queue.send_message(
                message, visibility_timeout=seconds or None, time_to_live=_NEVER
            )
        )

    async def oldest_visible(self) -> datetime | None:
        """When the message at the front of the queue was sent; None where none can be seen."""
        messages = await self._run(lambda queue: queue.peek_messages(max_messages=1))
        return messages[0].inserted_on if messages else None

    async def length(self) -> int:
        """About how many messages there are, those that cannot be seen now included."""
        properties = await self._run(lambda queue: queue.get_queue_properties())
        return properties.approximate_message_count or 0

    async def _run(self, operation: Callable[[QueueClient], Awaitable[R]]) -> R:
        try:
            return await self._run_once(operation)
        except StorageUnavailable as error:
            if error.code != "QueueNotFound":
                raise
            self._first_use.forget()
            return await self._run_once(operation)

    async def _run_once(self, operation: Callable[[QueueClient], Awaitable[R]]) -> R:
        await self._first_use.ensure()
        async with storage_errors(self._what):
            return await operation(self._client)

    @property
    def _client(self) -> QueueClient:
        if self._known_client is None:
            self._known_client = self._clients.queues.get_queue_client(self._name)
        return self._known_client

    async def _create(self) -> None:
        async with storage_errors(self._what):
            try:
                await self._client.create_queue()
            except ResourceExistsError:
                return
