"""Access tokens by OpenID Connect client credentials, kept until shortly before they end.

Source: RFC 6749, section 4.4; Camunda's SaaS wants `audience` beside it.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlencode

from shared.adapters.http import retry_after
from shared.adapters.secrets import SecretStore
from shared.adapters.target_http import NotAnswered, Read, TargetAnswer, TargetHttp
from shared.domain.target import ClientCredentials

RENEWED_BEFORE = 60.0
"""Seconds before a token's end at which it is not used any more; a request takes a while."""

DEFAULT_LIFETIME = 300.0
"""Seconds that a token is taken to live whose answer does not say."""

FAILURE_KEPT = 5.0
"""Seconds for which a failure answers all who ask: a silent provider costs one timeout."""

_OK = 200
_BODIES = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class NoToken(Exception):
    """The identity provider gave no token.

    Args:
        reason: why, for a person; no secret in it.
        retry_after: seconds that it asked to wait, or None.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    until: float


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    retry_after: float | None
    until: float


_Known: TypeAlias = _Token | _Failure


class Tokens:
    """Tokens of all clients; those who wait for one share a request and what comes of it.

    Args:
        http: how to ask.
        secrets: where client secrets are.
        monotonic: seconds of a clock that only goes forward.
    """

    def __init__(
        self,
        http: TargetHttp,
        secrets: SecretStore,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._secrets = secrets
        self._monotonic = monotonic
        self._known: dict[ClientCredentials, _Known] = {}
        self._asking: dict[ClientCredentials, asyncio.Task[_Known]] = {}

    async def get(self, client: ClientCredentials) -> str:
        """A token that is good for a while.

        Raises:
            NoToken: none was given, now or a few seconds ago.
            SecretNotFound: the client secret is not known.
        """
        known = self._known.get(client)
        if known is None or known.until <= self._monotonic():
            secret = await self._secrets.get(client.secret)
            # one who gives up must not take the request from the others
            known = await asyncio.shield(self._request(client, secret))
        if isinstance(known, _Failure):
            raise NoToken(known.reason, known.retry_after)
        return known.text

    def forget(self, client: ClientCredentials, token: str) -> None:
        """Drops a token that was refused, unless another one has taken its place."""
        known = self._known.get(client)
        if isinstance(known, _Token) and known.text == token:
            del self._known[client]

    def _request(self, client: ClientCredentials, secret: str) -> asyncio.Task[_Known]:
        """The request that is under way, or else a new one."""
        task = self._asking.get(client)
        if task is None:
            # an empty context: the log context of the first who waits is not that of the others
            context = contextvars.Context()
            task = asyncio.create_task(self._ask(client, secret), context=context)
            self._asking[client] = task
            task.add_done_callback(lambda _: self._asking.pop(client, None))
        return task

    async def _ask(self, client: ClientCredentials, secret: str) -> _Known:
        known: _Known
        try:
            known = await self._token(client, secret)
        except NoToken as error:
            until = self._monotonic() + FAILURE_KEPT
            known = _Failure(error.reason, error.retry_after, until)
        self._known[client] = known
        return known

    async def _token(self, client: ClientCredentials, secret: str) -> _Token:
        form = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": secret,
            "audience": client.audience,
            "scope": client.scope,
        }
        given = {name: value for name, value in form.items() if value}
        body = urlencode(given, errors="replace").encode()
        asked_at = self._monotonic()
        try:
            answer = await self._http.post(client.token_url, _BODIES, body, read=Read.ALL)
        except NotAnswered as error:
            raise NoToken(f"identity provider: {error}") from error
        return _token(answer, asked_at)


def _token(answer: TargetAnswer, asked_at: float) -> _Token:
    fields = _fields(answer.body)
    if answer.status != _OK:
        # the code is one of a few words of RFC 6749; the description may repeat what was sent
        code = fields.get("error")
        said = f" {code}" if isinstance(code, str) and code.isidentifier() else ""
        reason = f"identity provider: answered {answer.status}{said}; check targetAuth"
        raise NoToken(reason, retry_after(answer.headers))
    text, lifetime = fields.get("access_token"), fields.get("expires_in", DEFAULT_LIFETIME)
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable():
        raise NoToken("identity provider: its answer holds no token")
    try:
        seconds = float(lifetime)
    except (TypeError, ValueError):
        seconds = DEFAULT_LIFETIME
    # one that lives shorter than the margin is used for half its life
    return _Token(text, asked_at + max(seconds - RENEWED_BEFORE, seconds / 2))


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}
