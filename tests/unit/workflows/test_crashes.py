"""A worker is killed at every call to the world, once before it takes effect and once after."""

from collections.abc import Callable, Sequence
from itertools import count

import pytest

from shared.domain.delivery import State
from shared.domain.outcome import Unavailable
from shared.domain.subscription import PostProcess
from shared.ports import MailboxAddress
from tests.builders import MAILBOX, row
from tests.fakes.mailboxes import FakeMailboxes
from tests.unit.workflows.crashing import Crash, Life, mortal_worker
from tests.unit.workflows.world import Worker, World

MAILS = 2
NAMES = ("team/a", "team/b")


class Witness(FakeMailboxes):
    """Mailboxes that remember what was post-processed before its acceptance was recorded."""

    def __init__(self, world: World) -> None:
        super().__init__({MAILBOX: world.mailbox})
        self.too_early: list[str] = []
        self._world = world

    async def post_process(
        self, address: MailboxAddress, mail_id: str, actions: PostProcess, categories: Sequence[str]
    ) -> str:
        """Looks at the ledger first."""
        delivery = self._world.delivery_of(mail_id)
        if delivery.state is not State.ACCEPTED:
            self.too_early.append(mail_id)
        return await super().post_process(address, mail_id, actions, categories)


def ordinary() -> World:
    """Everything goes well."""
    world = World(row("a"), row("b", targetUrl="https://other.example/"))
    world.mailboxes = Witness(world)
    world.deliver_many(MAILS)
    return world


def with_an_outage() -> World:
    """A target is down for a while, and loses an answer."""
    world = ordinary()
    world.targets.fail_next(Unavailable("answered 503"), "team/a", times=2)
    world.targets.fail_next(Unavailable("no answer"), "team/b", after_accepting=True)
    return world


def with_large_mail() -> World:
    """Mails wait in blobs."""
    world = ordinary()
    for mail in world.mailbox.mails.values():
        mail.message["body"] = {"contentType": "text", "content": "x" * 60_000}
    return world


def with_a_large_page() -> World:
    """Mails are listed by id and fetched."""
    world = ordinary()
    world.mailboxes.largest_answer = 600
    return world


def with_two_operations() -> World:
    """Marked, labelled and moved: the labels need the mail, the folder is made."""
    columns = {
        "postProcess": "markAsRead,categorize,move",
        "categories": "handled",
        "moveTo": "Done",
        "createFolder": True,
    }
    world = World(row("a", **columns), row("b", targetUrl="https://other.example/", **columns))
    world.mailboxes = Witness(world)
    world.deliver_many(MAILS)
    return world


SITUATIONS = [ordinary, with_an_outage, with_large_mail, with_a_large_page, with_two_operations]


async def hour(world: World, worker: Worker) -> None:
    """An hour of a worker: polls, messages as they come due, and recovery."""
    await worker.poll()
    await world.work(worker)
    for _ in range(3):
        world.later(minutes=10)
        await worker.recover()
        await world.work(worker)
    world.later(minutes=30)
    await worker.poll()
    await world.work(worker)


async def killed_at(step: int, world: World, *, takes_effect: bool) -> Life:
    """Runs a worker until it dies at a step, or has done all there is to do."""
    life = Life(step, takes_effect=takes_effect)
    try:
        await hour(world, mortal_worker(world, life))
    except Crash:
        world.later(minutes=6)
    return life


@pytest.mark.parametrize("takes_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("situation", SITUATIONS)
async def test_a_kill_at_any_call_loses_and_doubles_nothing(
    situation: Callable[[], World],
    takes_effect: bool,  # noqa: FBT001
) -> None:
    """Within the next hour, without a person: accepted once, recorded, post-processed, done."""
    for step in count(1):
        world = situation()
        ids = sorted(world.mailbox.mails)
        life = await killed_at(step, world, takes_effect=takes_effect)

        await hour(world, world.worker())

        at = f"killed at call {step}, {life.last_call}"
        assert [one.state for one in world.deliveries()] == MAILS * [State.DONE], at
        assert [sorted(world.targets.accepted_by(name)) for name in NAMES] == [ids, ids], at
        assert len(set(world.targets.attempts)) == MAILS * len(NAMES), at
        assert isinstance(world.mailboxes, Witness)
        assert world.mailboxes.too_early == [], at
        assert {one for one, _ in world.mailboxes.operations} == set(ids), at
        assert all(world.mailbox.is_read(one) for one in ids), at
        assert world.queue.messages == [], at
        assert world.emails.blobs == {}, at
        assert world.state().error == "", at
        if not life.is_over():
            return


@pytest.mark.parametrize("takes_effect", [False, True], ids=["before", "after"])
async def test_a_kill_at_any_call_leaves_no_dead_letter_behind(
    takes_effect: bool,  # noqa: FBT001
) -> None:
    """A mail that is rejected ends dead, and is moved aside, wherever the worker dies."""
    for step in count(1):
        world = World(row("a", onDead="move:Failed"))
        mail = world.deliver(1)
        world.targets.reject("team/a", "answered 422")
        life = await killed_at(step, world, takes_effect=takes_effect)

        await hour(world, world.worker())

        at = f"killed at call {step}, {life.last_call}"
        assert world.delivery_of(mail).state is State.DEAD, at
        assert world.delivery_of(mail).reason == "team/a: answered 422", at
        assert world.mailbox.folder_of(mail) == "Failed", at
        assert world.queue.messages == [], at
        if not life.is_over():
            return


@pytest.mark.parametrize("takes_effect", [False, True], ids=["before", "after"])
async def test_a_mail_is_offered_again_only_where_its_acceptance_was_not_recorded(
    takes_effect: bool,  # noqa: FBT001
) -> None:
    """A kill costs at most one more attempt, under the same message id."""
    for step in count(1):
        world = ordinary()
        life = await killed_at(step, world, takes_effect=takes_effect)

        await hour(world, world.worker())

        assert len(world.targets.attempts) <= (MAILS + 1) * len(NAMES), life.last_call
        if not life.is_over():
            return
