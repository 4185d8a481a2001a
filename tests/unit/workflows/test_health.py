from datetime import timedelta

import pytest

from shared.domain.errors import MailboxUnavailable
from shared.workflows.health import Health, check_health
from tests.builders import MAILBOX, row
from tests.unit.workflows.world import World


async def health(world: World, mailbox_access: str = "") -> Health:
    """What a monitor is told."""
    worker = world.worker()
    return await check_health(worker.ports, worker.registry, mailbox_access)


async def test_a_connector_that_works_is_well() -> None:
    """With figures for a person."""
    world = World()
    await world.worker().poll()

    told = await health(world)

    assert told.reasons == ()
    assert told.details["sources"] == 1
    assert told.details["lastPoll"] == world.clock.now().isoformat()


async def test_a_connector_that_has_just_started_is_well() -> None:
    """Nothing was polled yet."""
    told = await health(World())

    assert told.reasons == ()
    assert told.details["lastPoll"] is None


async def test_a_source_that_is_never_polled_is_ill() -> None:
    """The timer may not be running at all."""
    world = World()
    worker = world.worker()
    await check_health(worker.ports, worker.registry)

    world.later(minutes=6)
    [reason] = (await check_health(worker.ports, worker.registry)).reasons

    assert reason == "team/tickets: never polled. Is the timer running?"


async def test_without_storage_it_is_ill() -> None:
    """And nothing else is asked."""
    world = World()
    world.health.broken = "no such account"

    assert (await health(world)).reasons == ("storage: no such account",)


async def test_without_a_token_it_is_ill() -> None:
    """With what Entra ID says, once for each credential."""
    world = World(row("a"), row("b", userId="other@contoso.example"))
    world.health.no_token = "AADSTS7000215: the client secret is wrong"

    assert (await health(world)).reasons == ("token: AADSTS7000215: the client secret is wrong",)


async def test_a_source_that_keeps_failing_is_ill() -> None:
    """Not at the first failure: one throttled poll is no illness."""
    world = World()
    world.mailboxes.fail_next(MailboxUnavailable(MAILBOX, "answered 503"), times=3)
    found = []

    for _ in range(4):
        await world.worker().poll()
        found.append((await health(world)).reasons)
        world.clock.time = world.state().next_poll_at

    assert [len(reasons) for reasons in found] == [0, 0, 1, 0]
    assert "team/tickets: 3 polls failed in a row" in found[2][0]
    assert "answered 503" in found[2][0]


async def test_a_source_that_nobody_polls_is_ill() -> None:
    """The timer stands still, or there is too much to do."""
    world = World()
    await world.worker().poll()
    due = world.state().next_poll_at

    world.clock.time = due + timedelta(minutes=5)
    on_time = await health(world)
    world.later(seconds=1)
    late = await health(world)

    assert on_time.reasons == ()
    assert "not polled" in late.reasons[0]


async def test_invalid_rows_are_details_and_no_illness() -> None:
    """A person's typing error must not restart the app."""
    told = await health(World(row("bad", userId=None)))

    assert told.reasons == ()
    assert told.details["invalidSubscriptions"][0]["subscription"] == "team/bad"


@pytest.mark.parametrize("access", ["", "tenantWide"])
async def test_consent_over_every_mailbox_is_well_where_nothing_else_is_meant(access: str) -> None:
    """Most apps are let in so."""
    world = World()
    world.health.roles = ["Mail.ReadWrite"]

    assert (await health(world, access)).reasons == ()


async def test_a_scope_that_a_consent_undoes_is_ill() -> None:
    """Nothing fails because of it, so somebody has to look."""
    world = World()
    world.health.roles = ["Mail.ReadWrite", "Mail.Send"]

    [reason] = (await health(world, "scoped")).reasons

    assert reason.startswith("access: the app is to reach chosen mailboxes only, but Entra ID")
    assert "Mail.ReadWrite, Mail.Send over every mailbox" in reason
    world.health.roles = []
    assert (await health(world, "scoped")).reasons == ()


async def test_an_app_that_nobody_uses_needs_no_token() -> None:
    """Whether one is missing, those say who use it."""
    world = World(row(account="orders"))
    world.health.no_token = "no managed identity"

    assert (await health(world, "scoped")).reasons == ("token: no managed identity",)
