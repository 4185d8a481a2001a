from datetime import timedelta

from shared.domain.delivery import State
from shared.domain.outcome import Unavailable
from shared.workflows.attempt import PAUSED_DELAY
from tests.builders import row
from tests.unit.workflows.world import World

A, B = row("a"), row("b", targetUrl="https://other.example/")


async def polled(*rows: dict[str, object]) -> tuple[World, str]:
    """A world in which one mail was claimed and waits in the queue."""
    world = World(*rows)
    mail = world.deliver(1)
    await world.worker().poll()
    return world, mail


async def test_mail_of_a_disabled_subscription_waits() -> None:
    """It is delivered when the subscription is enabled again; waiting is no attempt."""
    world, mail = await polled(A)
    world.table.write({**A, "enabled": False})

    await world.work()
    waiting = world.delivery_of(mail)
    world.table.write(A)
    world.clock.advance(PAUSED_DELAY)
    await world.work()

    assert waiting.state is State.CLAIMED
    assert waiting.reason == "team/a: disabled, invalid or removed"
    assert world.delivery_of(mail).state is State.DONE
    assert len(world.targets.attempts) == 1


async def test_mail_of_a_subscription_that_became_invalid_waits() -> None:
    """A typing error in a row loses nothing."""
    world, mail = await polled(A)
    world.table.write({**A, "postProcess": "mvoe"})

    await world.work()
    world.table.write(A)
    world.clock.advance(PAUSED_DELAY)
    await world.work()

    assert world.delivery_of(mail).state is State.DONE


async def test_waiting_for_a_person_is_not_trying() -> None:
    """However long it takes, the target has its full time afterwards."""
    world, mail = await polled(A)
    world.targets.fail_next(Unavailable("answered 503"), times=2)
    await world.work()
    world.table.write({**A, "enabled": False})
    for _ in range(3):
        world.later(hours=20)
        await world.work()
    world.table.write(A)

    world.later(hours=1)
    await world.work()

    assert world.delivery_of(mail).state is State.CLAIMED
    assert world.delivery_of(mail).reason == "team/a: answered 503"


async def test_mail_of_a_removed_subscription_is_dead_with_a_reason() -> None:
    """After a day, for the row may be on its way back; the mail stays in the mailbox."""
    world, mail = await polled(A)
    world.table.by_name.clear()

    await world.work()
    meanwhile = world.delivery_of(mail).state
    world.later(days=1)
    await world.work()

    assert meanwhile is State.CLAIMED
    assert world.delivery_of(mail).state is State.DEAD
    assert world.delivery_of(mail).reason == "team/a: the subscription was removed"
    assert world.targets.attempts == []
    assert not world.mailbox.is_read(mail)


async def test_a_row_that_is_back_in_time_gets_its_mail() -> None:
    """Tools that change a row may delete it and write it anew."""
    world, mail = await polled(A)
    world.table.by_name.clear()
    await world.work()

    world.table.write(A)
    world.later(minutes=1)
    await world.work()

    assert world.delivery_of(mail).state is State.DONE


async def test_a_removed_subscription_does_not_take_the_mail_from_the_others() -> None:
    """The rest get it at once; it is done when the row has been away for a day."""
    world, mail = await polled(A, B)
    del world.table.by_name["team/a"]

    await world.work()
    at_once = world.targets.accepted_by("team/b")
    world.later(days=1)
    await world.work()

    assert at_once == world.targets.accepted_by("team/b") == [mail]
    assert world.delivery_of(mail).state is State.DONE
    assert world.mailbox.is_read(mail)


async def test_a_disabled_subscription_does_not_keep_the_mail_from_the_others() -> None:
    """They get it at once; the mail is post-processed when all have it."""
    world, mail = await polled(A, B)
    world.table.write({**A, "enabled": False})

    await world.work()
    meanwhile, untouched = world.delivery_of(mail), not world.mailbox.is_read(mail)
    world.table.write(A)
    world.clock.advance(PAUSED_DELAY)
    await world.work()

    assert (meanwhile.state, meanwhile.accepted_by) == (State.CLAIMED, ("team/b",))
    assert meanwhile.reason == "team/a: disabled, invalid or removed"
    assert untouched
    assert world.delivery_of(mail).state is State.DONE
    assert len(world.targets.attempts) == 2


async def test_a_rejection_waits_for_a_paused_subscription() -> None:
    """The mail is not dead while somebody may still take it."""
    world, mail = await polled(A, B)
    world.table.write({**A, "enabled": False})
    world.targets.reject("team/b")

    await world.work()
    meanwhile = world.delivery_of(mail).state
    world.table.write(A)
    world.clock.advance(PAUSED_DELAY)
    await world.work()

    assert meanwhile is State.CLAIMED
    assert world.targets.accepted_by("team/a") == [mail]
    assert world.delivery_of(mail).state is State.DEAD


async def test_an_outage_of_one_is_tried_again_while_another_is_paused() -> None:
    """With its own growing delay."""
    world, mail = await polled(A, B)
    world.table.write({**A, "enabled": False})
    world.targets.fail_next(Unavailable("answered 503"), "team/b")

    await world.work()
    first = world.delivery_of(mail)
    world.later(seconds=5)
    await world.work()

    assert first.due_at == world.clock.now()
    assert world.delivery_of(mail).accepted_by == ("team/b",)
    assert world.delivery_of(mail).due_at == world.clock.now() + PAUSED_DELAY


async def test_mail_that_all_have_accepted_waits_for_nobody() -> None:
    """Removing or disabling one of two subscriptions does not keep it from its end."""
    world, mail = await polled(A, B)
    world.targets.fail_next(Unavailable("answered 503"), "team/b")
    await world.work()
    del world.table.by_name["team/b"]
    world.later(days=1)

    await world.work()

    assert world.delivery_of(mail).accepted_by == ("team/a",)
    assert world.delivery_of(mail).state is State.DONE


async def test_each_subscription_has_its_own_patience() -> None:
    """The impatient one is not tried for longer than it wants if all others have the mail."""
    world, mail = await polled({**A, "retry": "PT0S"}, B)
    world.targets.fail_next(Unavailable("answered 503"), "team/a")

    await world.work()

    assert world.delivery_of(mail).state is State.DEAD
    assert world.delivery_of(mail).accepted_by == ("team/b",)
    assert timedelta(0) == world.clock.now() - world.delivery_of(mail).updated_at
