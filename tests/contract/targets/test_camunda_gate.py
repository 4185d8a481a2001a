"""When a cluster is left alone, and when only one of its rows has trouble."""

import asyncio
from typing import Any

import pytest

from shared.adapters import target_gate
from shared.domain.outcome import Accepted, Unavailable
from shared.domain.target import EngineAuth, EngineCall
from tests.contract.targets.worlds import Cluster
from tests.fakes.engine import LOST

ENOUGH = target_gate.FAILURES_IN_A_ROW + 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, LOST])
async def test_a_cluster_that_is_ill_is_left_alone_for_a_while(
    cluster: Cluster, status: int
) -> None:
    """It is not asked at all meanwhile."""
    for number in range(target_gate.FAILURES_IN_A_ROW):
        cluster.engine.fail_next(status)
        await cluster.deliver(number)

    outcome = await cluster.deliver(9)

    assert isinstance(outcome, Unavailable)
    assert "it failed repeatedly just now" in outcome.reason
    assert len(cluster.engine.requests) == target_gate.FAILURES_IN_A_ROW


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 413])
async def test_what_is_wrong_with_one_row_closes_no_cluster(cluster: Cluster, status: int) -> None:
    """However often it is answered so, the mail of other rows is handed over."""
    for number in range(ENOUGH):
        cluster.engine.fail_next(status, content_type="text/html")
        assert await cluster.deliver(number) != Accepted()

    assert await cluster.deliver(9) == Accepted()


@pytest.mark.parametrize(
    "columns",
    [
        {"call": EngineCall.START, "process_id": "nowhere"},
        {"auth": EngineAuth(basic="MISSING")},
    ],
)
async def test_a_row_that_is_wrong_closes_no_cluster(
    cluster: Cluster, columns: dict[str, Any]
) -> None:
    """A process that is not deployed, a secret that nobody knows."""
    for number in range(ENOUGH):
        assert isinstance(await cluster.deliver(number, **columns), Unavailable)

    assert await cluster.deliver(9) == Accepted()


async def test_a_client_that_gets_no_token_closes_no_cluster(cluster: Cluster) -> None:
    """The cluster was not even asked."""
    for number in range(ENOUGH):
        assert isinstance(await cluster.deliver(number, auth=cluster.oidc("WRONG")), Unavailable)

    assert cluster.engine.requests == []
    assert await cluster.deliver(9) == Accepted()


async def test_those_who_wait_for_a_token_take_no_places(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silent identity provider holds up its own rows, not those of another sign-in."""
    monkeypatch.setattr(target_gate, "PATIENCE", 0.0)
    cluster.engine.tokens_answer.clear()
    waiting = [
        asyncio.create_task(cluster.deliver(n, auth=cluster.oidc()))
        for n in range(target_gate.AT_ONCE)
    ]
    while not cluster.engine.token_forms:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)

    other = await cluster.deliver(99)
    monkeypatch.undo()
    cluster.engine.wants = ""
    cluster.engine.tokens_answer.set()

    assert other == Accepted()
    assert set(await asyncio.gather(*waiting)) == {Accepted()}


async def test_those_who_wait_for_another_token_take_no_places(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same when the cluster has refused the one they had."""
    monkeypatch.setattr(target_gate, "AT_ONCE", 1)
    monkeypatch.setattr(target_gate, "PATIENCE", 0.0)
    await cluster.deliver(1, auth=cluster.oidc())
    cluster.engine.wants = "Bearer token-2"
    cluster.engine.tokens_answer.clear()
    waiting = asyncio.create_task(cluster.deliver(2, auth=cluster.oidc()))
    while len(cluster.engine.token_forms) < 2:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0)

    cluster.engine.wants = ""
    other = await cluster.deliver(3)
    cluster.engine.tokens_answer.set()

    assert other == Accepted()
    assert await waiting == Accepted()
