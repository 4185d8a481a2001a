"""Mailboxes and folders that cannot be read: each says why, and stops no other."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from localdev.graph_simulator import CLIENT_ID
from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world

SCOPED_APP = "5c0bed00-0000-4000-8000-000000000001"
SECRETS = {"SECRETS__wrong": "not-the-secret", "SECRETS__scoped": "scoped-secret"}
WELL = {"well": "inbox", "nested": "Inquiries/Tech-Support"}
BAD: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no-such-folder": (
        {"userId": "nested@contoso.example", "folder": "Inquiries/Sales"},
        ("no folder 'Sales' in Inquiries", "correct the row"),
    ),
    "no-such-mailbox": (
        {"userId": "nobody@contoso.example"},
        ("ErrorInvalidUser", "check userId"),
    ),
    "on-premises": (
        {"userId": "old@contoso.example"},
        ("MailboxNotEnabledForRESTAPI", "licence"),
    ),
    "wrong-secret": (
        {"clientId": CLIENT_ID, "clientSecret": "{{secrets.wrong}}"},
        ("AADSTS7000215", "set its value (not its id) anew"),
    ),
    "unknown-secret": (
        {"clientId": CLIENT_ID, "clientSecret": "{{secrets.missing}}"},
        ("secret 'missing' is not known", "SECRETS__missing"),
    ),
    "unknown-tenant": (
        {"tenantId": "elsewhere.example"},
        ("AADSTS90002", "check tenantId"),
    ),
    "out-of-scope": (
        {"clientId": SCOPED_APP, "clientSecret": "{{secrets.scoped}}"},
        ("ErrorAccessDenied", "RBAC for Applications"),
    ),
}


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A run with two subscriptions that are well among many that are not."""
    async with new_world(tmp_path_factory.mktemp("world"), settings=SECRETS) as world:
        world.simulator.add_app(
            SCOPED_APP, secret=SECRETS["SECRETS__scoped"], mailboxes=["well@contoso.example"]
        )
        world.simulator.add_mailbox("old@contoso.example", rest_enabled=False)
        for name, (columns, _) in BAD.items():
            address = {"userId": f"{name}@contoso.example"} | columns
            if "userId" not in columns:
                world.deliver(address["userId"], mail())
            await world.stack.subscribe(f"team/{name}", **address)
        for name, folder in WELL.items():
            world.deliver(f"{name}@contoso.example", mail(), folder=folder)
            await world.stack.subscribe(
                f"team/{name}", userId=f"{name}@contoso.example", folder=folder
            )
        world.deliver("lost@contoso.example", mail())
        await world.stack.subscribe(
            "team/no-destination",
            userId="lost@contoso.example",
            postProcess="move",
            moveTo="Archive/2031",
        )
        async with world.app():
            await world.ended(len(WELL))
            yield world


@pytest.mark.parametrize("name", BAD)
async def test_the_source_says_why_and_what_to_do(world: World, name: str) -> None:
    """In the table that an operator looks at, with the code that Microsoft gave."""
    error = await world.poll_failed(f"team/{name}")

    assert all(part in error for part in BAD[name][1]), error


@pytest.mark.parametrize("name", WELL)
async def test_others_are_done_in_the_same_run(world: World, name: str) -> None:
    """One of them in a folder below another."""
    [delivery] = await world.deliveries(f"team/{name}")

    assert delivery["state"] == "done"
    assert world.simulator.messages(f"{name}@contoso.example", WELL[name]) == []


async def test_no_mail_of_a_bad_source_is_touched(world: World) -> None:
    """Nothing of it reaches a target."""
    for name in BAD:
        assert await world.deliveries(f"team/{name}") == []


async def test_a_mail_that_cannot_be_moved_yet_waits(world: World) -> None:
    """Accepted, with the reason; and it is moved, without another callback, when it can be."""
    await world.postponed("team/no-destination", 1)
    [waiting] = await world.deliveries("team/no-destination")
    world.simulator.directory.mailbox("lost@contoso.example").folder_at("Archive/2031", create=True)
    await world.ended(len(WELL) + 1)
    [done] = await world.deliveries("team/no-destination")

    assert (waiting["state"], done["state"]) == ("accepted", "done")
    assert "there is no folder '2031' in Archive" in waiting["reason"]
    assert len(world.simulator.messages("lost@contoso.example", "Archive/2031")) == 1
    assert world.receiver.counters.received == len(WELL) + 1


async def test_health_names_the_tokens_that_were_refused(world: World) -> None:
    """And nothing else yet: one poll that failed is no illness."""
    await world.poll_failed("team/wrong-secret")
    status, body = await world.health()

    assert (status, body["status"]) == (503, "ill")
    assert sorted(reason.partition(":")[0] for reason in body["reasons"]) == ["token"] * 3
    assert any("AADSTS7000215: the client secret is wrong" in one for one in body["reasons"])
