"""Mail that other programs stumble over: each ends in the right place and stops no other."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from localdev.demo.mails import load_mails
from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world, states

MEBIBYTE = 2**20
REAL_MAIL = Path(__file__).resolve().parents[3] / "shared" / "mail"
BAD: dict[str, dict[str, Any]] = {
    "no-subject": {"subject": ""},
    "no-sender": {"sender": ""},
    "large-attachment": {"attachment": bytes(40 * MEBIBYTE)},
    "many-recipients": {"to": ", ".join(f"person{n}@example.org" for n in range(10_000))},
    "large-body": {"body": ("x" * 99 + "\n") * (20 * MEBIBYTE // 100)},
    "too-large-body": {"body": ("x" * 99 + "\n") * (40 * MEBIBYTE // 100)},
}


def mailbox(name: str) -> str:
    return f"{name}@contoso.example"


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A run in which each bad mail lies between two good ones, each such in a mailbox of its own.

    The real mails of the folder beside the checkout, where there is one, lie all in one.
    """
    real = load_mails(REAL_MAIL, None) if REAL_MAIL.is_dir() else []
    async with new_world(tmp_path_factory.mktemp("world")) as world:
        for name, fields in BAD.items():
            world.deliver(mailbox(name), mail(1), mail(2, **fields), mail(3))
            await world.stack.subscribe(f"team/{name}", userId=mailbox(name))
        world.deliver(mailbox("real"), *real)
        await world.stack.subscribe("team/real", userId=mailbox("real"))
        async with world.app():
            await world.ended(3 * len(BAD) + len(real))
        yield world


@pytest.mark.parametrize("name", [name for name in BAD if name != "too-large-body"])
async def test_it_is_delivered_and_moved_like_any_other(world: World, name: str) -> None:
    """So are its neighbours."""
    assert states(await world.deliveries(f"team/{name}")) == ["done"] * 3
    assert len(world.simulator.messages(mailbox(name), "Processed")) == 3


async def test_a_mail_too_large_to_read_is_a_dead_letter(world: World) -> None:
    """With the reason; it stays where it is, and its neighbours are done."""
    deliveries = await world.deliveries("team/too-large-body")
    [left] = world.simulator.messages(mailbox("too-large-body"), "inbox")

    assert states(deliveries) == ["done", "dead", "done"]
    assert "more than 32 MiB in one answer" in deliveries[1]["reason"]
    assert left.id == deliveries[1]["mailId"]


async def test_large_mails_leave_nothing_in_the_storage(world: World) -> None:
    """Their claim checks are gone once they are done."""
    assert await world.blobs("envelopes") == []


@pytest.mark.skipif(not REAL_MAIL.is_dir(), reason="needs ../shared/mail beside the checkout")
async def test_every_real_mail_is_delivered(world: World) -> None:
    """Broken headers, dates, charsets and boundaries included."""
    deliveries = await world.deliveries("team/real")

    assert len(deliveries) > 90
    assert set(states(deliveries)) == {"done"}
    assert len(set(world.accepted_of("team/real"))) == len(deliveries)


def test_callbacks_were_not_repeated(world: World) -> None:
    """Whatever their size."""
    counters = world.receiver.counters

    assert (counters.rejected, counters.duplicates, counters.bad_signatures) == (0, 0, 0)
