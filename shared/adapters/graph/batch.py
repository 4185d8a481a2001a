"""`$batch`: up to twenty requests to one mailbox in one round trip.

Graph's rules: ids are unique, answers come in any order, the outer 200 says nothing of the inner
ones, Prefer stands on each inner request, and each counts against the mailbox's quota.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from kiota_abstractions.method import Method

from shared.adapters.graph.answers import GraphAnswer
from shared.adapters.graph.client import IMMUTABLE_IDS, GraphClient, GraphRequest
from shared.domain.errors import MailboxUnavailable

LARGEST_BATCH = 20
_UNANSWERED = 504


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """One request within a batch.

    Args:
        what: what is asked for, in words, for errors.
        path: segments of the path, unescaped.
    """

    what: str
    method: str
    path: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    prefer: tuple[str, ...] = ()

    def to_json(self, number: int) -> dict[str, Any]:
        """The request as a batch wants it. Whatever stands in an id cannot leave its segment."""
        url = "/" + "/".join(quote(segment, safe="") for segment in self.path)
        if self.query:
            url += "?" + urlencode(self.query, quote_via=quote)
        headers = {"Prefer": ", ".join((IMMUTABLE_IDS, *self.prefer))}
        request = {"id": str(number), "method": self.method, "url": url, "headers": headers}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
            request["body"] = self.body
        return request


async def send_batch(
    client: GraphClient, mailbox: str, items: Sequence[BatchItem]
) -> list[GraphAnswer]:
    """Sends up to twenty requests at once and gives their answers in order.

    An inner request that has no answer counts as 504: it may or may not have been done.

    Raises:
        MailboxError: the batch as a whole was not answered, or refused.
    """
    answer = await client.send(mailbox, batch_of(items))
    answer.raise_for(mailbox, "batch")
    if not answer.body.get("responses"):
        raise MailboxUnavailable(mailbox, "batch: Graph answered none of its requests")
    return inner_answers(answer.body, len(items))


def batch_of(items: Sequence[BatchItem]) -> GraphRequest:
    """The request that brings others."""
    return GraphRequest(
        what="batch",
        method=Method.POST,
        template="/$batch",
        body={"requests": [item.to_json(number) for number, item in enumerate(items)]},
    )


def inner_answers(body: Mapping[str, Any], count: int) -> list[GraphAnswer]:
    """The answers to so many requests, in their order; 504 for one that has none that is Graph's.

    Args:
        body: of the answer to the batch.
        count: of its requests.
    """
    found = body.get("responses")
    given = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    inner = {str(one.get("id")): one for one in given}
    return [_inner_answer(inner.get(str(number), {})) for number in range(count)]


def _inner_answer(answer: Mapping[str, Any]) -> GraphAnswer:
    status, headers, body = (answer.get(name) for name in ("status", "headers", "body"))
    return GraphAnswer(
        int(status) if isinstance(status, int | str) and str(status).isdecimal() else _UNANSWERED,
        {name: str(value) for name, value in headers.items()} if isinstance(headers, dict) else {},
        body if isinstance(body, dict) else {},
    )
