"""The port `HealthProbe`: asks the storage and Entra ID, and puts what is wrong into words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.adapters.storage.polls import StoragePollQueue
from shared.domain.errors import ConnectorError
from shared.domain.subscription import Credential

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
