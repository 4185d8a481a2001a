"""A proxy before the storage emulator: a share of the requests fails, before or after its effect.

Clients are given :attr:`StorageFaults.connection_string` instead of the emulator's own. Their
signatures hold: they cover the path and some headers, but neither host nor port.
https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import AsyncExitStack
from enum import StrEnum
from http import HTTPStatus
from random import Random
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

ENDPOINT = re.compile(r"(Blob|Queue|Table)Endpoint=(http://[^/;]+)")

DROPPED_BEFORE = 0.25
"""Share of the faults before the effect that break the connection instead of answering 503."""

DROPPED_AFTER = 0.5
"""Share of the faults after the effect that break the connection instead of answering 500."""

_STOP_SECONDS = 5.0

# of one connection, not of the message: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})
_ADDED_BY_CLIENT = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_ERRORS = {
    HTTPStatus.SERVICE_UNAVAILABLE: ("ServerBusy", "The server is busy."),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("InternalError", "The server encountered an error."),
}


class FaultKind(StrEnum):
    """What happens to a request, and whether the storage has carried it out all the same."""

    BUSY = "503 before the effect"
    DROPPED = "dropped before the effect"
    LOST = "dropped after the effect"
    FAILED = "500 after the effect"

    @property
    def after_effect(self) -> bool:
        """Whether the storage has carried the request out."""
        return self in {FaultKind.LOST, FaultKind.FAILED}


class StorageFaults:
    """A proxy before each of the three services, inside an `async with` block.

    Args:
        connection_string: of the emulator.
        rate: share of the requests that fail, 0 to 1.
        seed: what faults are drawn from.

    Attributes:
        rate: may be changed while it runs; 0 lets all pass.
        requests: how many came in, those that failed included.
        counts: how many failed, by kind.
    """

    def __init__(self, connection_string: str, *, rate: float = 0.0, seed: int = 0) -> None:
        self.rate = rate
        self.requests = 0
        self.counts: Counter[FaultKind] = Counter()
        self._behind = connection_string
        self._random = Random(seed)
        self._told: deque[FaultKind] = deque()
        self._connection_string = ""
        self._exit = AsyncExitStack()

    @property
    def connection_string(self) -> str:
        """The emulator's, but for its addresses, which are those of the proxy."""
        return self._connection_string

    def fail_next(self, *kinds: FaultKind) -> None:
        """Lets the next requests fail so, one after the other, before anything is drawn."""
        self._told.extend(kinds)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            session = await starting.enter_async_context(
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(limit=0),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                )
            )
            text = self._behind
            for service, address in ENDPOINT.findall(self._behind):
                port = await self._serve(starting, session, address, tables=service == "Table")
                text = text.replace(address, f"http://127.0.0.1:{port}")
            self._connection_string = text
            self._exit = starting.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    async def _serve(
        self, running: AsyncExitStack, session: aiohttp.ClientSession, address: str, *, tables: bool
    ) -> int:
        """Listens for one service; gives the port."""

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return await self._handle(request, session, address, tables=tables)

        runner = web.ServerRunner(web.Server(handle), shutdown_timeout=_STOP_SECONDS)
        await runner.setup()
        running.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    async def _handle(
        self,
        request: web.BaseRequest,
        session: aiohttp.ClientSession,
        address: str,
        *,
        tables: bool,
    ) -> web.StreamResponse:
        self.requests += 1
        fault = self._draw()
        try:
            body = await request.content.read()
            if fault is None:
                return await _forward(request, body, session, address)
            self.counts[fault] += 1
            if fault.after_effect:
                await _forward(request, body, session, address)
        except (aiohttp.ClientError, OSError):
            return _drop(request)  # one of both sides has gone
        if fault is FaultKind.BUSY:
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, tables=tables)
        if fault is FaultKind.FAILED:
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, tables=tables)
        return _drop(request)

    def _draw(self) -> FaultKind | None:
        if self._told:
            return self._told.popleft()
        if not self.rate or self._random.random() >= self.rate:
            return None
        after, second = self._random.random() < 0.5, self._random.random()  # noqa: PLR2004 - half
        if after:
            return FaultKind.LOST if second < DROPPED_AFTER else FaultKind.FAILED
        return FaultKind.DROPPED if second < DROPPED_BEFORE else FaultKind.BUSY


async def _forward(
    request: web.BaseRequest, body: bytes, session: aiohttp.ClientSession, address: str
) -> web.Response:
    """Has the storage carry a request out, as it is; gives the answer, as it is."""
    async with session.request(
        request.method,
        URL(f"{address}{request.raw_path}", encoded=True),
        headers=_end_to_end(request.headers),
        data=io.BytesIO(body) if body else None,
        skip_auto_headers=_ADDED_BY_CLIENT,
        allow_redirects=False,
    ) as answer:
        content = await answer.read()
        return web.Response(
            status=answer.status,
            reason=answer.reason,
            headers=_end_to_end(answer.headers),
            body=content,
        )


def _end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}


def _error(status: HTTPStatus, *, tables: bool) -> web.Response:
    """An error as the services word it: tables in JSON, the other two in XML.

    https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
    """
    code, message = _ERRORS[status]
    if tables:
        error = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": message}}}
        text, content_type = json.dumps(error), "application/json"
    else:
        text = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        )
        content_type = "application/xml"
    headers = {"x-ms-error-code": code}
    return web.Response(status=status, text=text, content_type=content_type, headers=headers)


def _drop(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
