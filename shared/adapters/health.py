"""The ports `HealthProbe` and `StorageWatch`: what an operator asks storage and Entra ID."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.errors import storage_errors
from shared.adapters.storage.polls import StoragePollQueue
from shared.adapters.storage.queues import Queue
from shared.domain.errors import ConnectorError
from shared.domain.subscription import Credential

QUEUES = ("emails", "emails-poison", "polls", "polls-poison", "outbox", "outbox-poison")
PATIENCE = 10.0
"""Seconds that an answer may take: who asks for health wants one soon."""


class Probe:
    """Asks by way of the adapters that the workflows use."""

    def __init__(self, polls: StoragePollQueue, mailboxes: GraphMailboxes) -> None:
        self._polls = polls
        self._mailboxes = mailboxes

    async def storage(self) -> str:
        """Empty where the storage answers, else why not."""
        return await _why_not(self._polls.length())

    async def token(self, credential: Credential) -> str:
        """Empty where Entra ID gives a token, else why not."""
        return await _why_not(self._mailboxes.token(credential))

    async def mail_roles(self, credential: Credential) -> Sequence[str]:
        """The roles for mail, over all mailboxes, that an app was given in Entra ID."""
        async with asyncio.timeout(PATIENCE):
            return await self._mailboxes.mail_roles(credential)


class StorageWatch:
    """Fulfils :class:`~shared.ports.StorageWatch`.

    Args:
        clients: connections to the storage, which the caller closes.
    """

    def __init__(self, clients: StorageClients) -> None:
        self._clients = clients

    async def queued(self) -> Mapping[str, int]:
        """About how many messages each queue has, by name; poison queues as well."""
        lengths = await asyncio.gather(*(Queue(self._clients, name).length() for name in QUEUES))
        return dict(zip(QUEUES, lengths, strict=True))

    async def clock_ahead(self) -> timedelta:
        """By how much this machine's clock is ahead of the storage's; to the second or so."""
        asked: list[timedelta] = []

        def look(answer: Any) -> None:
            stamp = answer.http_response.headers["Date"]
            asked.append(datetime.now(UTC) - parsedate_to_datetime(stamp))

        queue = self._clients.queues.get_queue_client(QUEUES[0])
        async with storage_errors(f"queue {QUEUES[0]}"):
            await queue.get_queue_properties(raw_response_hook=look)
        return asked[-1]


async def _why_not(question: Awaitable[object]) -> str:
    """Empty where the question is answered in time, else why not."""
    try:
        async with asyncio.timeout(PATIENCE):
            await question
    except ConnectorError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    return ""
