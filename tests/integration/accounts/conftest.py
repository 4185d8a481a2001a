from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from azure.identity.aio import ManagedIdentityCredential

from localdev.graph_simulator import CLIENT_ID, TENANT_ID, GraphSimulator, RunningSimulator
from shared.account_ports import AccountPorts
from shared.adapters.accounts.application import Application
from shared.adapters.accounts.entra import Entra
from shared.adapters.accounts.vault import KeyVault
from tests.fakes.accounts import FakeAccountTable, FakePendingSignIns
from tests.fakes.clock import SettableClock
from tests.integration.accounts.browser import Browser

ADA = "ada@contoso.example"
BOB = "bob@contoso.example"
ADMIN = "admin@contoso.example"
ORDERS = "orders@contoso.example"
PUBLIC_URL = "http://localhost:7071"


@pytest.fixture(scope="session")
def ca_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def simulator() -> GraphSimulator:
    """Ada may open the shared mailbox; Bob may not."""
    simulator = GraphSimulator()
    simulator.add_user(ADA, shared=[ORDERS])
    simulator.add_user(BOB)
    simulator.add_user(ADMIN, is_admin=True)
    return simulator


@pytest.fixture
async def running(simulator: GraphSimulator, ca_dir: Path) -> AsyncIterator[RunningSimulator]:
    async with simulator.serve(ca_dir=ca_dir) as running:
        yield running


def application(simulator: GraphSimulator, **changed: str) -> Application:
    """The simulator's own app, with its secret."""
    values = {"client_id": CLIENT_ID, "secret": simulator.secret, **changed}
    return Application(identity=ManagedIdentityCredential, **values)


NewEntra = Callable[..., Entra]


@pytest.fixture
async def new_entra(
    simulator: GraphSimulator, running: RunningSimulator
) -> AsyncIterator[NewEntra]:
    """Makes what asks the simulator, each for another worker."""
    made: list[Entra] = []

    def make(tenant: str = TENANT_ID, **changed: str) -> Entra:
        app = application(simulator, **changed)
        trust = str(running.ca_file)
        made.append(Entra(app, tenant, running.graph_url, running.authority_url, trust))
        return made[-1]

    yield make
    for one in made:
        await one.close()


NewPorts = Callable[..., AccountPorts]


@pytest.fixture
def new_ports(new_entra: NewEntra, tmp_path: Path) -> NewPorts:
    """Makes the ports of workers on one storage, each with its own Entra ID client."""
    clock, accounts, pending = SettableClock(), FakeAccountTable(), FakePendingSignIns()

    def make(entra: Entra | None = None) -> AccountPorts:
        return AccountPorts(
            clock=clock,
            accounts=accounts,
            pending=pending,
            vault=KeyVault("", str(tmp_path / "account.key")),
            sign_in=entra or new_entra(),
            public_url=PUBLIC_URL,
        )

    return make


@pytest.fixture
def ports(new_ports: NewPorts) -> AccountPorts:
    """Those of one worker."""
    return new_ports()


@pytest.fixture
def browser(ports: AccountPorts, running: RunningSimulator, simulator: GraphSimulator) -> Browser:
    return Browser(ports, running, simulator.sign_ins)
