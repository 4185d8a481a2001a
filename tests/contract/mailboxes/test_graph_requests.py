"""How many requests Graph's adapter makes, how many at once, and what it does when they fail."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from localdev.graph_simulator import Faults
from shared.adapters.graph import transport
from shared.domain.errors import AnswerTooLarge, MailboxError, MailboxUnavailable
from shared.domain.odata import BEGINNING, listing
from shared.domain.subscription import Folder, Operation
from shared.ports import MailboxAddress
from tests.builders import MAILBOX
from tests.contract.mailboxes.worlds import RECEIVED, Seen, SimulatedWorld, eml

READ = Operation.MARK_AS_READ


async def mark_all(world: SimulatedWorld, ids: Sequence[str]) -> list[str]:
    """Marks mails as read, all at the same time."""
    return await asyncio.gather(*(world.post_process(mail, READ) for mail in ids))


def deliver_many(world: SimulatedWorld, amount: int) -> list[str]:
    """So many mails, a second apart."""
    return [world.deliver(f"mail {n}", RECEIVED + timedelta(seconds=n)) for n in range(amount)]


@pytest.mark.parametrize(("mails", "round_trips"), [(1, 1), (20, 1), (45, 3)])
async def test_operations_share_round_trips(
    simulated: SimulatedWorld, mails: int, round_trips: int
) -> None:
    """Twenty to a batch; one request a mail."""
    ids = deliver_many(simulated, mails)

    await mark_all(simulated, ids)

    metrics = simulated.simulator.metrics
    assert (metrics.round_trips, metrics.batches) == (round_trips, round_trips)
    assert metrics.requests == mails
    assert all(message.is_read for message in simulated.simulator.messages(MAILBOX))


async def test_fetches_share_round_trips(simulated: SimulatedWorld) -> None:
    """Twenty mails by id in one."""
    ids = deliver_many(simulated, 20)

    fetched = await simulated.mailboxes.fetch_messages(simulated.address, ids, "text")

    assert len(fetched) == 20
    assert simulated.simulator.metrics.round_trips == 1


async def test_a_mail_from_list_to_end_costs_little_more_than_one_request(
    simulated: SimulatedWorld,
) -> None:
    """A list of a hundred, then a hundred operations: 1.01 requests and 0.06 round trips a mail."""
    deliver_many(simulated, 100)

    page = await simulated.list("inbox")
    await mark_all(simulated, [message["id"] for message in page.messages])

    metrics = simulated.simulator.metrics
    assert (metrics.requests, metrics.round_trips, metrics.token_requests) == (101, 6, 1)


async def test_marking_and_labelling_are_one_request(simulated: SimulatedWorld) -> None:
    """Both change the mail."""
    mail = simulated.deliver()

    await simulated.post_process(mail, READ, Operation.CATEGORIZE, categories=("handled",))

    assert simulated.look(mail) == Seen("inbox", is_read=True, categories=("handled",))
    assert simulated.simulator.metrics.requests == 1


async def test_a_folder_to_move_to_is_looked_up_once(simulated: SimulatedWorld) -> None:
    """However many mails are moved into it, and made once if it is not there."""
    ids = deliver_many(simulated, 40)
    move = {"move_to": Folder("Done/Now"), "create_folder": True}

    await asyncio.gather(*(simulated.post_process(mail, Operation.MOVE, **move) for mail in ids))

    counted = simulated.simulator.metrics.by_operation
    assert counted["GET childFolders"] <= 4
    assert counted["POST childFolders"] == 2
    assert {simulated.look(mail) for mail in ids} == {Seen("Done/Now")}


async def test_one_mailbox_never_has_more_than_four_requests_at_once(
    simulated: SimulatedWorld,
) -> None:
    """Lists and batches together, in whatever case its address is written; nothing is throttled."""
    simulated.simulator.faults = Faults(latency=0.002)
    ids = deliver_many(simulated, 40)
    query = listing(BEGINNING, "", 10)
    shouted = MailboxAddress(simulated.address.credential, MAILBOX.upper())

    await asyncio.gather(
        mark_all(simulated, ids),
        *(
            simulated.mailboxes.list_messages(address, "inbox", query, "text")
            for address in 6 * [simulated.address, shouted]
        ),
    )

    metrics = simulated.simulator.metrics
    assert metrics.max_concurrency[MAILBOX] <= 4
    assert metrics.throttled == 0


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_of_a_batch_only_what_failed_is_repeated(
    simulated: SimulatedWorld, status: int
) -> None:
    """The outer 200 says nothing of the inner requests."""
    ids = deliver_many(simulated, 5)
    simulated.simulator.fail_next("PATCH message", status)

    notes = await mark_all(simulated, ids)

    assert notes == [""] * 5
    assert simulated.simulator.metrics.by_operation["PATCH message"] == 6
    assert all(message.is_read for message in simulated.simulator.messages(MAILBOX))


@pytest.mark.parametrize("status", [429, 503, "drop"])
async def test_a_batch_that_fails_as_a_whole_is_repeated(
    simulated: SimulatedWorld, status: int | str
) -> None:
    """Also where its connection broke."""
    ids = deliver_many(simulated, 3)
    simulated.simulator.fail_next("POST $batch", status)  # type: ignore[arg-type]

    await mark_all(simulated, ids)

    assert simulated.simulator.metrics.batches == 2
    assert all(message.is_read for message in simulated.simulator.messages(MAILBOX))


@pytest.mark.parametrize(
    ("operation", "request_name"),
    [
        (READ, "PATCH message"),
        (Operation.MOVE, "POST move"),
        (Operation.DELETE, "POST move"),
        (Operation.FORCE_DELETE, "POST permanentDelete"),
    ],
)
async def test_an_operation_whose_answer_is_lost_is_done_once(
    simulated: SimulatedWorld, operation: Operation, request_name: str
) -> None:
    """A repetition does no harm: deleted mail lies in Deleted Items, and not beyond."""
    simulated.create_folder("Done")
    mail = simulated.deliver()
    simulated.simulator.fail_next(request_name, 504, after_effect=True)

    await simulated.post_process(mail, operation, move_to=Folder("Done"))

    assert simulated.simulator.metrics.by_operation[request_name] == 2
    assert (
        simulated.look(mail)
        == {
            READ: Seen("inbox", is_read=True),
            Operation.MOVE: Seen("Done"),
            Operation.DELETE: Seen("deleteditems"),
            Operation.FORCE_DELETE: None,
        }[operation]
    )


@pytest.mark.parametrize("asked", [3, "2.128"])
async def test_a_short_pause_is_waited_out(simulated: SimulatedWorld, asked: float | str) -> None:
    """In place, for as long as Graph asks; then the request is repeated."""
    mail = simulated.deliver()
    simulated.simulator.fail_next("GET messages", 429, retry_after=asked)

    page = await simulated.list("inbox")

    assert [message["id"] for message in page.messages] == [mail]
    assert simulated.hourglass.slept == [pytest.approx(float(asked))]


async def test_a_pause_within_a_batch_is_waited_out(simulated: SimulatedWorld) -> None:
    """The longest that an inner answer asks for."""
    ids = deliver_many(simulated, 3)
    simulated.simulator.fail_next("PATCH message", 429, retry_after=2)
    simulated.simulator.fail_next("PATCH message", 429, retry_after=5)

    await mark_all(simulated, ids)

    assert simulated.hourglass.slept == [pytest.approx(5)]
    assert all(message.is_read for message in simulated.simulator.messages(MAILBOX))


async def test_a_long_pause_sends_callers_away(simulated: SimulatedWorld) -> None:
    """They come back later; nobody asks Graph meanwhile; other mailboxes are not concerned."""
    simulated.simulator.add_mailbox("other@contoso.example")
    other = MailboxAddress(simulated.address.credential, "other@contoso.example")
    simulated.simulator.fail_next("GET messages", 429, retry_after=300)

    with pytest.raises(MailboxUnavailable) as first:
        await simulated.list("inbox")
    simulated.hourglass.time += 100
    with pytest.raises(MailboxUnavailable) as second:
        await simulated.list("inbox")
    await simulated.mailboxes.list_messages(other, "inbox", listing(BEGINNING, "", 1), "text")

    assert (first.value.retry_after, second.value.retry_after) == (300, 200)
    assert simulated.hourglass.slept == []
    assert simulated.simulator.metrics.by_operation["GET messages"] == 2


async def test_a_mailbox_that_stays_down_is_given_back(simulated: SimulatedWorld) -> None:
    """After a few tries; the caller comes back later."""
    mail = simulated.deliver()
    simulated.simulator.fail_next("PATCH message", 503, times=100)

    with pytest.raises(MailboxUnavailable, match="mark: Graph answered 503 ServiceUnavailable"):
        await simulated.post_process(mail, READ)

    assert simulated.simulator.metrics.by_operation["PATCH message"] == 4


async def test_an_answer_is_read_up_to_a_limit(
    simulated: SimulatedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory holds a page whole: a larger one is asked for in parts."""
    deliver_many(simulated, 3)
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 1000)

    with pytest.raises(AnswerTooLarge):
        await simulated.list("inbox")


async def test_a_giant_fails_alone(
    simulated: SimulatedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened to share its batch is done, and fetched."""
    ids = deliver_many(simulated, 4)
    giant = simulated.simulator.deliver(MAILBOX, eml("giant", "word " * 20_000))
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 50_000)

    *others, too_large = await asyncio.gather(
        *(
            simulated.mailboxes.fetch_messages(simulated.address, [mail], "text")
            for mail in (*ids, giant)
        ),
        return_exceptions=True,
    )

    assert isinstance(too_large, AnswerTooLarge)
    assert not any(isinstance(one, MailboxError) for one in others)
