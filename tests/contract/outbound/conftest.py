"""The simulator with Graph's adapter on it, and Microsoft's typed client on the other side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stamina

from localdev.graph_simulator import GraphSimulator
from shared.adapters.graph.mailboxes import ATTEMPTS
from tests.builders import MAILBOX
from tests.contract.outbound.worlds import OutboundWorld


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """As many attempts as in production, without the pauses between them."""
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where certificates are kept for the session."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
async def world(certificates: Path) -> AsyncIterator[OutboundWorld]:
    """A fresh simulator with two mailboxes, and the adapter."""
    simulator = GraphSimulator()
    simulator.add_mailbox(MAILBOX)
    simulator.add_mailbox("ada@contoso.example")
    async with simulator.serve(ca_dir=certificates) as running:
        opened = OutboundWorld(simulator, running)
        yield opened
        await opened.close()
