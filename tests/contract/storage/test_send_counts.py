"""Counting mails to a recipient, over all workers."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.storage import send_counts
from shared.adapters.storage.send_counts import TableSendCounts
from shared.outbound_ports import SendCounts
from tests.fakes.send_counts import FakeSendCounts

HOUR = datetime(2026, 3, 2, 9, tzinfo=UTC)
ADA = "ada@example.org"


@pytest.fixture(params=["fake", "azurite"])
def worker(request: pytest.FixtureRequest) -> Callable[[], SendCounts]:
    """Gives one worker more on the same storage."""
    if request.param == "fake":
        counts: dict[tuple[str, datetime], int] = {}
        return lambda: FakeSendCounts(counts)
    clients = request.getfixturevalue("clients")
    return lambda: TableSendCounts(clients)


async def test_a_recipient_is_counted_up_to_a_limit(worker: Callable[[], SendCounts]) -> None:
    """By any worker, however the address is written."""
    first, second = worker(), worker()

    counted = [
        await first.add(ADA, HOUR, 2),
        await second.add(ADA.upper(), HOUR, 2),
        await first.add(ADA, HOUR, 2),
    ]

    assert counted == [True, True, False]


async def test_recipients_and_hours_are_counted_apart(worker: Callable[[], SendCounts]) -> None:
    """A new hour begins at nothing."""
    counts = worker()
    await counts.add(ADA, HOUR, 1)

    assert await counts.add("bob@example.org", HOUR, 1)
    assert await counts.add(ADA, HOUR + timedelta(hours=1), 1)


async def test_what_was_not_sent_is_taken_back(worker: Callable[[], SendCounts]) -> None:
    """By any worker, never below nothing, and not from another hour."""
    first, second = worker(), worker()
    await first.add(ADA, HOUR, 1)

    await second.take_back(ADA.upper(), HOUR)
    await second.take_back(ADA, HOUR)
    counted = [await first.add(ADA, HOUR, 1), await first.add(ADA, HOUR, 1)]
    await first.take_back(ADA, HOUR + timedelta(hours=1))

    assert counted == [True, False]
    assert not await first.add(ADA, HOUR, 1)


async def test_workers_at_once_do_not_exceed_the_limit(worker: Callable[[], SendCounts]) -> None:
    """Nor does one of them count in vain."""
    workers = [worker() for _ in range(4)]

    counted = await asyncio.gather(*(one.add(ADA, HOUR, 6) for one in workers * 3))

    assert sum(counted) == 6


async def test_mails_of_one_worker_to_a_recipient_wait_for_each_other(
    worker: Callable[[], SendCounts], monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is counted in vain and tried again."""
    monkeypatch.setattr(send_counts, "ROUNDS", 1)
    counts = worker()

    counted = await asyncio.gather(*(counts.add(ADA, HOUR, 1000) for _ in range(50)))

    assert all(counted)
