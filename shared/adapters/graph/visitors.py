"""Requests with a token that a caller has brought: used for that request, and kept nowhere.

All visitors share one client and its connections. The token stands in a context variable only while
its request is sent, so neither a client nor a cache ever holds it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

from azure.core.credentials import AccessToken

from shared.adapters.graph.client import GraphClient
from shared.domain.subscription import Credential

_GOOD_FOR = 300
"""Seconds that libraries may think that it is good; Graph decides."""

_token: ContextVar[str] = ContextVar("visitor_token", default="")


class VisitorCredential:
    """The credential of whoever is being served."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:  # noqa: ARG002
        """The token of the caller whose request is being sent."""
        return AccessToken(_token.get(), int(time.time()) + _GOOD_FOR)

    async def close(self) -> None:
        """Holds nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


@contextmanager
def as_visitor(token: str) -> Iterator[None]:
    """A block in which requests of the visitors' client carry a token."""
    before = _token.set(token)
    try:
        yield
    finally:
        _token.reset(before)


def visitors(endpoint: str) -> Callable[[Credential], Awaitable[GraphClient]]:
    """What makes the visitors' client, in place of that of a credential.

    Args:
        endpoint: such as ``https://graph.microsoft.com``.
    """

    async def connect(_: Credential) -> GraphClient:
        return GraphClient(VisitorCredential(), endpoint)

    return connect
