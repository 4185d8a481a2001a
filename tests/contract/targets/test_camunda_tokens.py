"""Tokens that many wait for at once, on an identity provider that is silent or refuses."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.camunda.tokens import FAILURE_KEPT, NoToken, Tokens
from shared.adapters.secrets import SecretStore
from shared.adapters.target_http import TargetHttp
from shared.domain.errors import SecretNotFound
from shared.domain.target import EngineAuth
from tests.contract.targets.worlds import ENGINE_SECRETS, Cluster


class Provider:
    """An identity provider, those who ask it, and a clock that a test turns."""

    def __init__(self, cluster: Cluster, answer_within: timedelta) -> None:
        self.engine = cluster.engine
        self.client = cluster.client()
        self.wrong = cluster.client("WRONG")
        self.now = 1000.0
        self.http = TargetHttp(answer_within)
        self.tokens = Tokens(self.http, SecretStore(ENGINE_SECRETS), lambda: self.now)

    def waiting(self, number: int) -> list[asyncio.Task[str]]:
        """So many who want a token."""
        return [asyncio.create_task(self.tokens.get(self.client)) for _ in range(number)]

    async def asked(self) -> None:
        """Returns once a request has arrived."""
        while not self.engine.token_forms:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)


@pytest.fixture
async def provider(cluster: Cluster) -> AsyncIterator[Provider]:
    """One that takes as long as a test says."""
    fresh = Provider(cluster, timedelta(seconds=30))
    yield fresh
    await fresh.http.close()


@pytest.fixture
async def silent(cluster: Cluster) -> AsyncIterator[Provider]:
    """One that does not answer in time."""
    cluster.engine.tokens_answer.clear()
    fresh = Provider(cluster, timedelta(seconds=0.05))
    yield fresh
    await fresh.http.close()


async def test_those_who_wait_share_a_request(provider: Provider) -> None:
    """And its token."""
    assert await asyncio.gather(*provider.waiting(20)) == ["token-1"] * 20
    assert len(provider.engine.token_forms) == 1


async def test_those_who_wait_share_a_failure(silent: Provider) -> None:
    """A provider that does not answer costs one timeout, not one for each of them."""
    failures = await asyncio.gather(*silent.waiting(20), return_exceptions=True)

    assert {str(one) for one in failures} == {"identity provider: no answer within 0.05 s"}
    assert len({id(one) for one in failures}) == 20
    assert len(silent.engine.token_forms) == 1


async def test_a_failure_is_kept_for_a_few_seconds(silent: Provider) -> None:
    """Who comes meanwhile is told at once; then the provider is asked again."""
    with pytest.raises(NoToken):
        await silent.tokens.get(silent.client)
    silent.engine.tokens_answer.set()

    silent.now += FAILURE_KEPT - 0.1
    with pytest.raises(NoToken, match="no answer within"):
        await silent.tokens.get(silent.client)
    silent.now += 0.1

    assert (await silent.tokens.get(silent.client)).startswith("token-")


async def test_a_failure_of_one_client_is_none_of_another(provider: Provider) -> None:
    """Each has a request of its own."""
    with pytest.raises(NoToken):
        await provider.tokens.get(provider.wrong)

    assert await provider.tokens.get(provider.client) == "token-1"


async def test_one_who_gives_up_leaves_the_others_waiting(provider: Provider) -> None:
    """Also if it was the first, whose request it is."""
    provider.engine.tokens_answer.clear()
    first, *others = provider.waiting(3)
    await provider.asked()

    first.cancel()
    await asyncio.wait({first})
    provider.engine.tokens_answer.set()

    assert first.cancelled()
    assert await asyncio.gather(*others) == ["token-1"] * 2
    assert len(provider.engine.token_forms) == 1


async def test_a_secret_that_is_not_known_is_never_sent_for(cluster: Cluster) -> None:
    """Nor kept as a failure of the provider."""
    http = TargetHttp(timedelta(seconds=30))
    tokens = Tokens(http, SecretStore({}))

    for _ in range(2):
        with pytest.raises(SecretNotFound):
            await tokens.get(cluster.client())
    assert cluster.engine.token_forms == []


async def test_half_a_character_in_a_client_is_sent_as_a_question_mark(cluster: Cluster) -> None:
    """No form holds it; the provider says what it thinks of that."""
    client = replace(cluster.client(), client_id="mail\ud83d")

    await cluster.deliver(auth=EngineAuth(oidc=client))

    [form] = cluster.engine.token_forms
    assert form["client_id"] == "mail?"
