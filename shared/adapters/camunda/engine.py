"""Hands mail to a Camunda 8 cluster, and reads what it says as an outcome."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from shared.adapters.camunda.requests import address, body, variables_json
from shared.adapters.camunda.tokens import NoToken, Tokens
from shared.adapters.http import retry_after
from shared.adapters.secrets import SecretStore
from shared.adapters.target_gate import TargetClosed, TargetGate
from shared.adapters.target_http import NotAnswered, Read, TargetAnswer, TargetHttp, is_success
from shared.domain.errors import SecretNotFound
from shared.domain.outcome import Accepted, Answer, Outcome, Rejected, TooLarge, Unavailable
from shared.domain.target import CamundaTarget, EngineCall, TargetMessage

PROBLEM_CHARACTERS = 200
_QUOTED = re.compile(r"""(?P<mark>(?<!\w)'|").*?(?:(?P=mark)(?!\w)|$)""")
"""What a problem quotes; an apostrophe within a word neither begins nor ends it."""

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _TOO_LARGE = 401, 403, 404, 409, 413
_TRY_LATER = frozenset({408, 425, 429})
_ALREADY = "ALREADY_EXISTS"
_TOO_LARGE_SIGNS = ("EXCEEDED_BATCH_RECORD_SIZE", "maxMessageSize")
"""What the engine says with status 500 of a message that will never fit."""

_SHARE = {EngineCall.PUBLISH: 1.0, EngineCall.CORRELATE: 0.5, EngineCall.START: 1.0}
"""How much of the limit a call has: the engine writes a correlated message's variables twice."""


class Camunda:
    """Camunda 8 clusters.

    Args:
        http: how to reach them.
        secrets: where the names in a row's `targetAuth` lead.
        variables_limit: bytes of variables that are sent at most; the engine takes no more.
    """

    def __init__(self, http: TargetHttp, secrets: SecretStore, variables_limit: int) -> None:
        self._http = http
        self._secrets = secrets
        self._variables_limit = variables_limit
        self._tokens = Tokens(http, secrets)
        self._gates: dict[str, TargetGate] = {}

    async def deliver(self, target: CamundaTarget, message: TargetMessage) -> Answer:
        """Hands over one message; whatever the cluster does becomes an outcome."""
        variables = variables_json(message.variables)
        limit = int(self._variables_limit * _SHARE[target.call])
        if len(variables) > limit:
            # sent all the same, a larger one may be accepted and never arrive at a process
            return TooLarge(f"its variables have {len(variables):,} bytes of {limit:,} at most")
        try:
            answer = await self._call(target, body(target, message, variables), message)
        except SecretNotFound as error:
            return Unavailable(str(error))
        except NoToken as error:
            return Unavailable(error.reason, error.retry_after)
        except NotAnswered as error:
            return Unavailable(str(error))
        except TargetClosed as closed:
            return Unavailable(closed.reason, closed.retry_after, tried=not closed.busy)
        return _outcome(target, answer)

    async def reachable(self, target: CamundaTarget) -> str:
        """Empty where the cluster answers and lets the connector in, else what is wrong."""
        try:
            headers = await self._headers(target)
            answer = await self._http.get(f"{target.url}/v2/topology", headers, read=Read.FAILURES)
        except (SecretNotFound, NoToken, NotAnswered) as error:
            return str(error)
        outcome = _outcome(target, answer)
        return "" if isinstance(outcome, Accepted) else getattr(outcome, "reason", "")

    async def _call(
        self, target: CamundaTarget, content: bytes, message: TargetMessage
    ) -> TargetAnswer:
        headers = await self._headers(target)
        answer = await self._post(target, headers, content, message)
        if answer.status == _UNAUTHORIZED and target.auth.oidc is not None:
            # the token may have been taken back; a new one decides
            self._tokens.forget(target.auth.oidc, headers["Authorization"].partition(" ")[2])
            headers = await self._headers(target)
            answer = await self._post(target, headers, content, message)
        return answer

    async def _post(
        self,
        target: CamundaTarget,
        headers: Mapping[str, str],
        content: bytes,
        message: TargetMessage,
    ) -> TargetAnswer:
        """Posts through the cluster's gate, which learns from it; a sign-in waits before it."""
        traced = {**headers, "traceparent": message.traceparent}
        gate = self._gates.setdefault(target.url, TargetGate())
        async with gate.enter():
            try:
                answer = await self._http.post(address(target), traced, content, read=Read.FAILURES)
            except NotAnswered as error:
                gate.learn(Unavailable(str(error)))
                raise
        gate.learn(_health(target, answer))
        return answer

    async def _headers(self, target: CamundaTarget) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "m365-mail-connector",
        }
        if target.auth.oidc is not None:
            headers["Authorization"] = f"Bearer {await self._tokens.get(target.auth.oidc)}"
        elif target.auth.basic:
            pair = (await self._secrets.get(target.auth.basic)).encode("utf-8", "replace")
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return headers


def _health(target: CamundaTarget, answer: TargetAnswer) -> Outcome:
    """What an answer says of the cluster: it is well unless it says that it is not.

    All else is about one row or one mail, and the cluster's other rows are handed over.
    """
    outcome = _outcome(target, answer)
    if isinstance(outcome, Unavailable) and _is_illness(answer.status):
        return outcome
    return Accepted()


def _is_illness(status: int) -> bool:
    return status in _TRY_LATER or status >= 500  # noqa: PLR2004 - HTTP's server errors


def _outcome(target: CamundaTarget, answer: TargetAnswer) -> Answer:  # noqa: PLR0911 - a table
    """What a status means; problems are `application/problem+json`."""
    status, problem = answer.status, _problem(answer.body)
    said = f"answered {status} {_shown(problem)}".rstrip()
    if is_success(status):
        if _is_json(answer.headers):
            return Accepted()
        # a sign-in page, say: it takes no mail
        return Unavailable(f"answered {status}, but not as an engine does: check targetUrl")
    if status == _CONFLICT and problem.startswith(_ALREADY):
        return Accepted(already=True)
    if status == _NOT_FOUND and target.call is EngineCall.CORRELATE:
        return Unavailable("no process waits for such a message with this correlation key")
    if status == _TOO_LARGE or any(sign in problem for sign in _TOO_LARGE_SIGNS):
        return TooLarge(f"{said}: the message is too large for the engine")
    if status in {_UNAUTHORIZED, _FORBIDDEN}:
        return Unavailable(f"answered {status}: check targetAuth and the client's rights")
    if status in {_NOT_FOUND, _CONFLICT}:
        return Unavailable(f"{said}: check targetUrl, and whether the process is deployed")
    if _is_illness(status):
        return Unavailable(said, retry_after(answer.headers))
    return Rejected(said)


def _is_json(headers: Mapping[str, str]) -> bool:
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _problem(content: bytes) -> str:
    """Title and detail of a problem; empty where the answer is none."""
    try:
        problem: Any = json.loads(content)
        parts = [problem.get(name) for name in ("title", "detail")]
    except (ValueError, AttributeError, RecursionError):
        return ""
    text = ": ".join(part for part in parts if isinstance(part, str))
    return " ".join(text.split())


def _shown(problem: str) -> str:
    """A problem as it may be written down: what it quotes may be the mail's own words."""
    return _QUOTED.sub("'…'", problem)[:PROBLEM_CHARACTERS]
