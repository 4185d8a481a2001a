"""The HTTP API through an account, on the simulator: the app itself reaches no mailbox."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import stamina
from azure.identity.aio import ClientSecretCredential

from localdev.graph_simulator import TENANT_ID, GraphSimulator, RunningSimulator
from shared.adapters.accounts.credential import AccountCredentials
from shared.adapters.graph.client import GraphClient
from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.adapters.graph.outbound import GraphMailOperations
from shared.adapters.graph.visitors import visitors
from shared.api.dispatch import Api
from shared.api.http import ApiRequest
from shared.domain.api_access import ApiAccess
from shared.domain.outbound.outbox import SendState
from shared.domain.subscription import Credential
from tests.contract.mailboxes.worlds import eml
from tests.fakes.outbox_world import OutboxWorld
from tests.integration.accounts.browser import Browser
from tests.integration.accounts.conftest import ADA, ORDERS

CUSTOMER = "customer@contoso.example"
MAIL = {"to": [CUSTOMER], "subject": "Your order", "body": "It is on its way."}
ACCOUNT = {"x-mail-account": "orders"}


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """No pauses between attempts."""
    with stamina.set_testing(True, attempts=2):
        yield


@dataclass
class Caller:
    """Somebody who calls the API, and the storage behind it."""

    api: Api
    sends: OutboxWorld

    async def __call__(
        self, method: str, rest: str, body: Any = None, **request: Any
    ) -> tuple[int, Any]:
        """One request for the shared mailbox; status and JSON."""
        made = ApiRequest(
            method=method,
            user=ORDERS,
            rest=rest,
            body=b"" if body is None else json.dumps(body).encode(),
            **{"headers": ACCOUNT, **request},
        )
        answer = await self.api.handle(made)
        return answer.status, json.loads(answer.body)


@pytest.fixture
async def call(
    browser: Browser, simulator: GraphSimulator, running: RunningSimulator
) -> AsyncIterator[Caller]:
    """Ada has connected the shared mailbox; the app was given nothing."""
    simulator.add_app("powerless", secret="secret", mailboxes=())
    simulator.add_mailbox(CUSTOMER)
    assert (await browser.connect("orders", ADA, mailbox=ORDERS)).status == 200
    accounts = AccountCredentials(browser.ports)

    async def connect(credential: Credential) -> GraphClient:
        app = ClientSecretCredential(
            TENANT_ID,
            "powerless",
            "secret",
            authority=running.authority_url,
            connection_verify=str(running.ca_file),
            disable_instance_discovery=True,
        )
        signed_in = accounts.of(credential.account) if credential.account else app
        return GraphClient(signed_in, running.graph_url)

    own = GraphMailboxes(connect)
    operations = GraphMailOperations(own, GraphMailboxes(visitors(running.graph_url)))
    sends = OutboxWorld(operations=operations)
    box = replace(sends.box(), accounts=browser.ports.accounts)
    yield Caller(Api(box.sending, box, box.accounts, ApiAccess()), sends)
    await operations.close()
    await own.close()


def copies(simulator: GraphSimulator, mailbox: str) -> list[tuple[str, str]]:
    """From whom the mails in Sent Items went out, and on whose behalf they were not."""
    return [
        (one.content.from_.address, one.content.sender.address)
        for one in simulator.messages(mailbox, "sentitems")
        if one.content.from_ and one.content.sender
    ]


async def test_a_mail_goes_out_from_the_shared_mailbox(
    call: Caller, simulator: GraphSimulator
) -> None:
    """Its copy lies in the Sent Items of that mailbox, and in nobody else's."""
    status, _ = await call("POST", "send", MAIL)

    assert status == 200
    assert copies(simulator, ORDERS) == [(ORDERS, ORDERS)]
    assert copies(simulator, ADA) == []
    assert len(simulator.messages(CUSTOMER, "inbox")) == 1


async def test_a_durable_mail_goes_out_through_the_account(
    call: Caller, simulator: GraphSimulator
) -> None:
    """The draft as well as its sending."""
    status, _ = await call("POST", "send", MAIL, query={"async": "true"})
    await call.sends.work()

    assert status == 202
    [item] = call.sends.table.rows.values()
    assert (item.state, item.reason) == (SendState.SENT, "")
    assert copies(simulator, ORDERS) == [(ORDERS, ORDERS)]


async def test_a_mail_is_found_and_answered(call: Caller, simulator: GraphSimulator) -> None:
    """The answer goes out from the mailbox that was written to."""
    simulator.deliver(ORDERS, eml("Where is it?", headers={"Reply-To": CUSTOMER}))

    status, page = await call("GET", "folders/inbox/messages", query={"$select": "id"})
    answered, _ = await call("POST", f"messages/{page['value'][0]['id']}/reply", {"body": "Soon."})

    assert (status, answered) == (200, 200)
    assert copies(simulator, ORDERS) == [(ORDERS, ORDERS)]
    assert len(simulator.messages(CUSTOMER, "inbox")) == 1


async def test_without_the_account_nothing_is_reached(call: Caller) -> None:
    """The app is asked, and the problem says what else there is."""
    status, problem = await call("POST", "send", MAIL, headers={})

    assert (status, problem["code"]) == (403, "ErrorAccessDenied")
    assert "X-Mail-Account" in problem["action"]


async def test_a_person_who_may_not_send_as_the_mailbox_is_told(
    call: Caller, simulator: GraphSimulator
) -> None:
    """To open it is one right, to send as it is another."""
    simulator.add_user(ADA, shared=[ORDERS], sends_as=())

    status, problem = await call("POST", "send", MAIL)

    assert (status, problem["code"]) == (403, "ErrorSendAsDenied")
    assert "send as" in problem["action"]
    assert simulator.sent == []


async def test_an_account_whose_sign_in_is_over_says_so(
    call: Caller, simulator: GraphSimulator
) -> None:
    """With what to do, and to whom."""
    simulator.sign_ins.revoke(ADA)

    status, problem = await call("POST", "send", MAIL)

    assert (status, problem["code"]) == (502, "signInRefused")
    assert f"account orders: {ADA} must sign in again" in problem["detail"]
