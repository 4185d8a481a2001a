"""The target `webhook`: a POST of JSON, signed as Standard Webhooks wants it.

Source: https://github.com/standard-webhooks/standard-webhooks, "Webhook metadata" and "Signature".
"""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import json
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from shared.adapters.http import retry_after
from shared.adapters.secrets import SecretStore
from shared.adapters.target_gate import TargetClosed, TargetGate
from shared.adapters.target_http import NotAnswered, Read, TargetHttp, is_success
from shared.domain.errors import SecretNotFound
from shared.domain.outcome import Accepted, Answer, Rejected, TooLarge, Unavailable
from shared.domain.target import TargetAuth, TargetMessage, WebhookTarget

_TRY_LATER = frozenset({408, 425, 429})
_ALREADY = 409
_TOO_LARGE = 413
_SIGNING_HINT = "the signing secret cannot be used: it is base64, with or without the prefix whsec_"
_CONNECT_SECONDS = 10.0
_NO_SIGNING = "no signing secret: set targetAuth, or the app setting WEBHOOK_SIGNING_SECRET"


class Webhooks:
    """HTTP endpoints that take mail.

    Args:
        http: how to reach them.
        secrets: where the names in a row's `targetAuth` lead.
        default_signing_secret: signs for rows without `targetAuth`; empty where there is none.
    """

    def __init__(self, http: TargetHttp, secrets: SecretStore, default_signing_secret: str) -> None:
        self._http = http
        self._secrets = secrets
        self._default_signing_secret = default_signing_secret
        self._gates: dict[str, TargetGate] = {}

    async def deliver(self, target: WebhookTarget, message: TargetMessage) -> Answer:
        """Hands over one message; whatever the target does becomes an outcome."""
        body = _body(message)
        if not target.auth.signing and not self._default_signing_secret:
            return Unavailable(_NO_SIGNING)
        try:
            headers = await self._headers(target.auth, message, body)
        except SecretNotFound as error:
            return Unavailable(str(error))
        except _CannotSign:
            return Unavailable(_SIGNING_HINT)
        gate = self._gates.setdefault(target.url, TargetGate())
        try:
            async with gate.enter():
                answer = await self._post(target.url, headers, body)
        except TargetClosed as closed:
            return Unavailable(closed.reason, closed.retry_after, tried=not closed.busy)
        gate.learn(Accepted() if isinstance(answer, TooLarge) else answer)
        return answer

    async def reachable(self, target: WebhookTarget) -> str:
        """Empty where a connection can be made, by TLS where the address says so; else why not."""
        address = urlsplit(target.url)
        secured = address.scheme == "https"
        tls = ssl.create_default_context() if secured else None
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                _, writer = await asyncio.open_connection(
                    address.hostname, address.port or (443 if secured else 80), ssl=tls
                )
        except TimeoutError:
            return f"no connection within {_CONNECT_SECONDS:g} s"
        except ssl.SSLCertVerificationError as error:
            return f"its certificate is not trusted ({error.verify_message})"
        except (OSError, ValueError) as error:
            return f"not reached ({type(error).__name__})"
        writer.transport.abort()  # nothing was sent, and nothing is waited for
        return ""

    async def _post(self, url: str, headers: Mapping[str, str], body: str) -> Answer:
        try:
            answer = await self._http.post(url, headers, body.encode(), read=Read.NOTHING)
        except NotAnswered as error:
            return Unavailable(str(error))
        return _outcome(answer.status, answer.headers)

    async def _headers(self, auth: TargetAuth, message: TargetMessage, body: str) -> dict[str, str]:
        signing = (
            await self._secrets.get(auth.signing) if auth.signing else self._default_signing_secret
        )
        identity, now = webhook_id(message), datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "m365-mail-connector",
            "webhook-id": identity,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": _signature(signing, identity, now, body),
            "traceparent": message.traceparent,
        }
        if auth.bearer:
            headers["Authorization"] = f"Bearer {await self._secrets.get(auth.bearer)}"
        elif auth.basic:
            pair = (await self._secrets.get(auth.basic)).encode("utf-8", "replace")
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return headers


def webhook_id(message: TargetMessage) -> str:
    """The identity of a delivery to one subscription: the same at every attempt.

    Two subscriptions may hand the same mail to one endpoint; these are two messages.
    """
    # half a character, as expressions over broken mails give it, has no bytes
    text = f"{message.subscription}\n{message.message_id}".encode("utf-8", "replace")
    return f"msg_{hashlib.sha256(text).hexdigest()[:32]}"


class _CannotSign(Exception):
    """The signing secret is none."""


def _signature(secret: str, identity: str, now: datetime, body: str) -> str:
    try:
        return _signer(secret).sign(identity, now, body)
    except (ValueError, EmptyWebhookSecretError) as error:
        raise _CannotSign from error


@functools.lru_cache(maxsize=256)
def _signer(secret: str) -> Webhook:
    # the library drops what is no base64, and would sign with what is left
    base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    return Webhook(secret)


def _body(message: TargetMessage) -> str:
    return json.dumps(
        {
            "messageId": message.message_id,
            "messageName": message.message_name,
            "correlationKey": message.correlation_key,
            "timeToLive": int(message.time_to_live.total_seconds() * 1000),
            "subscription": message.subscription,
            "variables": message.variables,
        },
        separators=(",", ":"),
    )


def _outcome(status: int, headers: Mapping[str, str]) -> Answer:
    """What a status means; the body is not looked at, for it may repeat the mail."""
    if is_success(status):
        return Accepted()
    if status == _ALREADY:
        return Accepted(already=True)
    if status == _TOO_LARGE:
        return TooLarge(f"answered {status}: the message is too large for it")
    if status in _TRY_LATER or status >= 500:  # noqa: PLR2004 - HTTP's server errors
        return Unavailable(f"answered {status}", retry_after(headers))
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP's redirections
        return Rejected(f"answered {status}, a redirection: put the final address into targetUrl")
    return Rejected(f"answered {status}")
