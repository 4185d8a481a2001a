"""How bytes come from Graph: answers up to a limit of memory, streams piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from functools import cached_property
from math import inf
from typing import cast

import httpx

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes that one answer may have: a page of mail is held in memory whole."""

STREAMED = "streamed"
"""Extension of a request whose answer is not held whole, and so may have any size."""

_PIECE = 1024 * 1024
"""Bytes that a piece may unfold to at once."""


class TooLarge(Exception):
    """The answer has more bytes than are read."""


class BoundedTransport(httpx.AsyncBaseTransport):
    """Stops reading answers that are larger than memory should hold."""

    def __init__(self) -> None:
        self._answers = httpx.AsyncHTTPTransport(http2=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request; its answer is unpacked already."""
        streamed = bool(request.extensions.get(STREAMED))
        inner = self._streams if streamed else self._answers
        response = await inner.handle_async_request(request)
        packed = response.headers.pop("Content-Encoding", "") == "gzip"
        if packed:
            response.headers.pop("Content-Length", None)  # it is that of the packed bytes
        response.stream = _Unpacked(
            cast("httpx.AsyncByteStream", response.stream),
            inf if streamed else LARGEST_ANSWER,
            packed=packed,
        )
        return response

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._answers.aclose()
        if "_streams" in vars(self):
            await self._streams.aclose()

    @cached_property
    def _streams(self) -> httpx.AsyncHTTPTransport:
        # HTTP/2 here would take 16 MiB of a stream into memory, however slowly it is read
        return httpx.AsyncHTTPTransport(http2=False)


class _Unpacked(httpx.AsyncByteStream):
    """The bytes of an answer, unpacked; counted after that, for little may unfold to much."""

    def __init__(self, inner: httpx.AsyncByteStream, limit: float, *, packed: bool) -> None:
        self._inner = inner
        self._limit = limit
        self._unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None  # 16: gzip

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._limit
        is_empty = True
        async for chunk in self._inner:
            for piece in self._pieces(chunk):
                is_empty = False
                left -= len(piece)
                if left < 0:
                    raise TooLarge
                yield piece
        if self._unpacker is not None and not self._unpacker.eof and not is_empty:
            raise httpx.RemoteProtocolError("the packed answer ended early")

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        if self._unpacker is None:
            yield chunk
            return
        while chunk:
            try:
                yield self._unpacker.decompress(chunk, _PIECE)
            except zlib.error as error:
                raise httpx.DecodingError(str(error)) from error
            chunk = self._unpacker.unconsumed_tail
