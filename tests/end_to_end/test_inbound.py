"""What a row can say of the mail that comes in, seen by an engine that keeps what it is told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from azure.storage.queue.aio import QueueClient

from tests.end_to_end.mails import mail, sample, with_files
from tests.end_to_end.world import LISTENING, World, new_world
from tests.fakes.engine import FakeEngine, fake_engine

CUT_OFF = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "a long random text"


def mailbox(name: str) -> str:
    return f"{name}@contoso.example"


@dataclass(frozen=True, slots=True)
class Inbound:
    """A world whose target is an engine.

    Args:
        documents: what the addresses of documents gave: status, headers and body, by id.
    """

    world: World
    engine: FakeEngine
    documents: dict[str, tuple[int, dict[str, str], bytes]]

    def told(self, subscription: str) -> list[dict[str, Any]]:
        """The variables of all messages of a subscription."""
        messages = self.engine.published.values()
        return [one["variables"] for one in messages if one["name"] == subscription]


async def subscribe(world: World, engine: FakeEngine, name: str, **columns: Any) -> None:
    """A subscription whose messages bear its name."""
    defaults = {"userId": mailbox(name), "postProcess": "markAsRead", "onlyUnread": False}
    if "filter" in columns:
        del defaults["onlyUnread"]
    target = {"target": "camunda", "targetUrl": engine.url, "messageName": name}
    await world.stack.subscribe(f"team/{name}", **{**defaults, **target, **columns})


@pytest.fixture(scope="module")
async def inbound(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inbound]:
    """One run over mailboxes of all kinds."""
    settings = {"DOCUMENT_SIGNING_SECRET": SECRET, "PUBLIC_URL": "http://app.example"}
    directory = tmp_path_factory.mktemp("world")
    async with new_world(directory, settings=settings) as world, fake_engine() as engine:
        await _fill(world, engine)
        async with world.app():
            await world.ended(13)
            result = Inbound(world, engine, {})
            await _download(result)
        yield result


async def _fill(world: World, engine: FakeEngine) -> None:
    simulator = world.simulator
    for name in ("archive", "recent", "folder", "choosy", "papers", "robots"):
        simulator.add_mailbox(mailbox(name))
    for name in ("archive", "recent"):
        for number, days in enumerate((-400, -1, 0, 1)):
            received = CUT_OFF + timedelta(days=days)
            simulator.deliver(mailbox(name), mail(number), received=received, is_read=days < 0)
    await subscribe(
        world,
        engine,
        "archive",
        archiveBefore="2026-01-01",
        archiveVariables='{"state": "closed"}',
        labels='{"group": "Sales"}',
    )
    await subscribe(world, engine, "recent", filter="receivedDateTime ge 2026-01-01T00:00:00Z")

    asked = simulator.deliver(mailbox("folder"), mail(1), folder="Inquiries/Tech-Support")
    folder = simulator.message(mailbox("folder"), asked).parent_folder.id
    simulator.deliver(mailbox("folder"), mail(2))
    await subscribe(world, engine, "folder", folderId=folder, schedule="*/2 * * * * *")

    world.deliver(
        mailbox("choosy"),
        mail(1, subject="Order 4711", attachment=b"x" * 5_000),
        mail(2, subject="Order 4712"),
        mail(3, subject="Newsletter"),
    )
    conditions = {
        "orders": '=contains(value.subject, "Order") and count(attachments) > 0',
        "numbers": '=matches(response.subject, ".*[0-9]{4}.*")',
    }
    for name, condition in conditions.items():
        await subscribe(
            world,
            engine,
            name,
            userId=mailbox("choosy"),
            activationCondition=condition,
            consumeUnmatchedEvents=name == "orders",
            correlationKeyExpression='=extract(value.subject, "[0-9]+")[1]',
            resultExpression='={number: extract(response.subject, "[0-9]+")[1]}',
            keepAttachments=False,
        )

    world.deliver(
        mailbox("papers"),
        with_files(("a.pdf", b"one"), ("a.pdf", b"two")),
        sample("mail-in-a-mail"),
    )
    linked = simulator.messages(mailbox("papers"))[0]
    simulator.attach_reference(mailbox("papers"), linked.id, "Plan.docx")
    await subscribe(world, engine, "papers", keepMime=True)

    world.deliver(mailbox("robots"), sample("auto-reply"))
    await subscribe(world, engine, "robots")
    queue = QueueClient.from_connection_string(world.stack.storage, "emails")
    async with queue:
        await queue.create_queue()
        await queue.send_message("this is no envelope")


async def _download(inbound: Inbound) -> None:
    base = LISTENING.findall(inbound.world.log)[-1]
    async with aiohttp.ClientSession() as http:
        for variables in inbound.told("papers"):
            mail = variables["email"]
            for one in (*mail["attachments"], mail["mime"]):
                if one.get("documentId") is None:
                    continue
                signed = one["url"].replace("http://app.example", base)
                async with http.get(signed) as answer:
                    found = answer.status, dict(answer.headers), await answer.read()
                inbound.documents[one["documentId"]] = found
                async with http.get(f"{base}/api/documents/{one['documentId']}") as answer:
                    assert await answer.read() == found[2]
                async with http.get(f"{signed}0") as answer:
                    assert answer.status == 403


async def test_old_mail_is_handed_over_as_old_mail(inbound: Inbound) -> None:
    """With its own date, and what the row says of archived mail; newer mail is ordinary."""
    told = inbound.told("archive")
    by_date = {one["email"]["receivedDateTime"][:10]: one for one in told}

    assert {day: one["email"]["archived"] for day, one in by_date.items()} == {
        "2024-11-27": True,
        "2025-12-31": True,
        "2026-01-01": True,
        "2026-01-02": False,
    }
    assert {one.get("state") for one in told if one["email"]["archived"]} == {"closed"}
    assert "state" not in by_date["2026-01-02"]
    assert {one["group"] for one in told} == {"Sales"}


async def test_a_mailbox_is_connected_without_its_history(inbound: Inbound) -> None:
    """By a filter over the time of receipt; older mail is not touched."""
    days = {one["email"]["receivedDateTime"][:10] for one in inbound.told("recent")}
    left = [one for one in inbound.world.simulator.messages(mailbox("recent")) if not one.is_read]

    assert days == {"2026-01-01", "2026-01-02"}
    assert left == []


async def test_a_folder_by_id_on_a_cron_schedule(inbound: Inbound) -> None:
    """Other folders are left alone."""
    assert [one["email"]["subject"] for one in inbound.told("folder")] == ["Mail 1"]


async def test_each_subscription_of_a_poll_has_the_mail_that_it_wants(inbound: Inbound) -> None:
    """Attachments' metadata count as well."""
    assert [one["number"] for one in inbound.told("orders")] == ["4711"]
    assert sorted(one["number"] for one in inbound.told("numbers")) == ["4711", "4712"]
    keys = {one["correlationKey"] for one in inbound.engine.published.values()}
    assert {"4711", "4712"} <= keys


async def test_mail_that_nobody_wants_is_consumed_where_that_is_asked_for(inbound: Inbound) -> None:
    """It is marked as read, handed to nobody, and ends as unmatched."""
    rows = await inbound.world.deliveries("team/orders")
    [unmatched] = [row for row in rows if row["state"] == "unmatched"]

    assert "team/orders: activationCondition gave false" in unmatched["reason"]
    assert all(one.is_read for one in inbound.world.simulator.messages(mailbox("choosy")))


async def test_attachments_are_documents(inbound: Inbound) -> None:
    """Two of equal name are two; a mail in a mail is a file; a link stays one."""
    attachments = [one for mail in inbound.told("papers") for one in mail["email"]["attachments"]]
    kept = [one for one in attachments if one["kind"] != "reference"]
    [link] = [one for one in attachments if one["kind"] == "reference"]

    assert all(one["error"] is None for one in attachments)
    assert len({one["documentId"] for one in kept}) == len(kept) == 3
    assert next(one["name"] for one in kept if one["kind"] == "item").endswith(".eml")
    assert link["link"].startswith("https://")


async def test_documents_are_given_out_as_downloads(inbound: Inbound) -> None:
    """At a signed address or with a function key; never to be shown by a browser."""
    for status, headers, body in inbound.documents.values():
        assert status == 200
        assert headers["Content-Disposition"].startswith("attachment")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert body
    bodies = [body for _, _, body in inbound.documents.values()]
    assert {b"one", b"two"} < set(bodies)
    assert sum(b"boundary=" in body for body in bodies) == 2


async def test_mail_of_machines_says_so(inbound: Inbound) -> None:
    """So that nobody answers it."""
    assert [one["email"]["automatic"] for one in inbound.told("robots")] == [True]
    assert {one["email"]["automatic"] for one in inbound.told("archive")} == {False}


async def test_a_message_that_is_no_envelope_stops_nothing(inbound: Inbound) -> None:
    """It goes to the poison queue; all mail came through."""
    assert len(inbound.engine.published) == 4 + 2 + 1 + 1 + 2 + 2 + 1
