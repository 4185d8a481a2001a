"""What the connector stands on, well or ill as a test says."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.errors import SignInRefused
from shared.domain.subscription import Credential


class FakeProbe:
    """Fulfils :class:`~shared.ports.HealthProbe`.

    Attributes:
        broken: why the storage does not answer; empty where it does.
        no_token: why there is no token; empty where there is one.
        roles: roles for mail that the app was given in Entra ID.
    """

    def __init__(self) -> None:
        self.broken = ""
        self.no_token = ""
        self.roles: list[str] = []

    async def storage(self) -> str:
        """Empty where the storage answers, else why not."""
        return self.broken

    async def token(self, credential: Credential) -> str:  # noqa: ARG002
        """Empty where Entra ID gives a token, else why not."""
        return self.no_token

    async def mail_roles(self, credential: Credential) -> list[str]:
        """The roles for mail that the app was given in Entra ID."""
        if self.no_token:
            raise SignInRefused(f"of {credential.client_id}", self.no_token)
        return self.roles


class FakeStorageWatch:
    """Fulfils :class:`~shared.ports.StorageWatch`.

    Attributes:
        messages: how many messages each queue has.
        ahead: by how much this machine's clock is ahead.
    """

    def __init__(self) -> None:
        self.messages = {
            f"{queue}{end}": 0 for queue in ("emails", "polls", "outbox") for end in ("", "-poison")
        }
        self.ahead = timedelta(0)

    async def queued(self) -> dict[str, int]:
        """About how many messages each queue has, by name."""
        return dict(self.messages)

    async def clock_ahead(self) -> timedelta:
        """By how much this machine's clock is ahead of the storage's."""
        return self.ahead
