"""The worker is killed again and again while it sends; every mail goes out exactly once."""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from azure.storage.queue.aio import QueueClient

from localdev.graph_simulator import Faults
from shared.domain.outbound.outbox import OutboxMessage
from tests.end_to_end.world import World, new_world, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")

SENDS = 120
SENDERS = [f"sender{number}@contoso.example" for number in range(3)]
SHORT = {
    "LEASE_TIME": "PT10S",
    "RECOVERY_AFTER": "PT2S",
    "RECOVERY_SCHEDULE": "*/2 * * * * *",
}


@dataclass
class Run:
    """A world, and what was seen in it."""

    world: World
    kills: list[str] = field(default_factory=list)

    async def kill_when(self, what: str, condition: Callable[[], bool]) -> None:
        """Lets the app run until a condition holds, and kills it there."""
        async with self.world.app("--hidden-seconds", "3") as app:
            await until(condition, what)
            await app.kill()
        if len(self.world.simulator.sent) < SENDS:
            self.kills.append(what)

    async def states(self) -> Counter[str]:
        """How many sends stand where."""
        return Counter(row["state"] for row in await self.world.rows("outbox"))


@pytest.fixture(scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Run]:
    """120 mails put on the queue, some of them twice, and a worker that is killed three times."""
    async with new_world(tmp_path_factory.mktemp("world"), settings=SHORT) as world:
        run = Run(world)
        simulator, by_operation = world.simulator, world.simulator.metrics.by_operation
        simulator.faults = Faults(latency=0.15)
        for sender in SENDERS:
            simulator.add_mailbox(sender)
        await _order(world.stack.storage)

        await run.kill_when("drafts are made", lambda: by_operation["POST messages"] >= 5)
        await run.kill_when("mails are being sent", lambda: by_operation["POST send"] >= 10)
        await run.kill_when("30 mails are sent", lambda: len(simulator.sent) >= 30)
        simulator.faults = Faults()
        async with world.app("--hidden-seconds", "3"):

            async def all_ended() -> bool:
                return (await run.states()).keys() == {"sent"} and len(simulator.sent) >= SENDS

            # a draft that may be on its way is left alone for a minute
            await until(all_ended, f"{SENDS} mails sent", seconds=180)
        yield run


async def _order(storage: str) -> None:
    async with QueueClient.from_connection_string(storage, "outbox") as queue:
        await queue.create_queue()
        for number in range(SENDS):
            # each to somebody else: there is a cap on mails a recipient
            request = {
                "to": [f"ada{number}@example.org"],
                "subject": f"Mail {number}",
                "body": "Hello",
            }
            sender = SENDERS[number % len(SENDERS)]
            message = OutboxMessage(mailbox=sender, key=f"order-{number}", request=request)
            for _ in range(1 + (number % 10 == 0)):
                await queue.send_message(message.encode())


def test_every_kill_came_in_the_middle(run: Run) -> None:
    """Or the other tests here would prove nothing."""
    assert len(run.kills) == 3


def test_every_mail_goes_out_exactly_once(run: Run) -> None:
    """By the simulator's count."""
    subjects = Counter(mail.content.subject for mail in run.world.simulator.sent)

    assert subjects == {f"Mail {number}": 1 for number in range(SENDS)}


async def test_every_send_is_known_as_sent_with_its_ids(run: Run) -> None:
    """One row each, which keeps nothing of the mail."""
    rows = await run.world.rows("outbox")

    assert await run.states() == {"sent": SENDS}
    assert all(row["internetMessageId"] and row["conversationId"] for row in rows)
    assert {bytes(row["content"]) for row in rows} == {b""}


def test_no_draft_that_was_found_again_is_left(run: Run) -> None:
    """At most those whose making was cut off by a kill, before they could be seen."""
    left = [mail for one in SENDERS for mail in run.world.simulator.messages(one, "drafts")]

    assert left == []


def test_nothing_of_a_mail_is_logged(run: Run) -> None:
    """Neither subject nor recipient."""
    assert "@example.org" not in run.world.log
    assert "Mail 10" not in run.world.log
