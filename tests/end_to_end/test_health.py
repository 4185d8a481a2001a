from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from localdev.azurite import Azurite
from localdev.graph_simulator import CLIENT_ID
from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world

MAILBOX = "support@contoso.example"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with new_world(tmp_path) as world:
        world.deliver(MAILBOX, mail())
        await world.stack.subscribe("team/support", userId=MAILBOX)
        yield world


async def test_an_app_that_works_is_well(world: World) -> None:
    """With the figures that a monitor may want."""
    async with world.app():
        await world.ended(1)
        status, body = await world.health()

    assert (status, body["status"], body["reasons"]) == (200, "well", [])
    assert (body["sources"], body["invalidSubscriptions"]) == (1, [])
    assert body["lastPoll"]


async def test_a_source_is_ill_after_three_failures(world: World) -> None:
    """Not after two; and well again after one success."""
    statuses = []
    world.simulator.fail_next("GET messages", 403, times=3)
    async with world.app():
        for failures in (1, 2, 3):
            await world.failed_polls("team/support", failures)
            statuses.append(await world.health())
            await world.poll_now("team/support")
        await world.ended(1)
        statuses.append(await world.health())

    assert [status for status, _ in statuses] == [200, 200, 503, 200]
    [reason] = statuses[2][1]["reasons"]
    assert reason.startswith("team/support: 3 polls failed in a row: mailbox support@")
    assert "list messages: Graph answered 403" in reason


async def test_a_scope_that_a_consent_undoes_is_a_reason(world: World) -> None:
    """The app's own token says so."""
    world.settings["MAILBOX_ACCESS"] = "scoped"
    async with world.app():
        status, body = await world.health()

    [reason] = body["reasons"]
    assert status == 503
    assert "Mail.ReadWrite, Mail.Send over every mailbox of the tenant" in reason


async def test_a_refused_token_is_a_reason(world: World) -> None:
    """With the code that Entra ID gave, and what to do."""
    world.simulator.add_app(CLIENT_ID, secret="another by now")
    async with world.app():
        status, body = await world.health()

    [reason] = body["reasons"]
    assert status == 503
    assert reason.startswith("token: mailbox of the default app: no token from Entra ID")
    assert "AADSTS7000215: the client secret is wrong: set its value (not its id) anew" in reason


async def test_a_storage_that_is_gone_is_the_reason(world: World) -> None:
    """And the answer comes all the same."""
    async with Azurite() as storage:
        world.stack = replace(world.stack, storage=storage.connection_string)
        async with world.app() as app:
            await world.stack.subscribe("team/support", userId=MAILBOX)
            await world.ended(1)
            await storage.__aexit__()
            status, body = await world.health()
            await app.kill()  # it would wait for the storage a little longer

    assert (status, body["status"]) == (503, "ill")
    [reason] = body["reasons"]
    assert reason.startswith("storage: ")
