from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory

from localdev.graph_simulator import GraphSimulator, RunningSimulator
from tests.contract.graph_simulator.clients import SUPPORT, RawGraph


class StaticToken(AccessTokenProvider):
    """Gives one token to the simulator's host and none to others."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_authorization_token(
        self,
        uri: str,
        additional_authentication_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> str:
        """Return the token, or nothing for another host."""
        return self._token if self.get_allowed_hosts_validator().is_url_host_valid(uri) else ""

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        """Return what tells hosts apart."""
        return AllowedHostsValidator(["127.0.0.1"])


@pytest.fixture(scope="session")
def ca_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def simulator() -> GraphSimulator:
    simulator = GraphSimulator()
    simulator.add_mailbox(SUPPORT)
    return simulator


@pytest.fixture
async def running(simulator: GraphSimulator, ca_dir: Path) -> AsyncIterator[RunningSimulator]:
    async with simulator.serve(ca_dir=ca_dir) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def raw(
    simulator: GraphSimulator, running: RunningSimulator, http: aiohttp.ClientSession
) -> RawGraph:
    return RawGraph(http, running.graph_url, simulator.issue_token())


@pytest.fixture
async def graph(
    simulator: GraphSimulator, running: RunningSimulator
) -> AsyncIterator[GraphServiceClient]:
    provider = BaseBearerTokenAuthenticationProvider(StaticToken(simulator.issue_token()))
    # The SDK's middleware never closes the transport that it wraps, so that is done here.
    async with httpx.AsyncHTTPTransport() as transport:
        client = httpx.AsyncClient(transport=transport)
        adapter = GraphRequestAdapter(
            provider, GraphClientFactory.create_with_default_middleware(client=client)
        )
        adapter.base_url = f"{running.graph_url}/v1.0"
        yield GraphServiceClient(request_adapter=adapter)
