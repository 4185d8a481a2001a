from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world, states

MAILS = 3
OPERATIONS: dict[str, dict[str, Any]] = {
    "read": {"postProcess": "markAsRead"},
    "label": {"postProcess": "categorize", "categories": "Red, Handled"},
    "archive": {"postProcess": "markAsRead,move", "moveTo": "Done/2026", "createFolder": True},
    "bin": {"postProcess": "delete"},
    "purge": {"postProcess": "forceDelete"},
}


def mailbox(name: str) -> str:
    return f"{name}@contoso.example"


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A run with a mailbox for each operation, and one that two subscriptions share."""
    async with new_world(tmp_path_factory.mktemp("world")) as world:
        for name, columns in OPERATIONS.items():
            world.deliver(mailbox(name), *(mail(number) for number in range(MAILS)))
            await world.stack.subscribe(f"team/{name}", userId=mailbox(name), **columns)
        world.deliver(mailbox("shared"), mail())
        for name in ("tickets", "statistics"):
            await world.stack.subscribe(f"team/{name}", userId=mailbox("shared"))
        async with world.app():
            await world.ended(MAILS * len(OPERATIONS) + 1)
        yield world


@pytest.mark.parametrize("name", OPERATIONS)
async def test_every_mail_is_delivered_once_and_done(world: World, name: str) -> None:
    """Whatever is done to it afterwards."""
    assert len(set(world.accepted_of(f"team/{name}"))) == MAILS
    assert states(await world.deliveries(f"team/{name}")) == ["done"] * MAILS
    assert world.receiver.counters.duplicates == 0


async def test_mark_as_read(world: World) -> None:
    """The mail stays where it is."""
    mails = world.simulator.messages(mailbox("read"), "inbox")

    assert [one.is_read for one in mails] == [True] * MAILS


async def test_categorize(world: World) -> None:
    """The mail gets the labels, and stays unread."""
    mails = world.simulator.messages(mailbox("label"), "inbox")

    assert [(one.is_read, list(one.categories)) for one in mails] == [
        (False, ["Red", "Handled"])
    ] * MAILS


async def test_categorize_alone_is_warned_of(world: World) -> None:
    """For the mail stays among that which is listed."""
    status = await world.status("team/label")

    assert status["state"] == "ok"
    assert "every sweep lists it again" in status["warnings"]


async def test_mark_as_read_and_move(world: World) -> None:
    """Both, into a nested folder that was made for it."""
    moved = world.simulator.messages(mailbox("archive"), "Done/2026")

    assert [one.is_read for one in moved] == [True] * MAILS
    assert world.simulator.messages(mailbox("archive"), "inbox") == []


async def test_delete(world: World) -> None:
    """The mail lies in Deleted Items, where a person can get it back."""
    assert len(world.simulator.messages(mailbox("bin"), "deleteditems")) == MAILS
    assert len(world.simulator.messages(mailbox("bin"))) == MAILS


async def test_force_delete(world: World) -> None:
    """The mail is gone for good."""
    assert world.simulator.messages(mailbox("purge")) == []
    assert len(world.simulator.directory.mailbox(mailbox("purge")).purged) == MAILS


async def test_two_subscriptions_of_one_source(world: World) -> None:
    """One mail is listed once, called back twice, and moved once."""
    [delivery] = await world.deliveries("team/tickets")
    [moved] = world.simulator.messages(mailbox("shared"))

    assert world.accepted_of("team/tickets") == world.accepted_of("team/statistics") == [moved.id]
    assert (delivery["state"], moved.parent_folder.path) == ("done", "Processed")
    assert (await world.status("team/tickets"))["source"] == (
        await world.status("team/statistics")
    )["source"]
