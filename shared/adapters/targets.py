"""The port `Targets`: each kind of target by its own adapter, over one HTTP session."""

from __future__ import annotations

from datetime import timedelta

from shared.adapters.camunda.engine import Camunda
from shared.adapters.secrets import SecretStore
from shared.adapters.target_http import TargetHttp
from shared.adapters.webhook import Webhooks
from shared.domain.outcome import Answer
from shared.domain.target import CamundaTarget, Target, TargetMessage


class AllTargets:
    """Fulfils :class:`~shared.ports.Targets`.

    Args:
        secrets: where the names in a row's `targetAuth` lead.
        default_signing_secret: signs webhooks of rows without `targetAuth`.
        timeout: how long a target may take to answer.
        variables_limit: bytes of variables that an engine takes.
    """

    def __init__(
        self,
        secrets: SecretStore,
        default_signing_secret: str,
        timeout: timedelta,
        variables_limit: int,
    ) -> None:
        self._http = TargetHttp(timeout)
        self._webhooks = Webhooks(self._http, secrets, default_signing_secret)
        self._camunda = Camunda(self._http, secrets, variables_limit)

    async def deliver(self, target: Target, message: TargetMessage) -> Answer:
        """Hands over one message."""
        if isinstance(target, CamundaTarget):
            return await self._camunda.deliver(target, message)
        return await self._webhooks.deliver(target, message)

    async def reachable(self, target: Target) -> str:
        """Empty where a target can be reached, else what is wrong."""
        if isinstance(target, CamundaTarget):
            return await self._camunda.reachable(target)
        return await self._webhooks.reachable(target)

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.close()
