"""The port `HealthProbe`: asks the storage and Entra ID, and puts what is wrong into words."""

from __future__ import annotations

from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.adapters.storage.polls import StoragePollQueue
from shared.domain.errors import ConnectorError
from shared.domain.subscription import Credential


class Probe:
    """Asks by way of the adapters that the workflows use."""

    def __init__(self, polls: StoragePollQueue, mailboxes: GraphMailboxes) -> None:
        self._polls = polls
        self._mailboxes = mailboxes

    async def storage(self) -> str:
        """Empty where the storage answers, else why not."""
        try:
            await self._polls.length()
        except ConnectorError as error:
            return str(error)
        return ""

    async def token(self, credential: Credential) -> str:
        """Empty where Entra ID gives a token, else why not."""
        try:
            await self._mailboxes.token(credential)
        except ConnectorError as error:
            return str(error)
        return ""
