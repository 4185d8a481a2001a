"""Mail becomes processes on a real engine, as the documentation of Camunda's connector has it."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from localdev.engine import Engine
from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world

MAILBOX = "orders@contoso.example"

pytestmark = pytest.mark.usefixtures("no_jobs")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A stack of its own: subscriptions of one test see no mail of another."""
    async with new_world(tmp_path) as fresh:
        yield fresh


async def subscribe(world: World, engine: Engine, **columns: Any) -> None:
    """A subscription whose target is the engine."""
    defaults = {
        "userId": MAILBOX,
        "postProcess": "markAsRead",
        "target": "camunda",
        "targetUrl": engine.url,
        "pollingInterval": "PT10S",
    }
    if "targetMode" not in columns:
        # the engine remembers the ids of other tests' mails, which a new simulator gives out anew
        identity = f'"{uuid.uuid4().hex}-" + id'
        defaults |= {"messageName": "mail-received", "messageIdExpression": identity}
    await world.stack.subscribe("sales/orders", **{**defaults, **columns})


async def test_a_mail_starts_a_process_that_knows_it(world: World, engine: Engine) -> None:
    """By a message start event; the condition and the result are those of the documentation."""
    await subscribe(
        world,
        engine,
        activationCondition='=contains(value.subject, "Order")',
        resultVariable="email",
        resultExpression='={orderId: extract(response.subject, "[0-9]+")[1]}',
    )
    order, other = world.deliver(MAILBOX, mail(subject="Order 4711"), mail(2, subject="Newsletter"))

    async with world.app():
        await world.ended(2)

    [job] = await engine.take_jobs("handle-mail", within=5)
    assert job.variables["orderId"] == "4711"
    assert job.variables["email"]["id"] == order
    assert job.variables["email"]["subject"] == "Order 4711"
    assert world.simulator.message(MAILBOX, order).is_read
    assert not world.simulator.message(MAILBOX, other).is_read


async def test_a_mail_that_is_delivered_again_starts_no_second_process(
    world: World, engine: Engine
) -> None:
    """The engine knows the message's identity, also when the ledger was lost."""
    await subscribe(world, engine)
    [known] = world.deliver(MAILBOX, mail(subject="Once"))
    async with world.app():
        await world.ended(1)
    await world.forget("deliveries", "sources")
    world.simulator.message(MAILBOX, known).set_read(is_read=False)

    async with world.app():
        await world.ended(1)

    assert len(await engine.take_jobs("handle-mail", within=5)) == 1


async def test_a_mail_is_correlated_with_the_process_that_waits(
    world: World, engine: Engine
) -> None:
    """By the number in its subject; while nobody waits it is tried again, and nothing is lost."""
    await subscribe(
        world,
        engine,
        targetMode="correlate",
        messageName="reply-received",
        correlationKeyExpression='=extract(value.subject, "T-[0-9]+")[1]',
    )
    world.deliver(MAILBOX, mail(subject="Re: ticket T-815"))

    async with world.app():
        await world.postponed("sales/orders", 1)
        await engine.start("reply-awaited", {"ticket": "T-815"})
        await world.ended(1)

    [job] = await engine.take_jobs("handle-reply", within=5)
    assert job.variables["ticket"] == "T-815"
    assert job.variables["email"]["subject"] == "Re: ticket T-815"


async def test_a_mail_starts_a_process_by_its_id(world: World, engine: Engine) -> None:
    """With its variables."""
    await subscribe(
        world, engine, targetMode="start", processDefinitionId="open-case", messageName=""
    )
    world.deliver(MAILBOX, mail(subject="A case"))

    async with world.app():
        await world.ended(1)

    [job] = await engine.take_jobs("open-case", within=5)
    assert job.variables["email"]["subject"] == "A case"


async def test_a_mail_that_is_too_large_goes_without_its_body(world: World, engine: Engine) -> None:
    """The body is a document then, at an address that is among the variables."""
    await subscribe(world, engine, offloadBody=True)
    world.deliver(MAILBOX, mail(subject="Long", body="x" * 2_000_000))

    async with world.app():
        await world.ended(1)

    [job] = await engine.take_jobs("handle-mail", within=5)
    assert job.variables["email"]["body"] == ""
    assert job.variables["email"]["bodyDocument"]["size"] >= 2_000_000
