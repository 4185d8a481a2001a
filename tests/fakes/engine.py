"""An engine that keeps messages in memory, answers as the real one does, and fails when told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

PROBLEM = "application/problem+json"
TOKEN_LIFETIME = 300
LOST = 0
"""A status that stands for a connection that breaks instead of an answer."""

CUT = 1
"""A status that stands for 200 and a body that breaks off."""


@dataclass(slots=True)
class _Fault:
    status: int
    headers: Mapping[str, str]
    after: bool
    detail: str
    content_type: str


@dataclass(slots=True)
class FakeEngine:
    """Publications by message id, correlations with whoever waits, and starts.

    Attributes:
        url: where it listens, without ``/v2``.
        published: what was published, by message id.
        correlated: what was correlated, in order.
        started: process ids and variables of what was started.
        requests: path and headers of every call, in order.
        waiting: correlation keys for which a process waits.
        tokens: how many tokens were given out; only the last one is good.
        wants: what ``Authorization`` must be; empty: nothing.
        tokens_answer: unset while the identity provider is silent.
    """

    url: str = ""
    published: dict[str, dict[str, Any]] = field(default_factory=dict)
    correlated: list[dict[str, Any]] = field(default_factory=list)
    started: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    token_forms: list[dict[str, str]] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)
    tokens: int = 0
    token_lifetime: int = TOKEN_LIFETIME
    wants: str = ""
    tokens_answer: asyncio.Event = field(default_factory=asyncio.Event)
    _faults: list[_Fault] = field(default_factory=list)

    def fail_next(
        self,
        status: int,
        *,
        after: bool = False,
        retry_after: str = "",
        detail: str = "as it was told",
        content_type: str = PROBLEM,
    ) -> None:
        """Answers the next call so; before it takes effect, or after."""
        headers = {"Retry-After": retry_after} if retry_after else {}
        self._faults.append(_Fault(status, headers, after, detail, content_type))

    def wants_token(self) -> None:
        """From now on only the newest token is let in."""
        self.wants = f"Bearer token-{self.tokens}"

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers a call."""
        if request.path == "/oauth/token":
            return await self._token(await request.post())
        self.requests.append((request.path, request.headers))
        if self.wants and request.headers.get("Authorization") != self.wants:
            return web.Response(status=401)
        fault = self._faults.pop(0) if self._faults else None
        if fault is not None and not fault.after:
            return await self._failed(request, fault)
        if request.path == "/v2/topology":
            return web.json_response({"brokers": []})
        answer = self._take(request.path, await request.json())
        return answer if fault is None else await self._failed(request, fault)

    def _take(self, path: str, body: dict[str, Any]) -> web.Response:
        match path:
            case "/v2/messages/publication":
                if body["messageId"] in self.published:
                    detail = "Expected to publish a new message with id"
                    return _problem(409, "ALREADY_EXISTS", f"{detail} '{body['messageId']}'")
                self.published[body["messageId"]] = body
            case "/v2/messages/correlation":
                if body["correlationKey"] not in self.waiting:
                    return _problem(404, "NOT_FOUND", "Expected to find subscription for message")
                self.waiting.discard(body["correlationKey"])
                self.correlated.append(body)
            case "/v2/process-instances":
                if body["processDefinitionId"] == "nowhere":
                    return _problem(404, "NOT_FOUND", "Expected to find process definition")
                self.started.append(body)
            case _:
                return web.json_response({"status": 404}, status=404)
        return web.json_response({"messageKey": 1, "tenantId": "<default>"})

    async def _token(self, form: Mapping[str, Any]) -> web.Response:
        self.token_forms.append({name: str(value) for name, value in form.items()})
        await self.tokens_answer.wait()
        if form["client_secret"] != "s3cret":
            return web.json_response({"error": "invalid_client"}, status=401)
        self.tokens += 1
        self.wants_token()
        answer = {"access_token": f"token-{self.tokens}", "expires_in": self.token_lifetime}
        return web.json_response(answer)

    @staticmethod
    async def _failed(request: web.BaseRequest, fault: _Fault) -> web.StreamResponse:
        if fault.status == LOST:
            assert request.transport is not None
            request.transport.abort()
            raise asyncio.CancelledError
        if fault.status == CUT:
            answer = web.StreamResponse(headers={"Content-Type": "application/json"})
            answer.content_length = 100
            await answer.prepare(request)
            await answer.write(b"{")
            assert request.transport is not None
            request.transport.close()
            raise asyncio.CancelledError
        failed = _problem(fault.status, "FAILED", fault.detail, fault.headers)
        failed.content_type = fault.content_type
        return failed


def _problem(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    text = json.dumps(problem)
    return web.Response(status=status, text=text, content_type=PROBLEM, headers=headers)


@asynccontextmanager
async def fake_engine() -> AsyncIterator[FakeEngine]:
    """Listens while the block runs."""
    engine = FakeEngine()
    engine.tokens_answer.set()
    runner = web.ServerRunner(web.Server(engine.handle, access_log=None))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        engine.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield engine
    finally:
        engine.tokens_answer.set()
        await runner.cleanup()
