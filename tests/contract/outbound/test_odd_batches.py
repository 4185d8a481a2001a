"""Answers to a batch that Graph does not give, or none at all: nothing is taken for a mail sent."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.adapters.graph.outbound import GraphMailOperations
from shared.adapters.graph.visitors import visitors
from shared.domain.errors import AnswerLost, MailboxUnavailable
from shared.outbound_ports import Caller
from tests.contract.outbound.test_odd_answers import MESSAGE, Stub, graph

CALLER = Caller("support@contoso.example")
Ask = Callable[[GraphMailOperations, int], Awaitable[object]]
ASKS: list[Ask] = [
    lambda graph, _: graph.send_draft(CALLER, "draft"),
    lambda graph, number: graph.create_draft(CALLER, MESSAGE, str(number)),
]


def answered(*responses: Any) -> Stub:
    """A batch with these answers."""
    return Stub(200, json.dumps({"responses": list(responses)}))


def both(**answer: Any) -> Stub:
    """A batch that answers both of its requests alike."""
    return answered({"id": "0", **answer}, {"id": "1", **answer})


ODD = {
    "a proxy's page": Stub(200, "<html>Sign in to the proxy</html>"),
    "nothing": Stub(200),
    "no content": Stub(204),
    "accepted, as a send alone would be": Stub(202),
    "created, as a draft alone would be": Stub(201, '{"id": "odd"}'),
    "a redirection": Stub(302, headers={"Location": "/v1.0/elsewhere"}),
    "no responses": Stub(200, "{}"),
    "responses that are no list": Stub(200, '{"responses": 7}'),
    "none of the requests": answered(),
    "others": answered({"id": "8", "status": 202}, {"id": "9", "status": 201}),
    "what is no answer": answered("0", None, 1),
    "no status": both(body={"id": "odd"}),
    "odd statuses": both(status="fine"),
    "a success that is not the documented one": both(status=200, body={"id": "odd"}),
    "no body": both(status=204, headers=7),
}


@pytest.mark.parametrize("ask", ASKS, ids=["send", "create"])
@pytest.mark.parametrize("stub", ODD.values(), ids=ODD)
async def test_an_odd_answer_leaves_all_of_the_batch_open(ask: Ask, stub: Stub) -> None:
    """And nothing of it is asked again."""
    stub.asked.clear()
    async with graph(stub) as operations:
        results = await asyncio.gather(
            *(ask(operations, number) for number in range(2)), return_exceptions=True
        )

    assert [type(one) for one in results] == [AnswerLost] * 2
    assert stub.asked == ["POST /v1.0/$batch"]


async def test_a_request_without_an_answer_leaves_only_itself_open() -> None:
    """Its neighbour is sent."""
    stub = answered({"id": "1", "status": 202})
    async with graph(stub) as operations:
        results = await asyncio.gather(
            *(operations.send_draft(CALLER, name) for name in "ab"), return_exceptions=True
        )

    assert [type(one) for one in results] == [AnswerLost, type(None)]


async def test_a_draft_of_a_batch_without_an_id_is_none() -> None:
    """It is looked for by its key."""
    async with graph(both(status=201, body={})) as operations:
        results = await asyncio.gather(
            *(operations.create_draft(CALLER, MESSAGE, key) for key in "ab"),
            return_exceptions=True,
        )

    assert [type(one) for one in results] == [AnswerLost] * 2


async def test_a_batch_that_never_went_out_may_be_repeated() -> None:
    """No connection was made, so nothing was done."""
    async with nobody() as operations:
        results = await asyncio.gather(
            *(operations.send_draft(CALLER, name) for name in "ab"), return_exceptions=True
        )

    assert [type(one) for one in results] == [MailboxUnavailable] * 2


@asynccontextmanager
async def nobody() -> AsyncIterator[GraphMailOperations]:
    """Mailboxes at an address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        mailboxes = GraphMailboxes(visitors(f"http://127.0.0.1:{taken.getsockname()[1]}"))
        operations = GraphMailOperations(mailboxes, mailboxes)
        yield operations
        await operations.close()
        await mailboxes.close()
