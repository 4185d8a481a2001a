"""What the engine says, as outcomes; on a stand-in that fails when told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.secrets import SecretStore
from shared.adapters.targets import AllTargets
from shared.domain.outcome import Accepted, Answer, Rejected, TooLarge, Unavailable
from shared.domain.target import CamundaTarget, ClientCredentials, EngineAuth, EngineCall
from tests.builders import target_message
from tests.fakes.engine import LOST, FakeEngine, fake_engine

SECRETS = {"CLIENT": "s3cret", "WRONG": "other", "PAIR": "ada:pässword"}
LIMIT = 2_000


class World:
    """An engine, and the adapter to it."""

    def __init__(self, engine: FakeEngine, targets: AllTargets) -> None:
        self.engine = engine
        self.targets = targets
        self.target = CamundaTarget(engine.url)

    async def deliver(self, number: int = 1, **target: Any) -> Answer:
        """Hands over a message, in the way that the test says."""
        return await self.targets.deliver(replace(self.target, **target), target_message(number))

    def oidc(self, name: str = "CLIENT") -> EngineAuth:
        """Client credentials of the engine's identity provider."""
        url = f"{self.engine.url}/oauth/token"
        return EngineAuth(oidc=ClientCredentials(url, "mail", name, "zeebe", "all"))


@asynccontextmanager
async def new_world() -> AsyncIterator[World]:
    """An engine that listens."""
    targets = AllTargets(SecretStore(SECRETS), "", timedelta(seconds=30), LIMIT)
    async with fake_engine() as engine:
        yield World(engine, targets)
        await targets.close()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A fresh one for each test."""
    async with new_world() as fresh:
        yield fresh


async def test_a_message_is_published_whole(world: World) -> None:
    """With name, key, time to live in milliseconds, identity and variables; and no other field."""
    assert await world.deliver(tenant_id="sales") == Accepted()

    [published] = world.engine.published.values()
    assert published == {
        "name": "mail-received",
        "correlationKey": "order-4711",
        "timeToLive": 3_600_000,
        "messageId": "AAMk-1=",
        "tenantId": "sales",
        "variables": {"email": {"id": "AAMk-1=", "subject": "Grüße ?"}},
    }
    [(_, headers)] = world.engine.requests
    assert headers["traceparent"] == target_message().traceparent


async def test_a_message_that_comes_twice_is_accepted_once(world: World) -> None:
    """A duplicate is a success; the same after an answer that got lost."""
    world.engine.fail_next(LOST, after=True)

    first = await world.deliver()
    second = await world.deliver()

    assert isinstance(first, Unavailable)
    assert second == Accepted(already=True)
    assert len(world.engine.published) == 1


async def test_a_message_is_correlated_with_who_waits(world: World) -> None:
    """It has no identity there, and no time to live."""
    world.engine.waiting.add("order-4711")

    outcome = await world.deliver(call=EngineCall.CORRELATE)

    [correlated] = world.engine.correlated
    assert outcome == Accepted()
    assert set(correlated) == {"name", "correlationKey", "variables"}


async def test_that_nobody_waits_is_tried_again(world: World) -> None:
    """However often, it does not count against the engine."""
    outcomes = [await world.deliver(n, call=EngineCall.CORRELATE) for n in range(8)]

    assert {getattr(one, "reason", "") for one in outcomes} == {
        "no process waits for such a message with this correlation key"
    }
    assert await world.deliver(9) == Accepted()


async def test_a_process_is_started(world: World) -> None:
    """By the id of its definition."""
    outcome = await world.deliver(call=EngineCall.START, process_id="handle-mail")

    [started] = world.engine.started
    assert outcome == Accepted()
    assert started["processDefinitionId"] == "handle-mail"
    assert set(started) == {"processDefinitionId", "variables"}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Rejected("answered 400 FAILED: as it was told")),
        (403, Unavailable("answered 403: check targetAuth and the client's rights")),
        (
            413,
            TooLarge(
                "answered 413 FAILED: as it was told: the message is too large for the engine"
            ),
        ),
        (429, Unavailable("answered 429 FAILED: as it was told", 7.0)),
        (503, Unavailable("answered 503 FAILED: as it was told", 7.0)),
        (500, Unavailable("answered 500 FAILED: as it was told", 7.0)),
    ],
)
async def test_what_statuses_mean(world: World, status: int, outcome: Answer) -> None:
    """With the problem's own words, and the wait that is asked for."""
    world.engine.fail_next(status, retry_after="7")

    assert await world.deliver() == outcome


async def test_a_process_that_is_not_deployed_is_waited_for(world: World) -> None:
    """A person deploys it; no mail is dead because of that."""
    outcome = await world.deliver(call=EngineCall.START, process_id="nowhere")

    assert isinstance(outcome, Unavailable)
    assert "whether the process is deployed" in outcome.reason


@pytest.mark.parametrize(
    ("call", "size"), [(EngineCall.PUBLISH, LIMIT), (EngineCall.CORRELATE, LIMIT // 2)]
)
async def test_variables_over_the_limit_are_not_sent(
    world: World, call: EngineCall, size: int
) -> None:
    """The engine might accept them and never hand them to a process."""
    message = target_message(variables={"body": "é" * (size // 2)})

    answer = await world.targets.deliver(replace(world.target, call=call), message)

    assert isinstance(answer, TooLarge)
    assert f"of {size:,} at most" in answer.reason
    assert world.engine.requests == []


async def test_basic_authentication(world: World) -> None:
    """User and password, in UTF-8."""
    await world.deliver(auth=EngineAuth(basic="PAIR"))

    [(_, headers)] = world.engine.requests
    assert headers["Authorization"] == "Basic YWRhOnDDpHNzd29yZA=="


async def test_one_token_serves_many_messages(world: World) -> None:
    """It is asked for with what the row says."""
    for number in range(5):
        assert await world.deliver(number, auth=world.oidc()) == Accepted()

    assert world.engine.token_forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "mail",
            "client_secret": "s3cret",
            "audience": "zeebe",
            "scope": "all",
        }
    ]


async def test_a_token_is_replaced_before_it_ends(world: World) -> None:
    """One that lives for no time at all serves one message."""
    world.engine.token_lifetime = 0

    outcomes = [await world.deliver(number, auth=world.oidc()) for number in range(3)]

    assert outcomes == [Accepted()] * 3
    assert world.engine.tokens == 3


async def test_a_token_that_is_refused_is_replaced_at_once(world: World) -> None:
    """Keys of identity providers change."""
    await world.deliver(1, auth=world.oidc())
    world.engine.wants = "Bearer token-2"

    assert await world.deliver(2, auth=world.oidc()) == Accepted()
    assert world.engine.tokens == 2


async def test_a_client_that_is_refused_is_waited_for(world: World) -> None:
    """The reason names no secret; a person corrects it."""
    outcome = await world.deliver(auth=world.oidc("WRONG"))

    assert outcome == Unavailable(
        "identity provider: answered 401 invalid_client; check targetAuth"
    )


async def test_an_unknown_secret_is_named(world: World) -> None:
    """By its name only."""
    outcome = await world.deliver(auth=EngineAuth(basic="MISSING"))

    assert isinstance(outcome, Unavailable)
    assert "secret 'MISSING' is not known" in outcome.reason


async def test_a_cluster_says_whether_it_can_be_reached(world: World) -> None:
    """Without being handed anything."""
    wrong = replace(world.target, auth=world.oidc("WRONG"))

    assert await world.targets.reachable(world.target) == ""
    assert "invalid_client" in await world.targets.reachable(wrong)
    assert "not reached" in await world.targets.reachable(CamundaTarget("http://127.0.0.1:9"))
    assert world.engine.published == {}
