"""`$batch`: up to 20 requests in one, at most 4 of a mailbox at a time, answers in any order."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from localdev.graph_simulator.engine import Engine, rendered
from localdev.graph_simulator.errors import GraphError, bad_request
from localdev.graph_simulator.exchange import JSON_TYPE, Answer, Request, to_json
from localdev.graph_simulator.identity import AccessToken

LARGEST_BATCH = 20
AT_ONCE = 4
_WRITES = frozenset(("POST", "PATCH", "PUT"))
_METHODS = _WRITES | {"GET", "DELETE"}


class Batch:
    """One batch on its way.

    Args:
        outer: The HTTP request that brings it.
        engine: What carries the inner requests out.
        token: Whose token the outer request has; it holds for the inner ones.

    Raises:
        GraphError: 400, if the batch as a whole makes no sense; then nothing of it runs.
    """

    def __init__(self, outer: Request, engine: Engine, token: AccessToken) -> None:
        self._engine = engine
        self._token = token
        self._inner: dict[str, Request] = {}
        self._depends_on: dict[str, list[str]] = {}
        sources = outer.json().get("requests")
        if not isinstance(sources, list) or not sources:
            raise bad_request("Invalid batch payload format.")
        if len(sources) > LARGEST_BATCH:
            raise bad_request(
                f"Number of batch requests is over the maximum: {len(sources)} > {LARGEST_BATCH}."
            )
        for source in sources:
            self._add(source, outer)
        self._check_dependencies()
        self._places: dict[str, asyncio.Semaphore] = {}
        self._done: dict[str, asyncio.Task[Answer]] = {}

    async def answer(self) -> Answer:
        """Carry all inner requests out; the outer answer is 200 whatever they say."""
        async with asyncio.TaskGroup() as group:
            for name in self._inner:
                self._done[name] = group.create_task(self._run(name))
        names = list(self._inner)
        if self._engine.quirks.shuffled_batches:
            self._engine.random.shuffle(names)
        parts = [_response(name, self._done[name].result()) for name in names]
        return Answer(200, b'{"responses":[' + b",".join(parts) + b"]}", JSON_TYPE)

    def _add(self, source: Any, outer: Request) -> None:
        if not isinstance(source, dict):
            raise bad_request("Invalid batch payload format.")
        name, method, url = (source.get(key) for key in ("id", "method", "url"))
        if not name or not isinstance(name, str) or name in self._inner:
            raise bad_request("Request ids in a batch must be given, unique and strings.")
        if not isinstance(method, str) or method.upper() not in _METHODS:
            raise bad_request(f"Request id : {name} has an invalid method.")
        if not isinstance(url, str) or "://" in url.partition("?")[0]:
            raise bad_request(f"Request id : {name} does not have a relative url.")
        headers = {k.lower(): str(v) for k, v in (source.get("headers") or {}).items()}
        if method.upper() in _WRITES and ("content-type" not in headers or "body" not in source):
            raise bad_request(
                f"Write request id : {name} does not contain Content-Type header or body."
            )
        target = url if url.startswith("/") else f"/{url}"
        request = Request(method.upper(), target, headers, base_url=outer.base_url)
        body = source.get("body")
        if isinstance(body, str):
            request.body = body.encode()
        elif body is not None:
            request.payload = body
        self._inner[name] = request
        self._depends_on[name] = list(source.get("dependsOn") or ())

    def _check_dependencies(self) -> None:
        """Refuse dependencies on unknown or later requests, among which any circle is."""
        known: set[str] = set()
        for name, dependencies in self._depends_on.items():
            if not known.issuperset(dependencies):
                raise bad_request(f"Request id : {name} depends on an unknown or later request.")
            known.add(name)

    async def _run(self, name: str) -> Answer:
        request = self._inner[name]
        for dependency in self._depends_on[name]:
            if (await self._done[dependency]).status >= HTTPStatus.BAD_REQUEST:
                error = GraphError(
                    424, "FailedDependency", f"The request '{dependency}' it depends on failed."
                )
                return rendered(error, request)
        async with self._place(request):
            return await self._engine.answer(request, self._token, in_batch=True)

    def _place(self, request: Request) -> asyncio.Semaphore:
        """Return the queue of the mailbox; with dependencies, one request runs at a time."""
        mailbox = next(iter(request.segments()[1:2]), "").lower()
        at_once = 1 if any(self._depends_on.values()) else AT_ONCE
        return self._places.setdefault(mailbox, asyncio.Semaphore(at_once))


def _response(name: str, answer: Answer) -> bytes:
    headers: Mapping[str, str] = {"Cache-Control": "private", **answer.headers}
    if answer.content_type:
        headers = {**headers, "Content-Type": answer.content_type}
    head = to_json({"id": name, "status": answer.status, "headers": headers})[:-1].encode()
    return head + b',"body":' + _inner_body(answer) + b"}"


def _inner_body(answer: Answer) -> bytes:
    if not answer.body:
        return b"null"
    if answer.content_type.startswith("application/json"):
        return answer.body
    return b'"' + b64encode(answer.body) + b'"'
