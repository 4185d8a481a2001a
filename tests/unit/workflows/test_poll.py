from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.delivery import State
from shared.domain.mail import mail_from_graph
from shared.ports import Page
from tests.builders import NOW, graph_message, row
from tests.unit.workflows.world import LIMITS, World


async def test_new_mail_is_claimed_and_queued() -> None:
    """One delivery and one message a mail; the mail travels with it, and stays untouched."""
    world = World()
    ids = world.deliver_many(3)

    await world.worker().poll()

    envelopes = world.emails.take()
    assert [one.mail_id for one in world.deliveries()] == ids
    assert {one.state for one in world.deliveries()} == {State.CLAIMED}
    assert [one.mail["id"] for one in envelopes if one.mail] == ids
    assert len({one.traceparent for one in envelopes}) == 3
    assert world.mailboxes.operations == []


async def test_the_envelope_holds_the_mail_as_targets_see_it() -> None:
    """So that it need not be fetched again."""
    world = World()
    world.deliver(1, subject=None)

    await world.worker().poll()

    [envelope] = world.emails.take()
    assert envelope.mail == mail_from_graph(graph_message(1, subject=None))


async def test_mail_is_claimed_once() -> None:
    """However often it is listed, by whichever worker."""
    world = World()
    world.deliver_many(3)

    for _ in range(3):
        await world.worker().poll()
        world.later(minutes=1)

    assert len(world.emails.take()) == 3


async def test_a_poll_takes_one_request_when_all_fits_on_a_page() -> None:
    """A well-known folder needs no look-up; the first poll needs no sweep."""
    world = World()
    world.deliver_many(9)

    await world.worker().poll()
    world.later(minutes=1)
    world.mailboxes.asked.clear()
    world.deliver(20, world.clock.now())
    await world.worker().poll()

    assert world.mailboxes.asked == {"list_messages": 1}
    assert len(world.emails.take()) == 10


async def test_a_backlog_is_read_page_by_page() -> None:
    """Oldest first, each page once: no more requests than there are pages."""
    world = World()
    ids = world.deliver_many(35)

    await world.worker().poll()

    assert [one.mail["id"] for one in world.emails.take() if one.mail] == ids
    # a page starts with the last mail of the one before it
    assert world.mailboxes.asked["list_messages"] == 4


async def test_a_backlog_that_is_read_is_not_listed_again() -> None:
    """The next poll starts at the watermark, though all that mail is still unread."""
    world = World()
    world.deliver_many(35)
    await world.worker().poll()
    world.later(minutes=1)
    world.mailboxes.asked.clear()

    await world.worker().poll()

    assert world.mailboxes.asked == {"list_messages": 1}
    assert world.state().watermark == world.deliveries()[-1].received_at


async def test_a_backlog_goes_on_where_time_was_up() -> None:
    """The page at hand is finished; what is left is for the next poll, at once."""
    world = World()
    world.deliver_many(25)

    unfinished = await world.worker().poll(until=world.clock.now())
    first = len(world.ledger.rows)
    finished = not await world.worker().poll()

    assert (unfinished, first, finished) == (True, 10, True)
    assert len(world.ledger.rows) == 25
    assert world.state().next_poll_at == NOW + timedelta(seconds=30)


@pytest.mark.parametrize("amount", [10, 11, 35])
async def test_a_page_full_of_one_second(amount: int) -> None:
    """A mailing comes in within a second: times do not lead on, the next link does."""
    world = World()
    ids = world.deliver_many(amount, step=timedelta(0))
    ids.append(world.deliver(99, NOW))

    await world.worker().poll()

    assert sorted(one.mail_id for one in world.deliveries()) == sorted(ids)


async def test_mail_of_one_second_is_not_passed_over_while_it_is_acted_upon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More of it than a page: what is marked read meanwhile shifts the rest to the front."""
    world = World()
    worker = world.worker()
    ids = world.deliver_many(25, step=timedelta(0))
    ids.append(world.deliver(30, NOW - timedelta(minutes=1)))
    list_messages = world.mailboxes.list_messages

    async def slow(*arguments: Any) -> Page:
        await world.work(worker)
        return await list_messages(*arguments)

    monkeypatch.setattr(world.mailboxes, "list_messages", slow)
    await worker.poll()

    assert sorted(one.mail_id for one in world.deliveries()) == sorted(ids)


async def test_the_smallest_page_gets_to_the_end() -> None:
    """One mail a page is slow, and still complete."""
    world = World()
    world.deliver_many(5)

    await world.worker().poll(limits=replace(LIMITS, page_size=1))

    assert len(world.ledger.rows) == 5


async def test_an_empty_page_with_a_next_link_goes_on() -> None:
    """Graph gives such pages now and then; they are not the end."""
    world = World()
    world.mailboxes.empty_page_first = True
    world.deliver_many(3)

    await world.worker().poll()

    assert len(world.ledger.rows) == 3


async def test_late_arrivals_behind_the_watermark_are_found_by_the_sweep() -> None:
    """Mail that was moved into the folder has the time of its receipt, not of the move."""
    world = World()
    world.deliver(1, NOW)
    await world.worker().poll()
    late = world.deliver(2, NOW - timedelta(days=3))

    world.later(minutes=14)
    await world.worker().poll()
    before = len(world.ledger.rows)
    world.later(minutes=2)
    await world.worker().poll()

    assert before == 1
    assert world.delivery_of(late).state is State.CLAIMED
    assert late in [one.mail["id"] for one in world.emails.take() if one.mail]


async def test_a_sweep_that_finds_nothing_takes_one_more_request() -> None:
    """Ids only, up to a thousand in one answer; no mail is fetched. The inbox needs no look-up."""
    world = World()
    world.deliver_many(35)
    await world.worker().poll()
    world.later(minutes=16)
    world.mailboxes.asked.clear()

    await world.worker().poll()

    assert world.mailboxes.asked == {"list_messages": 2, "find_folder": 1}
    assert world.state().swept_at == world.clock.now()


async def test_mail_dated_in_the_future_hides_no_other() -> None:
    """Imported mail can have any time; what comes after it is still seen at once."""
    world = World()
    world.deliver(1, NOW + timedelta(days=365))
    await world.worker().poll()
    world.later(minutes=1)
    world.deliver(2, world.clock.now())

    await world.worker().poll()

    assert len(world.ledger.rows) == 2


async def test_one_odd_mail_does_not_stop_the_others() -> None:
    """Without subject, sender, body or time it is a mail all the same."""
    world = World()
    odd = {"id": "odd", "isRead": False, "attachments": [{}], "internetMessageHeaders": [{}]}
    world.mailbox.deliver(odd)
    world.deliver_many(2)

    await world.worker().poll()

    assert len(world.ledger.rows) == 3
    assert world.state().error == ""


async def test_a_folder_that_was_purged_and_recreated_is_found_again() -> None:
    """Within the poll that misses it."""
    world = World(row(folder="Inquiries/Tech"))
    world.mailbox.deliver(graph_message(1), "Inquiries/Tech")
    await world.worker().poll()
    world.mailbox.purge_folder("Inquiries/Tech")
    world.mailbox.deliver(graph_message(2, NOW + timedelta(minutes=1)), "Inquiries/Tech")
    world.later(minutes=1)

    await world.worker().poll()

    assert len(world.ledger.rows) == 2
    assert world.state().error == ""


async def test_a_folder_that_was_deleted_and_recreated_is_found_by_the_sweep() -> None:
    """Below Deleted Items it keeps its id and can be listed; but the path decides."""
    world = World(row(folder="Inquiries/Tech"))
    world.mailbox.deliver(graph_message(1), "Inquiries/Tech")
    await world.worker().poll()
    world.mailbox.delete_folder("Inquiries/Tech")
    world.mailbox.deliver(graph_message(2, NOW + timedelta(minutes=1)), "Inquiries/Tech")
    world.later(minutes=16)

    await world.worker().poll()

    assert len(world.ledger.rows) == 2
    assert world.state().error == ""


async def test_subscriptions_that_share_a_source_share_its_requests() -> None:
    """One poll for both; each delivery is for both."""
    world = World(row("a"), row("b", targetUrl="https://other.example/"))
    world.deliver(1)

    await world.worker().poll()

    assert world.deliveries()[0].subscriptions == ("team/a", "team/b")
    assert world.mailboxes.asked["list_messages"] == 1
    assert world.state().subscriptions == ("team/a", "team/b")


async def test_two_sources_of_one_mailbox_have_deliveries_of_their_own() -> None:
    """What one has handled is not handled for the other."""
    world = World(row("a"), row("b", onlyUnread=False))
    world.deliver(1)
    worker = world.worker()

    await worker.poll(0)
    await worker.poll(1)

    assert {one.subscriptions for one in world.deliveries()} == {("team/a",), ("team/b",)}
