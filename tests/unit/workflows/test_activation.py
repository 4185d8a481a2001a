"""Which mail is handed to whom, and what becomes of mail that activates nothing."""

from datetime import timedelta

from shared.domain.delivery import State
from shared.domain.outcome import Rejected, TooLarge, Unavailable
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
