"""The whole flow, through msal, to the simulator and back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
import stamina

from localdev.graph_simulator import GraphSimulator, RunningSimulator
from localdev.graph_simulator.sign_ins import Endpoint
from shared.account_ports import AccountPorts
from shared.domain.accounts import State
from shared.workflows.accounts import web
from shared.workflows.accounts.sign_in import PATIENCE
from tests.fakes.clock import SettableClock
from tests.integration.accounts.browser import Browser
from tests.integration.accounts.conftest import ADA, ADMIN, BOB, ORDERS, NewEntra, NewPorts


async def test_a_person_connects_the_own_mailbox(browser: Browser, ports: AccountPorts) -> None:
    """The page says so; the account knows who it is, and its token is encrypted."""
    reply = await browser.connect("ada", ADA)

    account = await ports.accounts.read("ada")
    assert (reply.status, "Connected" in reply.body) == (200, True)
    assert browser.titles == ["Pick an account", "Permissions requested"]
    assert account is not None
    assert (account.state, account.mailbox, account.user) == (State.CONNECTED, ADA, ADA)
    assert account.scopes == ("Mail.ReadWrite", "Mail.Send")
    assert account.sealed.startswith("1.")


async def test_a_person_connects_a_shared_mailbox(browser: Browser, ports: AccountPorts) -> None:
    """With the permissions for shared mailboxes."""
    reply = await browser.connect("orders", ADA, mailbox=ORDERS)

    account = await ports.accounts.read("orders")
    assert reply.status == 200
    assert account is not None
    assert (account.mailbox, account.user, account.is_shared) == (ORDERS, ADA, True)
    assert "Mail.ReadWrite.Shared" in account.scopes


async def test_a_mailbox_that_the_person_may_not_open_is_not_connected(
    browser: Browser, ports: AccountPorts
) -> None:
    """And the page says whose access is missing to what."""
    reply = await browser.connect("orders", BOB, mailbox=ORDERS)

    assert reply.status == 409
    assert f"{BOB} cannot open the mailbox {ORDERS}" in reply.body
    assert await ports.accounts.all() == []


async def test_the_request_has_what_the_flow_needs(browser: Browser) -> None:
    """PKCE with S256, a state, a nonce, a choice of people; no secret."""
    begun = await browser.begin("orders", mailbox=ORDERS)

    url = urlsplit(begun.headers["Location"])
    query = {name: one for name, (one,) in parse_qs(url.query).items()}
    scopes = query["scope"].split()
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert {"state", "nonce"} < query.keys()
    assert query["prompt"] == "select_account"
    assert query["redirect_uri"] == "http://localhost:7071/api/accounts/callback"
    assert {"offline_access", "https://graph.microsoft.com/Mail.ReadWrite.Shared"} < set(scopes)
    assert "client_secret" not in query


async def test_another_person_cannot_sign_in_to_an_account(
    browser: Browser, ports: AccountPorts
) -> None:
    """User mismatch: named, and the account stays as it was."""
    await browser.connect("ada", ADA)
    before = await ports.accounts.read("ada")

    reply = await browser.connect("ada", BOB)

    assert reply.status == 409
    assert f"user mismatch: it belongs to {ADA}, and {BOB} has signed in" in reply.body
    assert await ports.accounts.read("ada") == before


async def test_the_same_person_signs_in_again(browser: Browser, ports: AccountPorts) -> None:
    """Entra is told who is expected, and asks nothing that was agreed to before."""
    await browser.connect("ada", ADA)
    before = await ports.accounts.read("ada")
    browser.titles.clear()

    reply = await browser.connect("ada", ADA)

    after = await ports.accounts.read("ada")
    assert reply.status == 200
    assert browser.titles == ["Pick an account"]
    assert before is not None
    assert after is not None
    assert after.sealed != before.sealed


async def test_a_mailbox_has_one_account(browser: Browser) -> None:
    """A second one is refused before anybody signs in."""
    await browser.connect("orders", ADA, mailbox=ORDERS)

    reply = await browser.connect("orders-2", ADA, mailbox=ORDERS.upper())

    assert reply.status == 409
    assert "is connected as account orders already" in reply.body


async def test_the_own_mailbox_has_one_account_too(browser: Browser) -> None:
    """Whose mailbox it is shows only after the sign-in."""
    await browser.connect("ada", ADA)

    reply = await browser.connect("ada-2", ADA)

    assert reply.status == 409
    assert "duplicate" in reply.body


@pytest.mark.parametrize("tenant", ["organizations", ""])
async def test_a_multi_tenant_app_takes_people_of_other_tenants(
    simulator: GraphSimulator,
    running: RunningSimulator,
    new_ports: NewPorts,
    new_entra: NewEntra,
    tenant: str,
) -> None:
    """And the account remembers the person's own tenant, which refreshes need."""
    simulator.add_app("many", secret="s", multitenant=True)
    simulator.add_user("eve@fabrikam.example", tenant_id="fabrikam-id")
    ports = new_ports(new_entra(tenant="", client_id="many", secret="s"))

    reply = await Browser(ports, running, simulator.sign_ins).connect(
        "eve", "eve@fabrikam.example", tenant=tenant
    )

    account = await ports.accounts.read("eve")
    assert reply.status == 200
    assert account is not None
    assert account.tenant == "fabrikam-id"
    tokens = await ports.sign_in.refresh(
        account.tenant, ports.vault.open("eve", account.sealed), account.scopes
    )
    assert tokens.access_token


async def test_a_callback_works_once(browser: Browser) -> None:
    """The same address again is refused, without a reason."""
    begun = await browser.begin("ada")
    back = await browser.sign_in(begun.headers["Location"], ADA)
    first = await browser.call_back(back)

    again = await browser.call_back(back)

    assert (first.status, again.status) == (200, 400)
    assert "cannot be completed here" in again.body


async def test_a_callback_works_in_the_browser_that_began(browser: Browser) -> None:
    """Another browser is refused, and takes nothing away from the first."""
    begun = await browser.begin("ada")
    back = await browser.sign_in(begun.headers["Location"], ADA)
    other = replace(browser, cookies=dict.fromkeys(browser.cookies, "x"))

    stolen = await other.call_back(back)

    assert stolen.status == 400
    assert (await browser.call_back(back)).status == 200


async def test_a_sign_in_is_to_be_completed_in_time(browser: Browser, ports: AccountPorts) -> None:
    """Ten minutes."""
    begun = await browser.begin("ada")
    back = await browser.sign_in(begun.headers["Location"], ADA)
    assert isinstance(ports.clock, SettableClock)
    ports.clock.advance(PATIENCE + timedelta(seconds=1))

    reply = await browser.call_back(back)

    assert reply.status == 400
    assert "cannot be completed here" in reply.body
    assert await ports.accounts.all() == []


async def test_another_instance_takes_the_callback(browser: Browser, new_ports: NewPorts) -> None:
    """What it needs is in the table."""
    begun = await browser.begin("ada")
    back = await browser.sign_in(begun.headers["Location"], ADA)

    reply = await replace(browser, ports=new_ports()).call_back(back)

    assert reply.status == 200


async def test_an_administrator_agrees_for_everybody(browser: Browser) -> None:
    """After that, people connect although they may not agree themselves."""
    browser.sign_ins.admins_only = True

    refused = await browser.connect("ada", ADA, consent="back")
    agreed = await browser.consent(ADMIN)
    connected = await browser.connect("ada", ADA)

    assert (refused.status, agreed.status, connected.status) == (400, 200, 200)
    assert "AADSTS90094" in refused.body
    assert "/api/accounts/consent" in refused.body
    assert "granted for everybody" in agreed.body


async def test_an_administrator_declines(browser: Browser) -> None:
    """The page says so."""
    reply = await browser.consent(ADMIN, "cancel")

    assert reply.status == 400
    assert "AADSTS65004" in reply.body


async def test_a_person_declines(browser: Browser, ports: AccountPorts) -> None:
    """Nothing is connected, and the page says what to do."""
    reply = await browser.connect("ada", ADA, consent="cancel")

    assert reply.status == 400
    assert "AADSTS65004" in reply.body
    assert "choose Accept" in reply.body
    assert await ports.accounts.all() == []


@pytest.mark.parametrize(
    ("endpoint", "number", "error", "says"),
    [
        ("authorize", 65001, "consent_required", "nobody has agreed yet"),
        ("token", 65001, "invalid_grant", "nobody has agreed yet"),
        ("authorize", 65004, "access_denied", "declined"),
        ("authorize", 90094, "access_denied", "only administrators"),
        ("authorize", 900941, "access_denied", "only administrators"),
        ("token", 50105, "invalid_grant", "not assigned to the app"),
        ("token", 7000222, "invalid_client", "client secret has expired"),
        ("token", 53003, "access_denied", "Conditional Access"),
        ("token", 99999, "invalid_grant", "not good any more"),
        ("authorize", 99999, "made_up", "login.microsoftonline.com/error"),
    ],
)
async def test_a_refusal_is_explained(
    browser: Browser, endpoint: Endpoint, number: int, error: str, says: str
) -> None:
    """By its number, with what to do; Entra's own text is not repeated."""
    text = "<script>alert(1)</script> token=hunter2"
    browser.sign_ins.refuse_next(endpoint, number, error, text)

    reply = await browser.connect("ada", ADA)

    assert reply.status == 400
    assert f"AADSTS{number}" in reply.body
    assert says in reply.body
    assert "hunter2" not in reply.body
    assert "<script" not in reply.body


async def test_entra_that_cannot_now_is_told_apart(browser: Browser) -> None:
    """Trying again helps then."""
    browser.sign_ins.refuse_next("authorize", 90033, "temporarily_unavailable")

    reply = await browser.connect("ada", ADA)

    assert reply.status == 503
    assert "Try again in a few minutes" in reply.body


@pytest.mark.parametrize(
    "status", [302, 308, 408, 429, 500, 503, 504, "drop"], ids=lambda status: f"{status}"
)
async def test_graph_that_does_not_say_is_no_verdict_on_the_mailbox(
    browser: Browser, simulator: GraphSimulator, status: int | Literal["drop"]
) -> None:
    """Neither that it opens nor that it does not."""
    simulator.fail_next("GET mailFolder", status, times=20)

    with stamina.set_testing(True, attempts=2):
        reply = await browser.connect("ada", ADA)

    assert reply.status == 503
    assert "Try again in a few minutes" in reply.body
    assert await browser.ports.accounts.all() == []


async def test_graph_is_asked_again_where_that_is_soon(
    browser: Browser, simulator: GraphSimulator
) -> None:
    """A person sits before the browser: a long wait is none."""
    simulator.fail_next("GET mailFolder", 429, retry_after=0)
    assert (await browser.connect("ada", ADA)).status == 200
    simulator.fail_next("GET mailFolder", 429, retry_after=600)
    assert (await browser.connect("bob", BOB)).status == 503


async def test_a_wrong_secret_of_the_app_is_named(
    browser: Browser, new_ports: NewPorts, new_entra: NewEntra
) -> None:
    """The person cannot do anything about it; the page says who can."""
    ports = new_ports(new_entra(secret="wrong"))

    reply = await replace(browser, ports=ports).connect("ada", ADA)

    assert reply.status == 400
    assert "AADSTS7000215" in reply.body


@pytest.mark.parametrize("claim", ["aud", "nonce", "oid", "tid", "preferred_username"])
async def test_an_id_token_of_something_else_connects_nobody(
    browser: Browser, ports: AccountPorts, monkeypatch: pytest.MonkeyPatch, claim: str
) -> None:
    """For another app, of another sign-in, or without saying who it is."""
    id_tokens = browser.sign_ins.id_tokens
    sign = id_tokens.sign

    def other(claims: Mapping[str, Any]) -> str:
        changed = {name: value for name, value in claims.items() if name != claim}
        return sign({**changed, claim: "other"} if claim in {"aud", "nonce"} else changed)

    monkeypatch.setattr(id_tokens, "sign", other)

    reply = await browser.connect("ada", ADA)

    assert reply.status == 400
    assert await ports.accounts.all() == []


async def test_a_tenant_that_is_none_is_named(browser: Browser) -> None:
    """Before anybody is sent there."""
    reply = await browser.connect("ada", ADA, tenant="nowhere.example")

    assert (reply.status, "there is no such tenant" in reply.body) == (400, True)


async def test_disconnecting_forgets_the_person(browser: Browser, ports: AccountPorts) -> None:
    """The name stays; anybody may connect it anew."""
    await browser.connect("sales", ADA)

    reply = await web.disconnected("sales", ports)

    account = await ports.accounts.read("sales")
    assert reply.status == 200
    assert account is not None
    assert (account.state, account.user, account.sealed) == (State.DISCONNECTED, "", "")
    assert (await browser.connect("sales", BOB)).status == 200
