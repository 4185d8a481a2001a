"""`$batch`: one round trip, up to 20 requests, four of a mailbox at a time."""

from typing import Any

import pytest

from localdev.graph_simulator import Faults, GraphSimulator, Throttling
from tests.contract.graph_simulator.clients import SUPPORT, RawGraph, mail

JSON = {"Content-Type": "application/json"}


def step(name: str, method: str, path: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "method": method, "url": f"/users/{SUPPORT}{path}", **more}


async def test_a_batch_is_one_round_trip_and_many_requests(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """Inner requests count against the quota one by one."""
    ids = [simulator.deliver(SUPPORT, mail(str(number))) for number in range(20)]

    answers = await raw.batch(
        *(
            step(str(n), "PATCH", f"/messages/{each}", headers=JSON, body={"isRead": True})
            for n, each in enumerate(ids)
        )
    )

    assert {answer["status"] for answer in answers.values()} == {200}
    assert all(message.is_read for message in simulator.messages(SUPPORT, "inbox"))
    metrics = simulator.metrics
    assert (metrics.round_trips, metrics.requests, metrics.batches) == (1, 20, 1)
    assert metrics.by_operation == {"PATCH message": 20}


async def test_answers_come_in_any_order(simulator: GraphSimulator, raw: RawGraph) -> None:
    """Ids tell answers apart, not places."""
    simulator.deliver(SUPPORT, mail())
    steps = [step(str(number), "GET", "/messages?$select=id") for number in range(20)]

    answers = await raw.batch(*steps)

    assert sorted(answers, key=int) == [each["id"] for each in steps]
    assert list(answers) != [each["id"] for each in steps]


async def test_every_inner_request_has_its_own_outcome(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """The outer 200 says nothing of the inner ones; MIME comes as base64."""
    message_id = simulator.deliver(SUPPORT, mail())

    answers = await raw.batch(
        step("missing", "GET", "/messages/abc"),
        step("mime", "GET", f"/messages/{message_id}/$value"),
        step("gone", "DELETE", f"/messages/{message_id}", dependsOn=["mime"]),
        step("after", "GET", "/messages", dependsOn=["missing"]),
    )

    assert {name: answer["status"] for name, answer in answers.items()} == {
        "missing": 400,
        "mime": 200,
        "gone": 204,
        "after": 424,
    }
    assert isinstance(answers["mime"]["body"], str)
    assert answers["gone"]["body"] is None


async def test_preferences_belong_to_inner_requests(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """A `Prefer` on the outer request does nothing for the inner ones."""
    message_id = simulator.deliver(SUPPORT, mail())
    prefer = {"Prefer": 'IdType="ImmutableId"'}

    answers = await raw.batch(
        step("with", "GET", "/messages", headers=prefer), step("without", "GET", "/messages")
    )

    assert answers["with"]["body"]["value"][0]["id"] == message_id
    assert answers["without"]["body"]["value"][0]["id"] != message_id


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [step(str(number), "GET", "/messages") for number in range(21)],
        [step("1", "GET", "/messages"), step("1", "GET", "/messages")],
        [{"id": "1", "method": "GET", "url": "https://graph.microsoft.com/v1.0/users/x"}],
        [step("1", "PATCH", "/messages/x", body={})],
        [step("1", "POST", "/messages/x/permanentDelete", headers=JSON)],
        [step("1", "GET", "/messages", dependsOn=["2"]), step("2", "GET", "/messages")],
    ],
)
async def test_a_malformed_batch_is_refused_as_a_whole(
    simulator: GraphSimulator, raw: RawGraph, requests: list[dict[str, Any]]
) -> None:
    """Too many, double ids, absolute urls, writes without body or type: a 400, and nothing runs."""
    reply = await raw("POST", f"{raw.url}/v1.0/$batch", json={"requests": requests})

    assert (reply.status, reply.code) == (400, "BadRequest")
    assert simulator.metrics.requests == 0


async def test_four_at_a_time_run_of_one_mailbox(simulator: GraphSimulator, raw: RawGraph) -> None:
    """A batch alone never exceeds the limit of requests at once."""
    simulator.faults = Faults(latency=0.001)

    answers = await raw.batch(*(step(str(n), "GET", "/messages") for n in range(20)))

    assert {answer["status"] for answer in answers.values()} == {200}
    assert simulator.metrics.max_concurrency[SUPPORT] == 4


async def test_dependencies_make_a_batch_sequential(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """With `dependsOn`, one request runs at a time."""
    simulator.faults = Faults(latency=0.001)
    steps = [step(str(n), "GET", "/messages") for n in range(8)]
    steps[7]["dependsOn"] = ["0"]

    await raw.batch(*steps)

    assert simulator.metrics.max_concurrency[SUPPORT] == 1


async def test_an_inner_request_cannot_lose_the_connection(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """Where a single request would be dropped, an inner one times out at the gateway."""
    simulator.fail_next("GET messages", "drop")

    answers = await raw.batch(step("1", "GET", "/messages"), step("2", "GET", "/messages"))

    assert sorted(answer["status"] for answer in answers.values()) == [200, 504]


async def test_inner_requests_are_throttled_one_by_one(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """Over the quota, inner answers are 429 with a `Retry-After` of their own."""
    simulator.throttling = Throttling(requests=3)

    answers = await raw.batch(*(step(str(n), "GET", "/messages") for n in range(5)))

    throttled = [answer for answer in answers.values() if answer["status"] == 429]
    assert len(throttled) == 2
    assert all(int(answer["headers"]["Retry-After"]) > 0 for answer in throttled)
    assert simulator.metrics.throttled == 2
