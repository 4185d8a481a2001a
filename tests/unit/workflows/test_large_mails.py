import asyncio
from dataclasses import replace

from shared.domain.delivery import State
from shared.domain.outcome import Answer
from shared.domain.target import Target, TargetMessage
from shared.workflows.attempt import LARGE_AT_ONCE
from shared.workflows.process import process
from tests.builders import row
from tests.fakes.targets import FakeTargets
from tests.unit.workflows.world import KEEPING, World


class SlowTargets(FakeTargets):
    """Targets that hold each mail until all tasks that can have given them one."""

    now = 0
    most = 0

    async def deliver(self, target: Target, message: TargetMessage) -> Answer:
        """Counts the mails that are held."""
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(50):
            await asyncio.sleep(0)
        self.now -= 1
        return await super().deliver(target, message)


async def world_with_mails(amount: int, size: int) -> tuple[World, SlowTargets]:
    """A world whose mails, of so many characters, are claimed, and slow targets."""
    world = World()
    targets = world.targets = SlowTargets()
    for number in range(amount):
        world.deliver(number, body={"contentType": "text", "content": "a" * size})
    await world.worker().poll()
    return world, targets


async def test_few_mails_that_may_be_large_are_held_at_once() -> None:
    """Those that do not travel inline: a hundred of 20 MB would not fit into memory."""
    world, targets = await world_with_mails(10, size=100_000)
    worker = world.worker()
    envelopes = [replace(envelope, mail=None) for envelope in world.emails.take()]

    await asyncio.gather(
        *(process(one, worker.ports, worker.registry, KEEPING) for one in envelopes)
    )

    assert targets.most == LARGE_AT_ONCE
    assert {one.state for one in world.deliveries()} == {State.DONE}


async def test_small_mails_do_not_wait_for_each_other() -> None:
    """They have travelled with their envelopes."""
    world, targets = await world_with_mails(10, size=100)
    worker = world.worker()

    envelopes = world.emails.take()
    await asyncio.gather(
        *(process(one, worker.ports, worker.registry, KEEPING) for one in envelopes)
    )

    assert targets.most == 10


async def test_small_mails_that_are_recovered_do_not_wait_for_each_others_targets() -> None:
    """Only while they are read from the mailbox nobody knows how large they are."""
    world, targets = await world_with_mails(10, size=100)
    worker = world.worker()
    envelopes = [replace(envelope, mail=None) for envelope in world.emails.take()]

    await asyncio.gather(
        *(process(one, worker.ports, worker.registry, KEEPING) for one in envelopes)
    )

    assert targets.most > LARGE_AT_ONCE


async def test_a_large_mail_is_read_once_even_if_it_is_categorized() -> None:
    """What categorizing needs is remembered, the mail is not."""
    world = World(row(postProcess="categorize", categories="Done"))
    mail = world.deliver(1, categories=["Mine"])
    await world.worker().poll()
    worker = world.worker()
    [envelope] = [replace(one, mail=None) for one in world.emails.take()]

    await process(envelope, worker.ports, worker.registry, KEEPING)

    assert world.delivery_of(mail).state is State.DONE
    assert world.mailboxes.asked["fetch_messages"] == 1
