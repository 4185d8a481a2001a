"""Limits per mailbox, and faults on demand: before an operation, and after it took effect."""

import asyncio
import math

import aiohttp
import pytest

from localdev.graph_simulator import Faults, GraphSimulator, Throttling
from localdev.graph_simulator.faults import Kind
from tests.contract.graph_simulator.clients import SUPPORT, RawGraph, mail


async def test_a_mailbox_over_its_quota_is_throttled_alone(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """The window decides how long to wait; other mailboxes are not concerned."""
    simulator.throttling = Throttling(requests=2, window=600)
    simulator.add_mailbox("sales@contoso.example")

    replies = [await raw("GET", "/messages") for _ in range(3)]
    other = await raw("GET", f"{raw.url}/v1.0/users/sales@contoso.example/messages")

    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[2].code == "ApplicationThrottled"
    assert 590 <= int(replies[2].headers["Retry-After"]) <= 600
    assert other.status == 200


async def test_a_fifth_request_at_once_is_throttled(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """Four run, the others are told of MailboxConcurrency and to come back."""
    simulator.faults = Faults(latency=0.05)

    replies = await asyncio.gather(*(raw("GET", "/messages") for _ in range(6)))

    refused = [reply for reply in replies if reply.status == 429]
    assert len(refused) == 2
    assert "MailboxConcurrency" in refused[0].body["error"]["message"]
    assert refused[0].headers["Retry-After"] == "1"
    assert simulator.metrics.max_concurrency[SUPPORT] == 4


async def test_uploads_have_a_limit_too(simulator: GraphSimulator, raw: RawGraph) -> None:
    """Bytes sent count per mailbox."""
    simulator.throttling = Throttling(upload_bytes=100)

    reply = await raw("POST", "/messages", json={"subject": "x" * 200})

    assert reply.status == 429
    assert "IncomingBytes" in reply.body["error"]["message"]


@pytest.mark.parametrize("kind", ["500", "502", "503", "504"])
async def test_a_kind_of_fault_can_be_chosen(
    simulator: GraphSimulator, raw: RawGraph, kind: Kind
) -> None:
    """With a rate of 1, every request fails as told, and nothing takes effect."""
    message_id = simulator.deliver(SUPPORT, mail())
    simulator.faults = Faults(rate=1.0, kinds=(kind,))

    reply = await raw("PATCH", f"/messages/{message_id}", json={"isRead": True})

    assert reply.status == int(kind)
    assert not simulator.message(SUPPORT, message_id).is_read
    assert simulator.metrics.faults == 1


@pytest.mark.parametrize(
    ("kind", "wait"), [("429", "2"), ("429-fractional", "2.128"), ("429-bare", None)]
)
async def test_a_throttling_fault_asks_to_wait_in_one_of_three_ways(
    simulator: GraphSimulator, raw: RawGraph, kind: Kind, wait: str | None
) -> None:
    """Whole seconds, a fraction, or nothing at all."""
    simulator.faults = Faults(rate=1.0, kinds=(kind,), retry_after=2)

    reply = await raw("GET", "/messages")

    assert (reply.status, reply.headers.get("Retry-After")) == (429, wait)
    assert simulator.metrics.throttled == 1


async def test_a_connection_can_break(simulator: GraphSimulator, raw: RawGraph) -> None:
    """A dropped request has no answer; the next one has."""
    simulator.fail_next("POST messages", "drop")

    with pytest.raises(aiohttp.ClientError):
        await raw("POST", "/messages", json={})
    assert (await raw("POST", "/messages", json={})).status == 201
    assert len(simulator.messages(SUPPORT, "drafts")) == 1


async def test_an_answer_can_be_lost(simulator: GraphSimulator, raw: RawGraph) -> None:
    """After the effect, the caller sees a failure, and the message has moved all the same."""
    message_id = simulator.deliver(SUPPORT, mail())
    simulator.fail_next("POST move", 504, after_effect=True)

    reply = await raw("POST", f"/messages/{message_id}/move", json={"destinationId": "archive"})

    assert reply.status == 504
    assert [m.id for m in simulator.messages(SUPPORT, "archive")] == [message_id]


async def test_the_next_requests_that_match_fail(simulator: GraphSimulator, raw: RawGraph) -> None:
    """As often as told, by operation, part of the path or predicate, and with the wait as told."""
    simulator.fail_next("/mailFolders/inbox", 429, retry_after="1.5", times=2)
    simulator.fail_next(lambda request: request.method == "DELETE", 500)

    statuses = [(await raw("GET", "/mailFolders/inbox")).status for _ in range(3)]

    assert statuses == [429, 429, 200]
    assert (await raw("DELETE", "/messages/abc")).status == 500


async def test_a_batch_as_a_whole_can_fail(simulator: GraphSimulator, raw: RawGraph) -> None:
    """The outer request is matched by its own name; nothing inside has run then."""
    message_id = simulator.deliver(SUPPORT, mail())
    step = {"id": "1", "method": "DELETE", "url": f"/users/{SUPPORT}/messages/{message_id}"}
    simulator.fail_next("POST $batch", 503)

    reply = await raw("POST", f"{raw.url}/v1.0/$batch", json={"requests": [step]})

    assert reply.status == 503
    assert len(simulator.messages(SUPPORT, "inbox")) == 1


async def test_a_rate_is_a_share(simulator: GraphSimulator, raw: RawGraph) -> None:
    """The same seed draws the same faults, about as many as the rate says."""
    outcomes = []
    for _ in range(2):
        simulator.faults = Faults(rate=0.25, seed=7, kinds=("500",))
        outcomes.append([(await raw("GET", "/messages?$top=1")).status for _ in range(80)])

    assert outcomes[0] == outcomes[1]
    assert math.isclose(outcomes[0].count(500) / 80, 0.25, abs_tol=0.12)


async def test_counters_start_anew(simulator: GraphSimulator, raw: RawGraph) -> None:
    """What was counted before does not count after a reset."""
    await raw("GET", "/messages")
    simulator.metrics.reset()

    assert (simulator.metrics.requests, simulator.metrics.by_operation) == (0, {})
