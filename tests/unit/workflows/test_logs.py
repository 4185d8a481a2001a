import json
import logging

import pytest

from shared.domain.errors import MailboxUnavailable
from shared.domain.outcome import Unavailable
from tests.builders import MAILBOX, row
from tests.unit.workflows.test_large_answers import giant
from tests.unit.workflows.world import World

SECRETS = ("hunter2", "Confidential", "ada@example.org")


async def test_no_log_line_holds_what_is_secret(caplog: pytest.LogCaptureFixture) -> None:
    """No subject, body or sender, whatever goes wrong; what names a mail is its key."""
    world = World(row(onDead="move:Failed"), row("bad", clientId="a", clientSecret="hunter2"))
    for number in range(3):
        body = {"contentType": "text", "content": "Confidential"}
        world.deliver(number, subject="Confidential", body=body)
    giant(world, 9)
    world.mailboxes.largest_answer = 3000
    world.mailboxes.fail_next(MailboxUnavailable(MAILBOX, "answered 503"), "list_messages")
    world.targets.fail_next(Unavailable("answered 503"))
    world.targets.reject("team/tickets")

    with caplog.at_level(logging.DEBUG):
        for _ in range(4):
            await world.poll_and_work()
            await world.worker().recover()
            world.later(minutes=6)

    events = {json.loads(record.message)["event"] for record in caplog.records}
    assert {"poll.failed", "delivery.postponed", "delivery.dead", "subscription.invalid"} <= events
    assert not [word for word in SECRETS if word in caplog.text]


async def test_log_lines_say_what_they_are_about(caplog: pytest.LogCaptureFixture) -> None:
    """Source, mailbox and mail, so that a person finds all lines of one."""
    world = World()
    mail = world.deliver(1)
    world.targets.reject("team/tickets", "answered 422")

    with caplog.at_level(logging.DEBUG):
        await world.poll_and_work()

    lines = [json.loads(record.message) for record in caplog.records]
    [dead] = [line for line in lines if line["event"] == "delivery.dead"]
    key = world.delivery_of(mail).key
    assert (dead["source"], dead["mail"]) == (key.source, key.mail)
    assert dead["reason"] == "team/tickets: answered 422"
    assert any(line.get("mailbox") == MAILBOX for line in lines)
