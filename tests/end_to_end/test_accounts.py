"""A shared mailbox that is polled in the name of a person who has signed in."""

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

from localdev.graph_simulator import MANAGED_IDENTITY_ID
from tests.end_to_end.accounts import ADA, BOB, ORDERS, account_app
from tests.end_to_end.mails import mail

LIFETIME = 2
"""Seconds that an access token is good: it ends in the middle of whatever the app does."""


async def test_a_shared_mailbox_is_polled_for_a_person(tmp_path: Path) -> None:
    """Through refreshes, a revoked sign-in, and the sign-in after it."""
    async with account_app(tmp_path) as accounts:
        world = accounts.world
        # nothing but the account lets anybody in
        world.settings |= {"M365_TENANT_ID": world.simulator.tenant_id}
        world.simulator.add_app(
            world.simulator.client_id, secret=world.simulator.secret, mailboxes=[]
        )
        world.simulator.add_app(MANAGED_IDENTITY_ID, mailboxes=[])
        world.simulator.identity.token_lifetime = LIFETIME
        world.simulator.sign_ins.one_use_refresh_tokens = True
        world.deliver(ORDERS, mail())
        async with world.app("--port", str(urlsplit(accounts.url).port)):
            await accounts.listens()
            status, text = await accounts.connect("orders", ADA, mailbox=ORDERS)
            assert (status, f"serves the mailbox {ORDERS}" in text) == (200, True)
            await world.stack.subscribe("team/orders", userId=ORDERS, account="orders")
            await world.accepted("team/orders", 1)
            assert world.simulator.sign_ins.refreshes >= 1

            world.simulator.sign_ins.revoke(ADA)
            await asyncio.sleep(LIFETIME)  # what was given out before is good until then
            await world.poll_now("team/orders")
            error = await world.poll_failed("team/orders")
            assert f"account orders: {ADA} must sign in again: AADSTS50173" in error
            assert "Run connect again: /api/accounts/connect?name=orders" in error

            status, text = await accounts.connect("orders", BOB)
            assert (status, "user mismatch" in text) == (409, True)
            status, _ = await accounts.connect("orders", ADA)
            assert status == 200
            world.deliver(ORDERS, mail())
            await world.poll_now("team/orders")
            await world.accepted("team/orders", 2)

            _, listed = await accounts.call("GET", "accounts")
            assert json.loads(listed)["accounts"][0]["state"] == "connected"
            status, ended = await accounts.call("DELETE", "accounts/orders")
            assert (status, json.loads(ended)["state"]) == (200, "disconnected")
        assert (tmp_path / "account.key").read_text().strip() not in world.log
