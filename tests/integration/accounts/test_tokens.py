"""Tokens of an account that was connected: refreshed, rotated, revoked; on Graph itself."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from localdev.graph_simulator import GraphSimulator, RunningSimulator
from shared.account_ports import AccountPorts
from shared.adapters.accounts.credential import AHEAD, AccountCredential
from shared.adapters.graph.client import GraphClient
from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.domain.accounts import State
from shared.domain.errors import MailboxRefused, SignInRefused
from shared.domain.subscription import Credential
from shared.ports import MailboxAddress
from tests.contract.graph_simulator.clients import mail
from tests.fakes.clock import SettableClock
from tests.fakes.waiting import Hourglass
from tests.integration.accounts.browser import Browser
from tests.integration.accounts.conftest import ADA, BOB, ORDERS, NewPorts

GRAPH = "https://graph.microsoft.com/.default"


@pytest.fixture
async def connected(browser: Browser) -> Browser:
    """The account orders, of Ada's for the shared mailbox."""
    assert (await browser.connect("orders", ADA, mailbox=ORDERS)).status == 200
    return browser


def clock_of(ports: AccountPorts) -> SettableClock:
    assert isinstance(ports.clock, SettableClock)
    return ports.clock


@pytest.fixture
async def mailboxes(connected: Browser, running: RunningSimulator) -> AsyncIterator[GraphMailboxes]:
    """Mailboxes as the account reaches them."""
    credential = AccountCredential("orders", connected.ports)

    async def connect(_: Credential) -> GraphClient:
        return GraphClient(credential, running.graph_url)

    opened = GraphMailboxes(connect)
    yield opened
    await opened.close()


async def subjects(mailboxes: GraphMailboxes, mailbox: str) -> list[str]:
    """The subjects of a mailbox's mail."""
    address = MailboxAddress(Credential(), mailbox)
    page = await mailboxes.list_messages(address, "inbox", {"$select": "subject"}, "text")
    return [message["subject"] for message in page.messages]


async def test_a_shared_mailbox_is_read(
    simulator: GraphSimulator, mailboxes: GraphMailboxes
) -> None:
    """And so is the person's own; no other."""
    simulator.deliver(ORDERS, mail("An order"))
    simulator.deliver(ADA, mail("For Ada"))

    assert await subjects(mailboxes, ORDERS) == ["An order"]
    assert await subjects(mailboxes, ADA) == ["For Ada"]
    with pytest.raises(MailboxRefused, match="ErrorAccessDenied"):
        await subjects(mailboxes, BOB)


@pytest.mark.usefixtures("connected")
async def test_one_token_serves_until_five_minutes_before_its_end(
    simulator: GraphSimulator, ports: AccountPorts
) -> None:
    """Then another is fetched, and the refresh token that came with it is stored."""
    credential, clock = AccountCredential("orders", ports), clock_of(ports)
    first = await credential.get_token(GRAPH)
    before = await ports.accounts.read("orders")
    clock.advance(
        timedelta(seconds=simulator.identity.token_lifetime) - AHEAD - timedelta(seconds=1)
    )
    assert (await credential.get_token(GRAPH)).token == first.token

    clock.advance(timedelta(seconds=1))
    second = await credential.get_token(GRAPH)

    after = await ports.accounts.read("orders")
    assert second.token != first.token
    assert simulator.sign_ins.refreshes == 2
    assert before is not None
    assert after is not None
    assert before.sealed != after.sealed


async def test_a_token_is_refreshed_in_the_middle_of_a_run(
    simulator: GraphSimulator, mailboxes: GraphMailboxes, ports: AccountPorts
) -> None:
    """Whoever lists page after page notices nothing."""
    simulator.sign_ins.one_use_refresh_tokens = True
    simulator.deliver(ORDERS, mail("An order"))
    for _ in range(5):
        assert await subjects(mailboxes, ORDERS) == ["An order"]
        simulator.identity.expire_all()
        clock_of(ports).advance(timedelta(hours=1))

    assert simulator.sign_ins.refreshes == 5


@pytest.mark.usefixtures("connected")
async def test_many_requests_at_once_refresh_once(
    simulator: GraphSimulator, ports: AccountPorts
) -> None:
    """In one process."""
    credential = AccountCredential("orders", ports)

    tokens = await asyncio.gather(*(credential.get_token(GRAPH) for _ in range(20)))

    assert len({token.token for token in tokens}) == 1
    assert simulator.sign_ins.refreshes == 1


@pytest.mark.parametrize("one_use", [True, False])
async def test_workers_that_refresh_at_once_do_not_lose_the_sign_in(
    simulator: GraphSimulator, connected: Browser, new_ports: NewPorts, *, one_use: bool
) -> None:
    """Even where a refresh token is good once: the one that is stored is always good."""
    simulator.sign_ins.one_use_refresh_tokens = one_use
    workers = [AccountCredential("orders", new_ports()) for _ in range(4)]
    clock = clock_of(connected.ports)
    for _ in range(4):
        tokens = await asyncio.gather(*(worker.get_token(GRAPH) for worker in workers))
        assert all(token.token for token in tokens)
        clock.advance(timedelta(hours=1))

    account = await connected.ports.accounts.read("orders")
    assert account is not None
    assert (account.state, account.error) == (State.CONNECTED, "")
    assert await AccountCredential("orders", new_ports()).get_token(GRAPH)


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("how", "number"), [("revoke", 50173), ("expire", 700082), ("withdraw_consent", 65001)]
)
async def test_a_sign_in_that_ended_asks_for_another(
    simulator: GraphSimulator, ports: AccountPorts, how: str, number: int
) -> None:
    """The error names account, person and what to do; asking Entra ID again and again ends."""
    getattr(simulator.sign_ins, how)(ADA)
    credential = AccountCredential("orders", ports, Hourglass().sleep)

    with pytest.raises(SignInRefused) as refused:
        await credential.get_token(GRAPH)

    account = await ports.accounts.read("orders")
    assert account is not None
    assert account.state is State.NEEDS_SIGN_IN
    for part in (
        f"mailbox {ORDERS}: account orders: {ADA} must sign in again",
        f"AADSTS{number}",
        "Run connect again: /api/accounts/connect?name=orders",
    ):
        assert part in str(refused.value)
    asked = simulator.metrics.token_requests
    with pytest.raises(SignInRefused, match=f"AADSTS{number}.*Run connect again"):
        await credential.get_token(GRAPH)
    assert simulator.metrics.token_requests == asked


async def test_signing_in_again_heals(
    simulator: GraphSimulator, connected: Browser, ports: AccountPorts
) -> None:
    """The same credential goes on; nothing is restarted."""
    simulator.sign_ins.revoke(ADA)
    credential = AccountCredential("orders", ports, Hourglass().sleep)
    with pytest.raises(SignInRefused):
        await credential.get_token(GRAPH)

    assert (await connected.connect("orders", ADA)).status == 200

    assert (await credential.get_token(GRAPH)).token
