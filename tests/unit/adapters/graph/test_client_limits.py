import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken

from shared.adapters.graph import transport
from shared.adapters.graph.client import GraphClient, GraphRequest
from shared.domain.errors import AnswerTooLarge, MailboxUnavailable

LIST = GraphRequest(what="list messages", template="/users/{user}/messages", path={"user": "a&b"})


class Token:
    """A credential that needs nobody."""

    async def get_token(self, *_: str, **__: object) -> AccessToken:
        """One that is good for ever."""
        return AccessToken("token", 9_999_999_999)

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def graph(answer: web.Response, seen: list[str] | None = None) -> AsyncIterator[GraphClient]:
    """A client of a server that gives one answer, and keeps the addresses that were asked for."""

    async def handle(request: web.BaseRequest) -> web.Response:
        if seen is not None:
            seen.append(request.raw_path)
        return answer

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    made = GraphClient(Token(), f"http://127.0.0.1:{port}")  # type: ignore[arg-type]
    try:
        yield made
    finally:
        await made.close()
        await runner.cleanup()


def packed(body: object) -> web.Response:
    """An answer as Graph packs it."""
    return web.Response(
        body=gzip.compress(json.dumps(body).encode()), headers={"Content-Encoding": "gzip"}
    )


async def test_a_packed_answer_is_read() -> None:
    """Graph packs what it can."""
    async with graph(packed({"value": ["ä" * 1000]})) as sent:
        answer = await sent.send("mailbox", LIST)

    assert answer.body == {"value": ["ä" * 1000]}


async def test_an_answer_that_unfolds_beyond_the_limit_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Little may unfold to much, and whoever sends mail chooses how much."""
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 100_000)

    async with graph(packed({"value": "a" * 100_000})) as sent:
        with pytest.raises(AnswerTooLarge):
            await sent.send("mailbox", LIST)


async def test_an_answer_that_cannot_be_unpacked_is_none() -> None:
    """As if the connection had broken."""
    broken = web.Response(body=b"no gzip", headers={"Content-Encoding": "gzip"})

    async with graph(broken) as sent:
        with pytest.raises(MailboxUnavailable):
            await sent.send("mailbox", LIST)


async def test_query_options_keep_their_dollar_and_others_have_none() -> None:
    """Graph knows $filter, and includeHiddenFolders."""
    seen: list[str] = []
    request = GraphRequest(
        what="find folder",
        template="/users/{user}/mailFolders",
        path={"user": "a/b"},
        query={"$top": "100", "includeHiddenFolders": "true"},
    )

    async with graph(packed({}), seen) as sent:
        await sent.send("mailbox", request)

    assert seen == ["/v1.0/users/a%2Fb/mailFolders?$top=100&includeHiddenFolders=true"]
