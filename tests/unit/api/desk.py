"""The API on fakes, and requests to it."""

from __future__ import annotations

import json
from typing import Any

from shared.api.dispatch import Api
from shared.api.http import ApiAnswer, ApiRequest
from shared.domain.api_access import ApiAccess
from tests.fakes.outbox_world import OutboxWorld
from tests.unit.workflows.outbound.desk import Desk

BOX = "support@contoso.example"


class ApiDesk(Desk):
    """A desk with the API in front."""

    def __init__(
        self, most_per_hour: int = 100, public_url: str = "", access: ApiAccess | None = None
    ) -> None:
        super().__init__(most_per_hour)
        self.sends = OutboxWorld(operations=self.operations)
        self.accounts = self.sends.accounts
        access = access or ApiAccess()
        self.api = Api(self.sending, self.sends.box(), self.accounts, access, public_url)

    async def __call__(
        self,
        method: str,
        rest: str,
        body: Any = None,
        *,
        user: str = BOX,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> ApiAnswer:
        """One request; a body that is no bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.api.handle(
            ApiRequest(
                method=method,
                url=f"https://app.example/api/mail/{user}/{rest}",
                user=user,
                rest=rest,
                query=query or {},
                headers=headers or {},
                body=b"" if body is None else raw,
            )
        )


def content(answer: ApiAnswer) -> Any:
    """The JSON of an answer."""
    return json.loads(answer.body)
