"""Targets that do not take mail: each delivery says why, and no other target waits for it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from localdev.callback_receiver import CallbackReceiver
from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world, states

MANY = 40
SETTINGS = {
    "TARGET_TIMEOUT": "PT1S",
    "SECRETS__other": "whsec_b3RoZXIgc2lnbmluZyBzZWNyZXQ=",
}
SUBSCRIPTIONS: dict[str, dict[str, Any]] = {
    "well": {},
    "silent": {},
    "silent-and-impatient": {"retry": "PT0S"},
    "not-there": {"targetUrl": "http://127.0.0.1:1/hook", "retry": "PT0S"},
    "rejecting": {},
    "rejecting-aside": {"onDead": "move:Inbox/Failed"},
    "other-secret": {"targetAuth": "{{secrets.other}}"},
}


def mailbox(name: str) -> str:
    return f"{name}@contoso.example"


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A run with a mailbox for each target; the one that never answers gets the most mail."""

    def target(secret: str) -> CallbackReceiver:
        receiver = CallbackReceiver(secret)
        receiver.never_answer("/hooks/silent")
        receiver.never_answer("/hooks/silent-and-impatient")
        receiver.reject("team/rejecting")
        receiver.reject("team/rejecting-aside", 400)
        return receiver

    directory = tmp_path_factory.mktemp("world")
    async with new_world(directory, make_receiver=target, settings=SETTINGS) as world:
        world.deliver(mailbox("silent"), *(mail(number) for number in range(MANY)))
        for name, columns in SUBSCRIPTIONS.items():
            world.deliver(mailbox(name), mail(100), mail(101))
            await world.stack.subscribe(f"team/{name}", userId=mailbox(name), **columns)
        async with world.app():
            await world.ended(2 * (len(SUBSCRIPTIONS) - 1))
            yield world


async def test_the_target_that_works_gets_its_mail(world: World) -> None:
    """In the same run as all others."""
    assert states(await world.deliveries("team/well")) == ["done", "done"]


async def test_a_target_that_never_answers_is_tried_again(world: World) -> None:
    """Each mail waits with the reason, and stays in the folder."""
    await world.postponed("team/silent", MANY + 2)
    deliveries = await world.deliveries("team/silent")

    assert set(states(deliveries)) == {"claimed"}
    assert any("team/silent: no answer within 1 s" in one["reason"] for one in deliveries)
    assert all("no answer" in one["reason"] or "not tried" in one["reason"] for one in deliveries)
    assert len(world.simulator.messages(mailbox("silent"), "inbox")) == MANY + 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("silent-and-impatient", "no answer within 1 s; given up after 0:00:00"),
        ("not-there", "not reached (ClientConnectorError); given up after 0:00:00"),
        ("rejecting", "answered 422"),
        ("rejecting-aside", "answered 400"),
        ("other-secret", "answered 401"),
    ],
)
async def test_a_dead_letter_names_subscription_and_reason(
    world: World, name: str, reason: str
) -> None:
    """And its mail is never post-processed."""
    deliveries = await world.deliveries(f"team/{name}")

    assert states(deliveries) == ["dead", "dead"]
    assert {one["reason"] for one in deliveries} == {f"team/{name}: {reason}"}
    assert world.simulator.directory.mailbox(mailbox(name)).root.child("Processed") is None


@pytest.mark.parametrize(
    ("name", "folder"), [("rejecting", "inbox"), ("rejecting-aside", "Inbox/Failed")]
)
def test_a_dead_letters_mail_is_left_or_moved_aside(world: World, name: str, folder: str) -> None:
    """As the column onDead says; the folder is made for it."""
    mails = world.simulator.messages(mailbox(name))

    assert {one.parent_folder.path.lower() for one in mails} == {folder.lower()}
