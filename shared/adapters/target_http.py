"""HTTP to targets: one session for all, a deadline on each request, and failures put into words."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import aiohttp

CONNECT_SECONDS = 10
LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read: what a target says is short, or is not looked at."""

_UNSENDABLE = "cannot be sent: check targetUrl, and the secrets of targetAuth for line breaks"


class NotAnswered(Exception):
    """No answer came; its text says why, for a person."""


@dataclass(frozen=True, slots=True)
class TargetAnswer:
    """What a target answered.

    Args:
        body: the first :data:`LARGEST_ANSWER` bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class TargetHttp:
    """Sends requests to targets.

    Args:
        timeout: how long a target may take to answer.
    """

    def __init__(self, timeout: timedelta) -> None:
        self._timeout = timeout.total_seconds()
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, read: bool = True
    ) -> TargetAnswer:
        """Posts once; a redirection is an answer like any other.

        Args:
            url: where to.
            headers: what the request says of itself.
            body: what is posted.
            read: whether the answer's body is wanted; if not, nobody waits for it.

        Raises:
            NotAnswered: no answer came.
        """
        return await self._request("POST", url, headers, body, read=read)

    async def get(self, url: str, headers: Mapping[str, str]) -> TargetAnswer:
        """Gets once, as `post` posts."""
        return await self._request("GET", url, headers, None, read=True)

    async def close(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, read: bool
    ) -> TargetAnswer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout, connect=CONNECT_SECONDS),
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        try:
            async with self._session.request(
                method,
                url,
                data=None if body is None else io.BytesIO(body),
                headers=headers,
                allow_redirects=False,
            ) as answer:
                content = await _beginning(answer) if read else b""
                return TargetAnswer(answer.status, answer.headers, content)
        except TimeoutError as error:
            raise NotAnswered(f"no answer within {self._timeout:g} s") from error
        except ValueError as error:
            raise NotAnswered(_UNSENDABLE) from error
        except (aiohttp.ClientError, OSError) as error:
            raise NotAnswered(f"not reached ({type(error).__name__})") from error


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) >= LARGEST_ANSWER:
            break
    return bytes(content[:LARGEST_ANSWER])
