"""Answers that Graph does not give, but a proxy might: none of them passes for a mail sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.adapters.graph.outbound import GraphMailOperations
from shared.adapters.graph.visitors import visitors
from shared.domain.errors import AnswerLost, MailboxError
from shared.outbound_ports import Caller

CALLER = Caller("support@contoso.example", bearer="token")
MESSAGE = {"toRecipients": [{"emailAddress": {"address": "ada@example.org"}}]}
ELSEWHERE = {"Location": "/v1.0/elsewhere"}


@dataclass
class Stub:
    """A server that gives one answer to everything, and remembers what it was asked."""

    status: int
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answers; what it redirects to would look like a success."""
        self.asked.append(f"{request.method} {request.path}")
        if request.path.endswith("/elsewhere"):
            return web.json_response({"id": "odd"})
        return web.Response(status=self.status, text=self.text or None, headers=self.headers)


@asynccontextmanager
async def graph(stub: Stub) -> AsyncIterator[GraphMailOperations]:
    """Mailboxes on a stub."""
    runner = web.ServerRunner(web.Server(stub.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    mailboxes = GraphMailboxes(visitors(f"http://127.0.0.1:{runner.addresses[0][1]}"))
    try:
        yield GraphMailOperations(mailboxes, mailboxes)
    finally:
        await mailboxes.close()
        await runner.cleanup()


Ask = Callable[[GraphMailOperations], Awaitable[object]]
SENDS: list[Ask] = [
    lambda graph: graph.send_at_once(CALLER, MESSAGE, save=True),
    lambda graph: graph.send_draft(CALLER, "draft"),
    lambda graph: graph.create_draft(CALLER, MESSAGE, "key"),
    lambda graph: graph.add_attachment(CALLER, "draft", {"name": "a"}),
]


@pytest.mark.parametrize("ask", SENDS)
@pytest.mark.parametrize(
    "stub",
    [
        Stub(200, "<html>Sign in to the proxy</html>"),
        Stub(200),
        Stub(204),
        Stub(302, headers=ELSEWHERE),
        Stub(307, headers=ELSEWHERE),
        Stub(304),
    ],
    ids=lambda stub: f"{stub.status} {stub.text}",
)
async def test_a_success_that_is_not_the_documented_one_is_none(ask: Ask, stub: Stub) -> None:
    """Nobody knows whether Graph has seen the request, which is neither repeated nor redirected."""
    stub.asked.clear()
    async with graph(stub) as operations:
        with pytest.raises(AnswerLost):
            await ask(operations)

    assert len(stub.asked) == 1


async def test_a_draft_without_an_id_is_none() -> None:
    """It is looked for by its key."""
    async with graph(Stub(201)) as operations:
        with pytest.raises(AnswerLost):
            await operations.create_draft(CALLER, MESSAGE, "key")


async def test_a_look_at_an_odd_answer_tells_nothing() -> None:
    """Neither that the mail is sent, nor that it is not there."""
    async with graph(Stub(200, "<html>Sign in to the proxy</html>")) as operations:
        with pytest.raises(MailboxError):
            await operations.look(CALLER, "draft")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_list_is_not_redirected(status: int) -> None:
    """The token goes to Graph and to nobody else; a redirection is an error."""
    stub = Stub(status, headers=ELSEWHERE)
    async with graph(stub) as operations:
        with pytest.raises(MailboxError):
            await operations.list_messages(CALLER, None, {})

    assert not any("elsewhere" in one for one in stub.asked)
