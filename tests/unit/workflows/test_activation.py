"""Which mail is handed to whom, and what becomes of mail that activates nothing."""

import asyncio
from datetime import timedelta

import pytest

from shared.domain.delivery import State
from shared.domain.outcome import Answer, Rejected, TooLarge, Unavailable
from shared.domain.target import Target, TargetMessage
from tests.builders import row
from tests.unit.workflows.world import World

ORDERS = row("orders", activationCondition='contains(subject, "Order")')
INVOICES = row(
    "invoices",
    activationCondition='contains(subject, "Invoice")',
    targetUrl="https://other.example/",
)


async def test_mail_that_activates_nothing_stays_as_it_is() -> None:
    """Its delivery ends as unmatched, and says why."""
    world = World(ORDERS)
    mail = world.deliver(1, subject="Hello")

    await world.poll_and_work()

    assert world.targets.attempts == []
    assert not world.mailbox.is_read(mail)
    assert world.delivery_of(mail).state is State.UNMATCHED
    assert world.delivery_of(mail).reason == "team/orders: activationCondition gave false"


async def test_unmatched_mail_is_post_processed_where_that_is_asked_for() -> None:
    """Without being delivered to anybody."""
    world = World({**ORDERS, "consumeUnmatchedEvents": True})
    mail = world.deliver(1, subject="Hello")

    await world.poll_and_work()

    assert world.targets.attempts == []
    assert world.mailbox.is_read(mail)
    assert world.delivery_of(mail).state is State.UNMATCHED
    assert "post-processed all the same" in world.delivery_of(mail).reason


async def test_each_mail_goes_to_those_that_it_activates() -> None:
    """And is post-processed when these have accepted it."""
    world = World(ORDERS, INVOICES)
    order = world.deliver(1, subject="Order 4711")
    both = world.deliver(2, subject="Invoice of Order 4711")

    await world.poll_and_work()

    assert world.targets.accepted_by("team/orders") == [order, both]
    assert world.targets.accepted_by("team/invoices") == [both]
    assert {world.delivery_of(mail).state for mail in (order, both)} == {State.DONE}


async def test_those_that_a_mail_does_not_activate_keep_nobody_waiting() -> None:
    """Also when another one's target is away for a while."""
    world = World(ORDERS, INVOICES)
    mail = world.deliver(1, subject="Order 4711")
    world.targets.fail_next(Unavailable("answered 503"))

    await world.poll_and_work()
    waiting = world.delivery_of(mail).state
    world.later(minutes=1)
    await world.work()

    assert waiting is State.CLAIMED
    assert world.delivery_of(mail).state is State.DONE


async def test_an_expression_that_fails_makes_a_dead_letter_of_that_mail_alone() -> None:
    """The reason names subscription and column; the other subscription has the mail."""
    world = World(row("keyed", correlationKeyExpression='extract(subject, "[0-9]+")[1]'), ORDERS)
    bad = world.deliver(1, subject="Order without a number")
    good = world.deliver(2, subject="Order 4711")

    await world.poll_and_work()

    assert world.delivery_of(bad).state is State.DEAD
    assert world.delivery_of(bad).reason.startswith(
        "team/keyed: correlationKeyExpression: gave null"
    )
    assert world.targets.accepted_by("team/orders") == [bad, good]
    assert world.delivery_of(good).state is State.DONE


async def test_a_disabled_subscription_keeps_the_mail_until_it_can_judge() -> None:
    """What activates nobody else may yet activate it."""
    world = World(ORDERS, INVOICES)
    mail = world.deliver(1, subject="Invoice 12")
    await world.worker().poll()
    world.table.write({**INVOICES, "enabled": False})

    await world.work()
    waiting = world.delivery_of(mail).state
    world.table.write(INVOICES)
    world.later(minutes=2)
    await world.work()

    assert waiting is State.CLAIMED
    assert world.targets.accepted_by("team/invoices") == [mail]
    assert world.delivery_of(mail).state is State.DONE


async def test_a_rejection_by_one_does_not_hide_that_others_had_no_part() -> None:
    """The mail is dead with the one reason."""
    world = World(ORDERS, INVOICES)
    mail = world.deliver(1, subject="Order 4711")
    world.targets.fail_next(Rejected("answered 422"))

    await world.poll_and_work()

    assert world.delivery_of(mail).state is State.DEAD
    assert world.delivery_of(mail).reason == "team/orders: answered 422"


async def test_every_attempt_carries_what_the_first_one_did() -> None:
    """Expressions take the time of the claim for now."""
    world = World(row("timed", messageIdExpression="string(now())"))
    world.deliver(1)
    world.targets.fail_next(Unavailable("answered 503"), after_accepting=True)

    await world.poll_and_work()
    world.clock.advance(timedelta(minutes=1))
    await world.work()

    assert len(set(world.targets.attempts)) == 1
    assert len(world.targets.attempts) == 2


async def test_a_storage_that_fails_one_subscription_leaves_the_others_acceptance() -> None:
    """Its target is not asked a second time."""
    large = row("large", offloadBody=True)
    world = World(large, ORDERS)
    mail = world.deliver(1, subject="Order 4711")
    world.targets.fail_next(TooLarge("answered 413"), "team/large", times=2)
    world.documents.failing.add("store")

    await world.poll_and_work()
    first = len(world.targets.attempts)
    world.documents.failing.clear()
    world.later(minutes=1)
    await world.work()

    assert world.delivery_of(mail).state is State.DONE
    assert first == 2
    assert world.targets.attempts[first:] == [world.targets.attempts[0]] * 2
    assert world.targets.accepted[world.targets.attempts[0]].variables["email"]["body"] == ""


async def test_one_subscription_that_makes_us_fail_leaves_the_others_acceptance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is tried again like an outage; the other's target is not asked a second time."""
    world = World(ORDERS, row("all"))
    mail = world.deliver(1, subject="Order 4711")
    deliver = world.targets.deliver

    async def fail(target: Target, message: TargetMessage) -> Answer:
        if message.subscription == "team/orders":
            raise TypeError(message.message_id)
        return await deliver(target, message)

    monkeypatch.setattr(world.targets, "deliver", fail)
    await world.poll_and_work()
    await world.work()

    assert world.delivery_of(mail).accepted_by == ("team/all",)
    assert "the connector itself failed (TypeError)" in world.delivery_of(mail).reason
    assert len(world.targets.attempts) == 1


async def test_what_goes_without_its_body_keeps_identity_and_key() -> None:
    """They may have been made of the body."""
    world = World(
        row(
            "large",
            offloadBody=True,
            messageIdExpression='extract(body, "[0-9]+")[1]',
            correlationKeyExpression='if contains(body, "4711") then "A" else "B"',
            resultExpression='{number: extract(body, "[0-9]+")[1], mail: response, text: body}',
        )
    )
    world.deliver(1, body={"contentType": "text", "content": "Order 4711"})
    world.targets.fail_next(TooLarge("answered 413"))

    await world.poll_and_work()

    [message] = world.targets.accepted.values()
    assert (message.message_id, message.correlation_key) == ("4711", "A")
    assert message.variables["number"] == "4711"
    assert (message.variables["mail"]["body"], message.variables["text"]) == ("", "")
    assert message.variables["mail"]["bodyDocument"]["size"] == len("Order 4711")


async def test_expressions_over_a_large_mail_leave_the_loop_to_others() -> None:
    """A sender decides how long they take."""
    world = World(row("slow", activationCondition='matches(body, "(a+)+b")'))
    world.deliver(1, body={"contentType": "text", "content": "a" * 400_000})
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    worker = world.worker()
    await worker.poll()
    async with asyncio.TaskGroup() as group:
        other = group.create_task(others())
        await world.work(worker)
        other.cancel()

    assert turns > 3
