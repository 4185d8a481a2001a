import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from shared.domain.errors import (
    AnswerTooLarge,
    FolderNotFound,
    MailboxError,
    MailboxRefused,
    MailboxUnavailable,
    SignInRefused,
)
from tests.builders import MAILBOX, NOW, graph_message, row
from tests.unit.workflows.world import World

ERRORS = [
    MailboxUnavailable(MAILBOX, "list messages: Graph answered 503"),
    MailboxRefused(MAILBOX, "AADSTS7000215: the client secret is wrong"),
    FolderNotFound(MAILBOX, "there is no folder 'Tech'"),
    AnswerTooLarge(MAILBOX, "more than 32 MiB in one answer"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_a_failed_poll_keeps_its_reason(error: MailboxError) -> None:
    """Where an operator sees it; the source is free for the next poll."""
    world = World()
    world.mailboxes.fail_next(error, times=5)

    unfinished = await world.worker().poll()

    assert not unfinished
    assert (world.state().failures, world.state().error) == (1, str(error))
    assert world.state().lease_until < NOW


async def test_an_unexpected_error_is_one_polls_error() -> None:
    """Nothing that a mailbox does stops the tick; the details are in the log, not in the table."""
    world = World(row(filter="importance eq 'high'"))  # which the fake does not know

    await world.worker().poll()

    assert world.state().error == "unexpected NotImplementedError; the log says more"


async def test_pauses_grow_from_failure_to_failure() -> None:
    """From the polling interval to five minutes; a success ends them."""
    world = World()
    world.mailboxes.fail_next(ERRORS[0], "list_messages", times=8)
    pauses = []

    for _ in range(8):
        await world.worker().poll()
        pauses.append(world.state().next_poll_at - world.clock.now())
        world.clock.time = world.state().next_poll_at
    await world.worker().poll()

    assert pauses[:3] == [timedelta(seconds=seconds) for seconds in (30, 60, 120)]
    assert all(earlier <= later for earlier, later in pairwise(pauses))
    assert pauses[-1] == timedelta(minutes=5)
    assert (world.state().failures, world.state().error) == (0, "")
    assert world.state().next_poll_at == world.clock.now() + timedelta(seconds=30)


async def test_a_long_interval_is_no_shorter_after_a_failure() -> None:
    """The pause is never less than the interval that the row asks for."""
    world = World(row(pollingInterval="PT1H"))
    world.mailboxes.fail_next(ERRORS[0], "list_messages", times=2)

    await world.worker().poll()
    first = world.state().next_poll_at
    world.clock.time = first
    await world.worker().poll()

    assert first == NOW + timedelta(hours=1)
    assert world.state().next_poll_at == first + timedelta(hours=1)


@pytest.mark.parametrize("seconds", [7.5, 600.0])
async def test_retry_after_is_honoured(seconds: float) -> None:
    """A throttled mailbox is left alone for as long as Graph asks."""
    world = World()
    throttled = MailboxUnavailable(MAILBOX, "throttled", retry_after=seconds)
    world.mailboxes.fail_next(throttled, "list_messages")

    await world.worker().poll()
    pause = max(30.0, seconds)
    world.later(seconds=pause - 1)
    await world.worker().poll()
    early = world.mailboxes.asked["list_messages"]
    world.later(seconds=1)
    await world.worker().poll()

    assert (early, world.mailboxes.asked["list_messages"]) == (1, 2)


async def test_a_scheduled_source_is_tried_again_before_its_next_time() -> None:
    """A nightly poll that fails is not put off to the next night."""
    world = World(row(schedule="0 0 3 * * *"))
    world.mailboxes.fail_next(ERRORS[0], "list_messages")

    await world.worker().poll()

    assert world.state().next_poll_at == NOW + timedelta(minutes=1)


async def test_pages_before_a_failure_are_kept() -> None:
    """The next poll goes on where this one failed."""
    world = World()
    world.deliver_many(25)

    worker = world.worker()
    world.mailboxes.fail_next(ERRORS[0], "list_messages", after=1)

    await worker.poll()
    kept = len(world.ledger.rows)
    world.later(minutes=1)
    await worker.poll()

    assert (kept, len(world.ledger.rows)) == (10, 25)
    assert world.mailboxes.asked["list_messages"] == 4


async def test_a_wrong_folder_is_found_when_it_is_made() -> None:
    """A person creates it; nothing else has to be done."""
    world = World(row(folder="Inquiries/Tech"))
    await world.worker().poll()
    missed = world.state().error
    world.mailbox.deliver(graph_message(1), "Inquiries/Tech")
    world.later(minutes=1)

    await world.worker().poll()

    assert "no folder 'Inquiries' in the mailbox" in missed
    assert len(world.ledger.rows) == 1


def lines(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    """What was logged of an event."""
    found = [json.loads(record.message) for record in caplog.records]
    return [line for line in found if line["event"] == event]


async def test_the_log_counts_failures_in_a_row_and_says_when_they_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An alert reads the count: a mailbox that is polled once an hour fails as well."""
    world = World(row(pollingInterval="PT1H"))
    world.mailboxes.fail_next(ERRORS[0], "list_messages", times=3)

    with caplog.at_level("INFO"):
        for _ in range(5):
            await world.worker().poll()
            world.later(hours=1)

    assert [line["failures"] for line in lines(caplog, "poll.failed")] == [1, 2, 3]
    assert [line["failures"] for line in lines(caplog, "poll.recovered")] == [3]


@pytest.mark.parametrize(
    ("columns", "whose"),
    [
        ({}, ("", "default")),
        ({"tenantId": "contoso.com", "clientId": "a1"}, ("", "contoso.com/a1")),
        ({"account": "orders"}, ("orders", "default")),
    ],
    ids=["the app", "another app", "a person"],
)
async def test_the_log_says_whose_sign_in_failed(
    columns: dict[str, str], whose: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """An app's failure concerns all its mailboxes, a person's only that person's."""
    world = World(row(**columns))
    world.mailboxes.fail_next(SignInRefused(MAILBOX, "no token from Entra ID"), "list_messages")

    await world.worker().poll()

    [line] = lines(caplog, "poll.failed")
    assert line["kind"] == "sign-in"
    assert (line["account"], line["app"]) == whose


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_other_failures_are_no_failed_sign_ins(
    error: MailboxError, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever their text says: an AADSTS number does not make one."""
    world = World()
    world.mailboxes.fail_next(error, times=5)

    await world.worker().poll()

    assert [line["kind"] for line in lines(caplog, "poll.failed")] == ["other"]
