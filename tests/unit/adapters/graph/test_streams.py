import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from azure.core.credentials import AccessToken

from shared.adapters.graph import client, transport
from shared.adapters.graph.attachments import value
from shared.adapters.graph.client import GraphClient
from shared.domain.errors import MailboxUnavailable

FILE = value("a@b.example", "mail/1=", "attachment+1")
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Token:
    """A credential that needs nobody."""

    async def get_token(self, *_: str, **__: object) -> AccessToken:
        """One that is good for ever."""
        return AccessToken("token", 9_999_999_999)

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def graph(answer: Answer, seen: list[str] | None = None) -> AsyncIterator[GraphClient]:
    """A client of a server that answers byte by byte as a test wants it, then hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(head.decode())
        try:
            await answer(writer)
            writer.close()
        except ConnectionError:
            return

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made = GraphClient(Token(), f"http://127.0.0.1:{port}")  # type: ignore[arg-type]
    try:
        yield made
    finally:
        await made.close()
        server.close()
        await server.wait_closed()


def answering(body: bytes, *headers: str, status: str = "200 OK", length: int = -1) -> Answer:
    """An answer that says it is as long as it is, or as long as it is told to say."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        size = len(body) if length < 0 else length
        head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers, "", ""))
        writer.write(head.encode() + body)
        await writer.drain()

    return answer


async def received(opened: GraphClient) -> bytes:
    async with opened.stream("a@b.example", FILE) as stream:
        return b"".join([piece async for piece in stream.pieces])


async def test_a_stream_may_be_larger_than_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not held in memory whole."""
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 1000)

    async with graph(answering(b"a" * 5000)) as opened:
        assert await received(opened) == b"a" * 5000


async def test_the_bytes_are_asked_for_as_they_are() -> None:
    """Unpacked, signed, with ids that stay in their segments and outlive a move."""
    seen: list[str] = []

    async with graph(answering(b"a"), seen) as opened:
        await received(opened)

    request = seen[0].lower()
    path = "/v1.0/users/a%40b.example/messages/mail%2f1%3d/attachments/attachment%2b1/$value"
    assert request.startswith(f"get {path} http/1.1\r\n")
    assert "accept-encoding: identity\r\n" in request
    assert "authorization: bearer token\r\n" in request
    assert 'prefer: idtype="immutableid"\r\n' in request


async def test_a_stream_that_is_packed_all_the_same_is_unpacked_in_pieces() -> None:
    """Little may unfold to much: no piece is larger than a mebibyte."""
    packed = answering(gzip.compress(bytes(5_000_000)), "Content-Encoding: gzip")

    async with graph(packed) as opened, opened.stream("a@b.example", FILE) as stream:
        sizes = [len(piece) async for piece in stream.pieces]

    assert sum(sizes) == 5_000_000
    assert max(sizes) <= 2**20


@pytest.mark.parametrize(
    "answer",
    [
        answering(b"a" * 1000, length=2000),
        answering(gzip.compress(bytes(100_000))[:50], "Content-Encoding: gzip"),
    ],
)
async def test_a_stream_that_breaks_off_is_an_error(answer: Answer) -> None:
    """Half a file is never taken for a whole one."""
    async with graph(answer) as opened:
        with pytest.raises(MailboxUnavailable, match="read attachment: no answer"):
            await received(opened)


async def test_a_stream_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece has its deadline; the whole has none."""
    monkeypatch.setattr(client, "PIECE_DEADLINE", 0.05)

    async def stuck(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await asyncio.sleep(1)

    async with graph(stuck) as opened:
        with pytest.raises(MailboxUnavailable, match="TimeoutError"):
            await received(opened)


async def test_an_error_is_read_and_no_more_than_errors_have() -> None:
    """Its code tells what to do."""
    body = b'{"error": {"code": "ErrorItemNotFound"}}'
    answers = [answering(body, status="404 Not Found"), answering(b"x" * 200_000, status="500 No")]
    codes = []

    for answer in answers:
        async with graph(answer) as opened, opened.stream("a@b.example", FILE) as stream:
            codes.append((stream.answer.status, stream.answer.code))

    assert codes == [(404, "ErrorItemNotFound"), (500, "")]


async def test_who_leaves_early_leaves_nothing_open() -> None:
    """The connection is closed, not read to its end."""
    async with graph(answering(b"a" * 10_000_000)) as opened:
        async with opened.stream("a@b.example", FILE) as stream:
            await anext(stream.pieces)

        assert await received(opened) == b"a" * 10_000_000
