from datetime import timedelta

import pytest

from shared.domain.delivery import DeliveryKey, State
from shared.ports import SubscriptionStatus
from shared.workflows.apply import NotThere
from shared.workflows.deliveries import (
    Selection,
    by_key,
    count,
    key_text,
    newest,
    read_key,
    sources_of,
    waiting,
)
from tests.builders import NOW, delivery
from tests.fakes.ledger import FakeLedger
from tests.unit.workflows.world import World

HOUR = timedelta(hours=1)


async def ledger_with_five() -> FakeLedger:
    ledger = FakeLedger()
    await ledger.claim(
        [
            delivery(1, State.DEAD, at=NOW),
            delivery(2, State.DONE, at=NOW + HOUR),
            delivery(3, State.DEAD, "another", at=NOW + 2 * HOUR),
            delivery(4, at=NOW - HOUR, subscriptions=("team/tickets", "team/other")),
            delivery(5, State.ACCEPTED, at=NOW, accepted_by=("team/tickets",)),
        ]
    )
    return ledger


async def numbers(selection: Selection, limit: int = 10) -> list[str]:
    found = await newest(await ledger_with_five(), selection, limit)
    return [one.mail_id for one in found]


async def test_the_newest_mail_comes_first() -> None:
    """No more than asked for, of all sources."""
    assert await numbers(Selection(), 2) == ["AAMk-3=", "AAMk-2="]


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(states=[State.DEAD]), ["AAMk-3=", "AAMk-1="]),
        (Selection(states=[State.DEAD], source="another"), ["AAMk-3="]),
        (Selection(subscription="team/other"), ["AAMk-4="]),
        (Selection(subscription="nobody"), []),
    ],
)
async def test_a_selection_takes_what_meets_all_of_it(
    selection: Selection, found: list[str]
) -> None:
    """What is empty does not count."""
    assert await numbers(selection) == found


async def test_deliveries_are_counted_by_state() -> None:
    """States of none as well, but those that are not asked for."""
    ledger = await ledger_with_five()

    assert await count(ledger, Selection()) == {
        State.CLAIMED: 1,
        State.ACCEPTED: 1,
        State.DONE: 1,
        State.UNMATCHED: 0,
        State.DEAD: 2,
        State.DISCARDED: 0,
    }
    assert await count(ledger, Selection(states=[State.DEAD])) == {State.DEAD: 2}


async def test_those_that_wait_are_counted_by_subscription() -> None:
    """Who has accepted waits for nothing more."""
    assert await waiting(await ledger_with_five()) == {"team/tickets": 1, "team/other": 1}


async def test_a_delivery_is_found_by_the_key_that_is_shown() -> None:
    """And only by a whole one."""
    ledger = await ledger_with_five()
    key = DeliveryKey("another", delivery(3, at=NOW + 2 * HOUR).key.mail)

    assert (await by_key(ledger, key_text(key))).mail_id == "AAMk-3="
    with pytest.raises(NotThere, match="there is no delivery"):
        await by_key(ledger, "another/unknown")


@pytest.mark.parametrize("text", ["", "key", "/key", "source/", "a/b/c"])
def test_a_text_that_is_no_key_is_told(text: str) -> None:
    """With the form of keys."""
    with pytest.raises(NotThere, match="SOURCE/MAIL"):
        read_key(text)


async def test_a_subscriptions_mail_is_that_of_all_sources_that_fed_it() -> None:
    """The current one first, then the one that is reported, then those before them."""
    world = World()
    await world.states.write(await world.states.read("now"))
    state = await world.states.read("now")
    world.states.states["now"] = type(state)(id="now", predecessors=("before", "then"))
    await world.table.report([SubscriptionStatus("team/tickets", "ok", "then")], [], NOW)

    assert await sources_of("team/tickets", "now", world.ports()) == ("now", "then", "before")
    assert await sources_of("team/unknown", "", world.ports()) == ()
