import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.delivery import Delivery, DeliveryKey, State
from shared.domain.errors import DeliveryNotFound
from shared.domain.odata import BEGINNING
from shared.ports import Ledger
from tests.contract.storage.deliveries import NOW, delivery, page
from tests.contract.storage.worlds import World

SECOND = timedelta(seconds=1)


async def everything_overdue(ledger: Ledger, before: datetime) -> set[str]:
    return {one.key.mail async for one in ledger.overdue(before)}


async def test_what_is_claimed_can_be_read_as_it_was(world: World) -> None:
    ledger = world.ledger()
    claimed = delivery("key")

    assert await ledger.claim([claimed]) == [claimed]
    assert await ledger.read(claimed.key) == claimed


async def test_an_unknown_delivery_is_none(world: World) -> None:
    assert await world.ledger().read(DeliveryKey("nobody", "nothing")) is None


async def test_a_claim_gives_what_is_new_in_order(world: World) -> None:
    ledger = world.ledger()
    mails = page(8)
    await ledger.claim([mails[6], mails[1]])

    assert await ledger.claim(mails) == [mails[one] for one in (0, 2, 3, 4, 5, 7)]


async def test_a_claim_of_nothing_gives_nothing(world: World) -> None:
    assert await world.ledger().claim([]) == []


async def test_a_claim_that_is_repeated_gives_nothing_and_changes_nothing(world: World) -> None:
    ledger = world.ledger()
    done = delivery("key").ended(State.DONE, NOW)
    await ledger.claim([delivery("key")])
    await ledger.save(done)

    assert await ledger.claim([delivery("key")]) == []
    assert await ledger.read(done.key) == done


async def test_a_mail_that_is_listed_twice_is_claimed_once(world: World) -> None:
    ledger = world.ledger()
    one, other = page(2)

    assert await ledger.claim([one, other, one]) == [one, other]


async def test_more_than_a_hundred_are_claimed_and_read(world: World) -> None:
    ledger = world.ledger()
    mails = page(250)
    await ledger.claim(mails[::50])
    new = [mail for number, mail in enumerate(mails) if number % 50]

    assert await ledger.claim(mails) == new
    assert await asyncio.gather(*(ledger.read(mail.key) for mail in mails)) == mails


async def test_keys_that_do_not_lie_together_are_found(world: World) -> None:
    ledger = world.ledger()
    scattered = [delivery(f"{number * 7919 % 1000:03}{'x' * 20}") for number in range(40)]
    await ledger.claim(scattered[:20])

    assert await ledger.claim(scattered) == scattered[20:]
    read = await asyncio.gather(*(ledger.read(one.key) for one in scattered))
    assert read == scattered


async def test_workers_that_claim_the_same_mails_at_once_get_each_once(world: World) -> None:
    mails = page(60)
    shuffled = [mails, mails[::-1], mails[30:] + mails[:30], mails[10:50]]
    claims = await asyncio.gather(*(world.ledger().claim(some) for some in shuffled))
    claimed = [one.key.mail for claim in claims for one in claim]

    assert sorted(claimed) == [mail.key.mail for mail in mails]


async def test_sources_have_the_same_mail_apart(world: World) -> None:
    ledger = world.ledger()
    one, other = delivery("key", "one"), delivery("key", "other")
    await ledger.claim([one])

    assert await ledger.claim([other]) == [other]
    assert await ledger.read(one.key) == one


@pytest.mark.parametrize("odd", ["it's", "a b", "100%", "ü-ñ-語-🎉", "a+b=c&d", "(x),;:@$!*~"])
async def test_odd_characters_in_keys_and_texts_are_kept(world: World, odd: str) -> None:
    ledger = world.ledger()
    claimed = replace(delivery(odd, f"manual-{odd}"), mail_id=odd, subscriptions=(f"{odd}/{odd}",))
    neighbour = delivery(f"{odd}2", f"manual-{odd}")
    ended = claimed.ended(State.DEAD, NOW, reason=f"{odd}\nand more")
    await ledger.claim([claimed, neighbour])

    assert await ledger.claim([claimed, neighbour]) == []
    await ledger.save(ended)
    assert await ledger.read(claimed.key) == ended
    assert await ledger.read(neighbour.key) == neighbour
    assert await everything_overdue(ledger, NOW + SECOND) == {neighbour.key.mail}
    assert await ledger.purge(claimed.key.source, NOW + SECOND) == 1


async def test_save_stores_what_changes(world: World) -> None:
    ledger = world.ledger()
    claimed = delivery("key")
    later = NOW + SECOND
    changed = claimed.with_acceptances(["team/one"], later).postponed(later, later, "busy")
    await ledger.claim([claimed])
    await ledger.save(replace(changed, mail_id="never changes"))

    assert await world.ledger().read(claimed.key) == changed


async def test_saves_of_one_delivery_at_once_leave_the_last(world: World) -> None:
    ledger = world.ledger()
    claimed = delivery("key")
    await ledger.claim([claimed])
    saves = [replace(claimed, attempts=number) for number in range(30)]
    await asyncio.gather(*(ledger.save(one) for one in saves))

    assert await ledger.read(claimed.key) == saves[-1]


async def test_many_saves_at_once_are_all_stored(world: World) -> None:
    ledger = world.ledger()
    mails = page(130)
    await ledger.claim(mails)
    ended = [mail.ended(State.DONE, NOW) for mail in mails]
    await asyncio.gather(*(ledger.save(one) for one in ended))

    assert await asyncio.gather(*(ledger.read(mail.key) for mail in mails)) == ended


async def test_a_save_of_an_unknown_delivery_fails_alone(world: World) -> None:
    ledger = world.ledger()
    known = page(5)
    await ledger.claim(known)
    ended = [mail.ended(State.DONE, NOW) for mail in known]
    unknown = delivery("6966f10b-none")
    results = await asyncio.gather(
        *(ledger.save(one) for one in [*ended[:2], unknown, *ended[2:]]), return_exceptions=True
    )

    assert [result for number, result in enumerate(results) if number != 2] == [None] * 5
    assert isinstance(results[2], DeliveryNotFound)
    assert await asyncio.gather(*(ledger.read(mail.key) for mail in known)) == ended
    assert await ledger.read(unknown.key) is None


async def test_a_long_reason_is_cut(world: World) -> None:
    ledger = world.ledger()
    await ledger.claim([delivery("key")])
    await ledger.save(delivery("key").ended(State.DEAD, NOW, "語" * 70_000))
    dead = await ledger.read(DeliveryKey("source", "key"))

    assert dead is not None
    assert dead.reason == "語" * 1000


async def test_a_mail_without_a_usable_time_does_not_stop_the_others(world: World) -> None:
    """Graph gives the year 1 for a time that it does not have."""
    ledger = world.ledger()
    timeless = replace(delivery("timeless"), received_at=datetime.min.replace(tzinfo=UTC))
    await ledger.claim([replace(delivery("old"), received_at=BEGINNING), timeless, delivery("key")])
    old = await ledger.read(DeliveryKey("source", "old"))

    assert old is not None
    assert old.received_at == BEGINNING
    assert await ledger.read(timeless.key) is not None
    assert await ledger.read(DeliveryKey("source", "key")) is not None


async def test_overdue_are_open_deliveries_of_all_sources_due_before_a_time(world: World) -> None:
    ledger = world.ledger()
    due: list[Delivery] = [
        delivery("due", "one", due_at=NOW - SECOND),
        delivery("accepted", "two", due_at=NOW - SECOND),
        delivery("now", "one", due_at=NOW),
        delivery("done", "one", due_at=NOW - SECOND),
    ]
    for one in due:
        await ledger.claim([one])
    await ledger.save(replace(due[1], state=State.ACCEPTED))
    await ledger.save(replace(due[3], state=State.DONE))

    assert await everything_overdue(ledger, NOW) == {"due", "accepted"}


async def test_overdue_deliveries_are_whole_and_may_change_while_they_are_read(
    world: World,
) -> None:
    ledger = world.ledger()
    mails = page(120)
    await ledger.claim(mails)
    seen = []
    async for one in ledger.overdue(NOW + SECOND):
        seen.append(one)
        await ledger.save(replace(one, due_at=NOW + SECOND))

    assert sorted(seen, key=lambda one: one.key.mail) == mails
    assert await everything_overdue(ledger, NOW + SECOND) == set()


async def test_nothing_is_overdue_in_an_empty_ledger(world: World) -> None:
    assert await everything_overdue(world.ledger(), NOW) == set()


async def test_purge_forgets_what_ended_before_a_time_in_one_source(world: World) -> None:
    ledger = world.ledger()
    states = {"done": State.DONE, "dead": State.DEAD, "unmatched": State.UNMATCHED}
    ended = [delivery(name).ended(state, NOW - SECOND) for name, state in states.items()]
    recent, other = delivery("recent").ended(State.DONE, NOW), delivery("done", "other")
    waiting = replace(delivery("open"), updated_at=NOW - SECOND)
    await ledger.claim([*ended, recent, waiting])
    await ledger.claim([other.ended(State.DONE, NOW - SECOND)])

    assert await ledger.purge("source", NOW) == 3
    assert [await ledger.read(one.key) for one in ended] == [None, None, None]
    assert await ledger.read(recent.key) == recent
    assert await ledger.read(waiting.key) == waiting
    assert await ledger.read(other.key) is not None


async def test_purge_takes_hundreds_and_may_find_nothing(world: World) -> None:
    ledger = world.ledger()
    await ledger.claim([mail.ended(State.DONE, NOW) for mail in page(230)])

    assert await ledger.purge("source", NOW + SECOND) == 230
    assert await ledger.purge("source", NOW + SECOND) == 0


async def test_a_mail_that_was_forgotten_can_be_claimed_again(world: World) -> None:
    ledger = world.ledger()
    await ledger.claim([delivery("key").ended(State.DONE, NOW)])
    await ledger.purge("source", NOW + SECOND)

    assert await ledger.claim([delivery("key")]) == [delivery("key")]


@pytest.mark.parametrize(
    ("states", "source", "found"),
    [
        ((), "", {"dead", "done", "open", "other"}),
        ((State.DEAD,), "", {"dead", "other"}),
        ((State.DEAD, State.DONE), "source", {"dead", "done"}),
        ((), "it's another", {"other"}),
        ((State.DISCARDED,), "", set()),
    ],
)
async def test_deliveries_are_found_by_state_and_source(
    world: World, states: tuple[State, ...], source: str, found: set[str]
) -> None:
    """All of both where not told otherwise; each is whole."""
    ledger = world.ledger()
    claimed = [
        delivery("dead").ended(State.DEAD, NOW, "rejected"),
        delivery("done").ended(State.DONE, NOW),
        delivery("open"),
        delivery("other", "it's another").ended(State.DEAD, NOW, "rejected"),
    ]
    for one in claimed:
        await ledger.claim([one])
    deliveries = [one async for one in ledger.find(states, source)]

    assert {one.key.mail for one in deliveries} == found
    assert all(one in claimed for one in deliveries)


async def test_a_discarded_delivery_is_at_its_end(world: World) -> None:
    """It is never overdue, and is forgotten with the others."""
    ledger = world.ledger()
    await ledger.claim([delivery("key").ended(State.DISCARDED, NOW - SECOND, "by an operator")])

    assert await everything_overdue(ledger, NOW + SECOND) == set()
    assert await ledger.purge("source", NOW) == 1
