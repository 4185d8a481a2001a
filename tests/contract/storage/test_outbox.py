"""The outbox's table, queue and blobs: the fakes and the real adapters alike."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.outbox import TableOutbox
from shared.adapters.storage.outbox_queue import BlobOutboxContents, StorageOutboxQueue
from shared.adapters.storage.tables import Table
from shared.adapters.storage.transactions import Operation, encoded
from shared.domain.errors import StorageUnavailable
from shared.domain.outbound.outbox import (
    INLINE_BYTES,
    OutboxItem,
    OutboxMessage,
    SendId,
    SendState,
    send_id,
)
from shared.domain.subscription import Credential
from shared.outbox_ports import OutboxContents, OutboxQueue, OutboxTable
from tests.fakes.outbox import FakeOutboxContents, FakeOutboxQueue, FakeOutboxTable
from tests.fakes.queues import FakeQueue

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
NEW = OutboxItem(
    mailbox="Sales/ü#EXT#@contoso.example",
    key="order:1@a+b=c",
    fingerprint="f" * 64,
    draft_key="d3b07384",
    state=SendState.ACCEPTED,
    accepted_at=NOW,
    updated_at=NOW,
    due_at=NOW,
    credential=Credential("tenant", "app", "NAME", "CERTIFICATE", "account"),
    content=bytes(range(256)),
)
WORKED_ON: dict[str, Any] = {
    "state": SendState.SENDING,
    "updated_at": NOW + timedelta(seconds=1),
    "due_at": NOW + timedelta(minutes=5),
    "attempts": 2,
    "counted": True,
    "asked_at": NOW + timedelta(seconds=2),
    "draft_id": "AAMkAD=='",
    "internet_message_id": "<ünï@contoso.example>",
    "conversation_id": "AAQk",
    "reason": "mailbox straße: no",
}


@dataclass(frozen=True)
class Storage:
    """A storage with nothing in it; each table, queue and container stands for a worker's."""

    table: Callable[[], OutboxTable]
    queue: Callable[[], OutboxQueue]
    contents: Callable[[], OutboxContents]
    messages: Callable[[], Awaitable[list[str]]]


@pytest.fixture(params=["fake", "azurite"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """The fakes, or the real adapters."""
    if request.param == "fake":
        return fakes()
    return real(request.getfixturevalue("clients"))


def fakes() -> Storage:
    """In memory."""
    rows: dict[SendId, OutboxItem] = {}
    queue, blobs = FakeQueue(), dict[str, bytes]()

    async def messages() -> list[str]:
        return queue.take()

    return Storage(
        table=lambda: FakeOutboxTable(rows),
        queue=lambda: FakeOutboxQueue(queue),
        contents=lambda: FakeOutboxContents(blobs),
        messages=messages,
    )


def real(clients: StorageClients) -> Storage:
    """On Azurite."""

    async def messages() -> list[str]:
        client = clients.queues.get_queue_client("outbox")
        return [message.content async for message in client.receive_messages()]

    return Storage(
        table=lambda: TableOutbox(clients),
        queue=lambda: StorageOutboxQueue(clients),
        contents=lambda: BlobOutboxContents(clients),
        messages=messages,
    )


async def test_what_is_added_is_read_by_another_worker(storage: Storage) -> None:
    """All of it, with the version for the next write."""
    added = await storage.table().add(NEW)

    assert added is not None
    assert added == replace(NEW, version=added.version)
    assert added.version
    assert await storage.table().read(NEW.id) == added


async def test_a_key_that_is_known_is_not_added_again(storage: Storage) -> None:
    """Whatever stands behind it; upper and lower case of the mailbox are one."""
    added = await storage.table().add(NEW)
    other = replace(NEW, mailbox=NEW.mailbox.upper(), fingerprint="other")

    assert await storage.table().add(other) is None
    assert await storage.table().add(replace(NEW, fingerprint="other")) is None
    assert await storage.table().read(NEW.id) == added


async def test_the_same_key_in_another_mailbox_is_another_send(storage: Storage) -> None:
    """And so is another key that differs in case."""
    await storage.table().add(NEW)

    assert await storage.table().add(replace(NEW, mailbox="other@contoso.example")) is not None
    assert await storage.table().add(replace(NEW, key=NEW.key.upper())) is not None


async def test_a_send_that_is_not_known_is_none(storage: Storage) -> None:
    """Before and after the table is made."""
    assert await storage.table().read(send_id("nobody", "key")) is None
    assert await storage.table().write(replace(NEW, version='W/"gone"')) is None


async def test_what_changes_is_written(storage: Storage) -> None:
    """Content and what was accepted stay, in whatever form the item was at hand."""
    table = storage.table()
    added = await table.add(NEW)
    assert added is not None
    written = await table.write(replace(added, **{**WORKED_ON, "content": b""}))

    assert written is not None
    assert await storage.table().read(NEW.id) == replace(
        added, **WORKED_ON, version=written.version
    )


async def test_a_send_that_ends_loses_its_content(storage: Storage) -> None:
    """Nobody needs it any more; a time that is taken back is gone too."""
    table = storage.table()
    item = await table.add(NEW)
    assert item is not None
    item = await table.write(replace(item, **WORKED_ON))
    assert item is not None
    await table.write(replace(item, asked_at=None).ended(SendState.SENT, NOW))
    read = await storage.table().read(NEW.id)

    assert read is not None
    assert read.content == b""
    assert read.asked_at is None


async def test_one_of_many_workers_writes(storage: Storage) -> None:
    """The others learn that they were too late, also within one worker."""
    item = await storage.table().add(NEW)
    assert item is not None
    same = storage.table()
    tables = [same, same, same, *(storage.table() for _ in range(5))]
    results = await asyncio.gather(
        *(table.write(replace(item, attempts=number)) for number, table in enumerate(tables))
    )

    assert len([one for one in results if one is not None]) == 1


async def test_one_of_many_adds(storage: Storage) -> None:
    """Likewise."""
    same = storage.table()
    tables = [same, same, *(storage.table() for _ in range(4))]
    results = await asyncio.gather(*(table.add(NEW) for table in tables))

    assert len([one for one in results if one is not None]) == 1


async def test_writes_for_many_sends_at_once_are_all_stored(storage: Storage) -> None:
    """Those of one mailbox travel together; one that is too late keeps nobody else."""
    table = storage.table()
    keys = [f"key-{number}" for number in range(120)]
    items = await asyncio.gather(*(table.add(replace(NEW, key=key)) for key in keys))
    stale = [
        replace(item, version='W/"old"') if number == 60 else item
        for number, item in enumerate(items)
        if item is not None
    ]
    written = await asyncio.gather(*(table.write(replace(one, attempts=7)) for one in stale))

    assert [number for number, one in enumerate(written) if one is None] == [60]
    for one in (written[0], written[61], written[119]):
        assert one is not None
        assert await storage.table().read(one.id) == one


async def test_content_as_large_as_may_be_and_a_long_reason_are_kept(storage: Storage) -> None:
    """The reason is cut."""
    item = await storage.table().add(replace(NEW, content=bytes(INLINE_BYTES), reason="語" * 4000))
    read = await storage.table().read(NEW.id)

    assert item is not None
    assert read is not None
    assert len(read.content) == INLINE_BYTES
    assert read.reason == "語" * 1000


async def test_the_overdue_are_open_and_late(storage: Storage) -> None:
    """Without their content, but ready to be written."""
    table = storage.table()
    for key, state, due in [
        ("late", SendState.DRAFTING, NOW - timedelta(minutes=1)),
        ("early", SendState.DRAFTING, NOW),
        ("sent", SendState.SENT, NOW - timedelta(minutes=1)),
        ("failed", SendState.FAILED, NOW - timedelta(minutes=1)),
    ]:
        await table.add(replace(NEW, key=key, state=state, due_at=due))
    overdue = [item async for item in storage.table().overdue(NOW)]

    assert [item.key for item in overdue] == ["late"]
    assert overdue[0].content == b""
    assert await table.write(replace(overdue[0], due_at=NOW)) is not None
    read = await table.read(overdue[0].id)
    assert read is not None
    assert read.content == NEW.content


async def test_what_ended_long_ago_is_forgotten(storage: Storage) -> None:
    """What is open stays, however old."""
    table = storage.table()
    for number in range(40):
        state = SendState.SENT if number % 2 else SendState.FAILED
        await table.add(replace(NEW, key=f"old-{number}", state=state))
    await table.add(replace(NEW, key="open"))
    recent = replace(NEW, key="recent", state=SendState.SENT, updated_at=NOW + timedelta(days=1))
    await table.add(recent)

    assert await storage.table().purge(NOW + timedelta(hours=1)) == 40
    assert await storage.table().purge(NOW + timedelta(hours=1)) == 0
    assert await table.read(send_id(NEW.mailbox, "open")) is not None
    assert await table.read(recent.id) is not None


async def test_messages_are_put_and_delayed(storage: Storage) -> None:
    """As with the other queues."""
    request = {"to": ["a@example.org"], "body": "Grüße \x00<&>"}
    now = OutboxMessage(mailbox=NEW.mailbox, key=NEW.key, request=request)
    later = OutboxMessage(mailbox=NEW.mailbox, key="later")
    queue = storage.queue()
    assert await queue.oldest_waiting() is None
    await queue.put(later, timedelta(hours=1))
    assert await queue.oldest_waiting() is None
    await queue.put(now)

    assert await queue.oldest_waiting() is not None
    assert [OutboxMessage.decode(text) for text in await storage.messages()] == [now]


async def test_contents_are_kept_until_they_are_removed(storage: Storage) -> None:
    """What is not there is no error."""
    contents = storage.contents()
    assert await contents.read("20260302/a.json") is None
    await contents.remove("20260302/a.json")
    await contents.store("20260302/a.json", bytes(3_000_000))

    assert await storage.contents().read("20260302/a.json") == bytes(3_000_000)
    await contents.remove("20260302/a.json")
    assert await storage.contents().read("20260302/a.json") is None


async def test_contents_of_old_days_go(storage: Storage) -> None:
    """Whole days, whoever left them."""
    contents = storage.contents()
    for name in ("20260301/a.json", "20260301/b.json", "20260302/c.json"):
        await contents.store(name, b"{}")

    assert await contents.expire(date(2026, 3, 2)) == 2
    assert await contents.expire(date(2026, 3, 2)) == 0
    assert await contents.read("20260302/c.json") == b"{}"


@pytest.mark.parametrize("first", [True, False])
async def test_a_write_that_was_not_answered_and_repeated_is_known_as_ours(
    clients: StorageClients,
    first: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The library repeats it and is told 409 or 412; that was nobody else."""
    table = TableOutbox(clients)
    item = None if first else await table.add(NEW)
    real = Table.run

    async def twice(self: Table, operation: Any) -> Any:
        result = await real(self, operation)
        if operation.__name__ == "put":
            return await real(self, operation)
        return result

    monkeypatch.setattr(Table, "run", twice)
    stored = await table.add(NEW) if item is None else await table.write(replace(item, attempts=1))

    assert stored is not None
    assert await table.read(NEW.id) == stored
    await table.close()


async def test_a_storage_that_is_not_there_is_unavailable() -> None:
    """For each operation."""
    text = (
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=QUJD;"
        "TableEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a;"
        "BlobEndpoint=http://127.0.0.1:1/a;"
    )
    clients = StorageClients({"AzureWebJobsStorage": text}, retries=0)
    table, contents = TableOutbox(clients), BlobOutboxContents(clients)
    calls: list[Awaitable[object]] = [
        table.add(NEW),
        table.write(replace(NEW, version="v")),
        table.read(NEW.id),
        table.purge(NOW),
        StorageOutboxQueue(clients).put(OutboxMessage(mailbox="a", key="b")),
        contents.store("20260302/a.json", b""),
        contents.read("20260302/a.json"),
        contents.expire(NOW.date()),
    ]

    for call in calls:
        with pytest.raises(StorageUnavailable, match="not reached"):
            await call
    await table.close()
    await clients.close()


async def test_many_large_mails_at_once_stay_below_what_a_transaction_takes(
    clients: StorageClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azure's 4 MiB, of which together they have more; and a part of that, for the event loop."""
    sizes = list[int]()
    commit = Table.commit

    async def measured(table: Table, operations: Sequence[Operation], **named: Any) -> list[str]:
        sizes.append(len(encoded(operations, "https://account.example/outbox", "boundary")))
        return await commit(table, operations, **named)

    monkeypatch.setattr(Table, "commit", measured)
    table = TableOutbox(clients)
    large = [replace(NEW, key=f"{number}", content=bytes(INLINE_BYTES)) for number in range(100)]
    added = await asyncio.gather(*(table.add(item) for item in large))
    await table.close()

    assert None not in added
    assert sum(sizes) > 4 * 2**20 > 4 * max(sizes)
