"""Requests of senders that must not be done twice, in batches: one try of each, and its answer.

What an answer means is decided by who asked (:mod:`.outbound`), by the same rule whether the
request went alone or with others:

- the batch got no answer: AnswerLost for each of its requests;
- it failed as a whole, which may be after some were done: each gets that answer;
- Graph did not take it, so that none was done: each goes by itself, and none suffers from another;
- a request has no answer within it: 504, which leaves open whether it was done.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from shared.adapters.coalescing import Coalescer
from shared.adapters.graph.answers import UNAVAILABLE, GraphAnswer
from shared.adapters.graph.batch import (
    BatchItem,
    batch_of,
    inner_answers,
)
from shared.adapters.graph.client import GraphRequest
from shared.adapters.graph.gate import REQUESTS_AT_ONCE
from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.ports import MailboxAddress
from shared.telemetry.metrics import graph_answered

TOGETHER = 8
"""Requests of a batch, of which Graph does four at a time: with more, each send waits for all of
them, and the next batch for the sends."""

LARGEST_IN_BATCH = 180_000
"""Bytes of a request that goes with others: all of them stay below the 4 MB of a batch."""

LINGER = 0.01
"""Seconds that a request waits for others of its mailbox."""

_OK = 200
_CERTAIN = frozenset(range(400, 500)) - UNAVAILABLE - {401}
"""Statuses by which a batch as a whole was not taken; without a token, no request would be."""


class SendBatches:
    """Sends requests to one mailbox that come together in one round trip.

    Args:
        mailboxes: connections of the app, and the gates that polling shares.
        linger: seconds that a request waits for others.
    """

    def __init__(self, mailboxes: GraphMailboxes, linger: float = LINGER) -> None:
        self._mailboxes = mailboxes
        # one under way: the next ones wait here, and not in the line of polls at the gate
        self._waiting: Coalescer[MailboxAddress, GraphRequest, GraphAnswer] = Coalescer(
            self._together,
            limit=TOGETHER,
            multiple=REQUESTS_AT_ONCE,
            in_flight=1,
            linger=linger,
        )

    async def ask(self, address: MailboxAddress, request: GraphRequest) -> GraphAnswer:
        """Sends a request once and gives its answer, whatever its status.

        Raises:
            AnswerLost: no answer came, for it or for the batch that it was in.
            MailboxError: it was not sent.
        """
        return await self._waiting.submit(address, request)

    async def close(self) -> None:
        """Returns when all that waits is sent and answered."""
        await self._waiting.close()

    async def _together(
        self, address: MailboxAddress, requests: Sequence[GraphRequest]
    ) -> Sequence[GraphAnswer | Exception]:
        if len(requests) == 1:
            return [await self._alone(address, requests[0])]
        client = await self._mailboxes.client(address)
        async with self._mailboxes.gate(address).enter(len(requests)):
            outer = await client.send(address.mailbox, batch_of([_item(one) for one in requests]))
        if outer.status in _CERTAIN:
            return await asyncio.gather(*(self._tried_alone(address, one) for one in requests))
        if outer.status >= 300:  # noqa: PLR2004 - redirections are not followed
            return [outer] * len(requests)
        # a success that is not the documented one holds no answers of Graph's
        answers = inner_answers(outer.body if outer.status == _OK else {}, len(requests))
        for request, answer in zip(requests, answers, strict=True):
            graph_answered(request.what, answer.status)
        return answers

    async def _tried_alone(
        self, address: MailboxAddress, request: GraphRequest
    ) -> GraphAnswer | Exception:
        try:
            return await self._alone(address, request)
        except Exception as error:  # noqa: BLE001 - it is for who asked, and for nobody else
            return error

    async def _alone(self, address: MailboxAddress, request: GraphRequest) -> GraphAnswer:
        client = await self._mailboxes.client(address)
        async with self._mailboxes.gate(address).enter_beside_polling():
            return await client.send(address.mailbox, request)


def fits(request: GraphRequest) -> bool:
    """Whether a request is small enough to go with others."""
    return len(json.dumps(request.body)) <= LARGEST_IN_BATCH


def _item(request: GraphRequest) -> BatchItem:
    """The same request in a batch, where every POST needs a body."""
    segments = request.template.strip("/").split("/")
    return BatchItem(
        what=request.what,
        method=request.method.value,
        path=tuple(request.path[one[1:-1]] if one.startswith("{") else one for one in segments),
        query=request.query,
        body={} if request.body is None else request.body,
        prefer=request.prefer,
    )
