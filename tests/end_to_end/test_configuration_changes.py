from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world


def mailbox(name: str) -> str:
    return f"{name}@contoso.example"


async def subscribe(world: World, name: str, *, enabled: bool = True) -> None:
    columns = {"userId": mailbox(name), "pollingInterval": "PT10S", "enabled": enabled}
    await world.stack.subscribe(f"team/{name}", **columns)


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """While the app runs a row is added, one is disabled, and one that was disabled is enabled."""
    async with new_world(tmp_path_factory.mktemp("world")) as world:
        for name in ("stopped", "resumed"):
            world.deliver(mailbox(name), mail(1))
            await subscribe(world, name)
        async with world.app():
            await world.ended(2)
        await subscribe(world, "resumed", enabled=False)
        for name in ("stopped", "resumed", "added"):
            world.deliver(mailbox(name), mail(2), mail(3))
        async with world.app():
            await world.accepted("team/stopped", 3)
            assert (await world.status("team/resumed"))["state"] == "disabled"
            assert len(world.accepted_of("team/resumed")) == 1
            await subscribe(world, "added")
            await subscribe(world, "stopped", enabled=False)
            await subscribe(world, "resumed")
            await world.accepted("team/added", 2)
            await world.accepted("team/resumed", 3)
            # both are due, and what is not fetched with the one that is enabled never will be
            for name in ("stopped", "added"):
                world.deliver(mailbox(name), mail(4))
                await world.poll_now(f"team/{name}")
            await world.accepted("team/added", 3)
            await world.ended(3 + 3 + 3)
        yield world


async def test_a_new_row_is_picked_up(world: World) -> None:
    """Without a restart, with the mail that was there before it."""
    assert (await world.status("team/added"))["state"] == "ok"
    assert world.simulator.messages(mailbox("added"), "inbox") == []


async def test_a_disabled_row_stops(world: World) -> None:
    """New mail stays where it is, and nobody claims it."""
    assert (await world.status("team/stopped"))["state"] == "disabled"
    assert len(world.simulator.messages(mailbox("stopped"), "inbox")) == 1
    assert len(await world.deliveries("team/stopped")) == 3


async def test_a_row_that_is_enabled_again_goes_on(world: World) -> None:
    """With the mail that came meanwhile, each once."""
    accepted = world.accepted_of("team/resumed")

    assert len(accepted) == len(set(accepted)) == 3
    assert world.simulator.messages(mailbox("resumed"), "inbox") == []


def test_no_change_repeats_a_callback(world: World) -> None:
    """The target was given every mail once."""
    assert world.receiver.counters.received == 9
