"""HTTP to targets: one session for all, a deadline on each request, and failures put into words."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

import aiohttp

CONNECT_SECONDS = 10
LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read: what a target says is short, or is not looked at."""

_UNSENDABLE = "cannot be sent: check targetUrl, and the secrets of targetAuth for line breaks"


class Read(Enum):
    """Whose body is wanted; nobody waits for that of any other answer."""

    NOTHING = auto()
    FAILURES = auto()
    ALL = auto()

    def wants(self, status: int) -> bool:
        """Whether the body of an answer with this status is wanted."""
        return self is Read.ALL or (self is Read.FAILURES and not is_success(status))


class NotAnswered(Exception):
    """No answer came; its text says why, for a person."""


@dataclass(frozen=True, slots=True)
class TargetAnswer:
    """What a target answered.

    Args:
        body: the first :data:`LARGEST_ANSWER` bytes; none where it was not wanted.
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
        self, url: str, headers: Mapping[str, str], body: bytes, *, read: Read
    ) -> TargetAnswer:
        """Posts once; a redirection is an answer like any other.

        Args:
            url: where to.
            headers: what the request says of itself.
            body: what is posted.
            read: whether the answer's body is wanted.

        Raises:
            NotAnswered: no answer came.
        """
        return await self._request("POST", url, headers, body, read=read)

    async def get(self, url: str, headers: Mapping[str, str], *, read: Read) -> TargetAnswer:
        """Gets once, as `post` posts."""
        return await self._request("GET", url, headers, None, read=read)

    async def close(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, read: Read
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
                content = await _beginning(answer) if read.wants(answer.status) else b""
                return TargetAnswer(answer.status, answer.headers, content)
        except TimeoutError as error:
            raise NotAnswered(f"no answer within {self._timeout:g} s") from error
        except ValueError as error:
            raise NotAnswered(_UNSENDABLE) from error
        except (aiohttp.ClientError, OSError) as error:
            raise NotAnswered(f"not reached ({type(error).__name__})") from error


def is_success(status: int) -> bool:
    """Whether a status says that all is well."""
    return 200 <= status < 300  # noqa: PLR2004 - HTTP's success


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) >= LARGEST_ANSWER:
            break
    return bytes(content[:LARGEST_ANSWER])
