"""The worker is killed again and again in the middle of its work; nothing is lost or doubled."""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from localdev.callback_receiver import AcceptedMail, CallbackReceiver
from localdev.graph_simulator import Faults
from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world, states, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")

MAILS = 300
MAILBOX = "support@contoso.example"
NAME = "team/support"
SHORT = {
    "LEASE_TIME": "PT2S",
    "RECOVERY_AFTER": "PT2S",
    "RECOVERY_SCHEDULE": "*/2 * * * * *",
    "PAGE_SIZE": "50",
}


@dataclass
class Run:
    """A world, and what was seen in it."""

    world: World
    kills: list[str] = field(default_factory=list)
    too_early: list[str] = field(default_factory=list)

    async def kill_when(self, what: str, condition: Callable[[], bool], latency: float = 0) -> None:
        """Lets the app run until a condition holds, and kills it there."""
        self.world.simulator.faults = Faults(latency=latency)
        async with self.world.app("--hidden-seconds", "3") as app:
            await until(condition, what)
            await app.kill()
        if self.world.receiver.counters.accepted < MAILS:
            self.kills.append(what)

    def look_at(self, accepted: AcceptedMail) -> None:
        """Notes a mail that was acted upon before its acceptance, which is now."""
        message = self.world.simulator.message(MAILBOX, accepted.mail_id or "")
        if message.parent_folder.path != "Inbox":
            self.too_early.append(message.id)


@pytest.fixture(scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Run]:
    """300 mails, and a worker that is killed at five points of its way."""

    def slow(secret: str) -> CallbackReceiver:
        return CallbackReceiver(secret, latency=0.2)

    directory = tmp_path_factory.mktemp("world")
    async with new_world(directory, make_receiver=slow, settings=SHORT) as world:
        run = Run(world)
        world.receiver.on_accept = run.look_at
        world.deliver(MAILBOX, *(mail(number) for number in range(MAILS)))
        await world.stack.subscribe(NAME, userId=MAILBOX)
        metrics, counters = world.simulator.metrics, world.receiver.counters

        def pages() -> int:
            return metrics.by_operation["GET messages"]

        def moves() -> int:
            return metrics.by_operation["POST move"]

        await run.kill_when("it lists a second page", lambda: pages() >= 2, latency=0.4)
        await run.kill_when("40 mails are accepted", lambda: counters.accepted >= 40)
        before = moves()
        await run.kill_when("a batch is on its way", lambda: moves() > before, latency=0.4)
        await run.kill_when("150 mails are accepted", lambda: counters.accepted >= 150)
        before = moves()
        await run.kill_when("mails are moved", lambda: moves() > before + 20)
        async with world.app("--hidden-seconds", "3"):
            await world.ended(MAILS)
        yield run


def test_every_kill_came_in_the_middle(run: Run) -> None:
    """Or the other tests here would prove nothing: acceptances got lost, and were repeated."""
    assert len(run.kills) == 5
    assert run.world.receiver.counters.duplicates > 0


def test_every_mail_is_accepted_exactly_once(run: Run) -> None:
    """Under one webhook id, by which the target knew repetitions."""
    accepted = Counter(mail.mail_id for mail in run.world.receiver.accepted.values())

    assert len(accepted) == MAILS
    assert set(accepted.values()) == {1}
    assert run.world.receiver.counters.bad_signatures == 0


def test_no_mail_is_acted_upon_before_its_acceptance(run: Run) -> None:
    """Seen at the moment of each acceptance."""
    assert run.too_early == []


async def test_the_ledger_ends_with_every_delivery_done(run: Run) -> None:
    """One row a mail."""
    rows = await run.world.deliveries(NAME)

    assert Counter(states(rows)) == {"done": MAILS}
    assert {row["mailId"] for row in rows} == set(run.world.accepted_of(NAME))


def test_nothing_is_left_in_the_folder(run: Run) -> None:
    """All of it was moved to where it belongs."""
    assert run.world.simulator.messages(MAILBOX, "inbox") == []
    assert len(run.world.simulator.messages(MAILBOX, "Processed")) == MAILS
