"""Rows that cannot be used: each is refused, with all that is wrong with it at once."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world

MAILBOX = "support@contoso.example"
BAD: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "plain-http": (
        {"targetUrl": "http://tickets.example/hook?token=abc"},
        ("column targetUrl: plain http to tickets.example", "PLAIN_HTTP_HOSTS"),
    ),
    "feel": (
        {"activationCondition": '= contains(subject; "Order")'},
        ("column activationCondition", "line 1, column 19"),
    ),
    "unknown-columns": (
        {"mailbox": MAILBOX, "PostProcess": "delete"},
        (
            "column mailbox: there is no such column; allowed: enabled, tenantId,",
            "column PostProcess: there is no such column; did you mean postProcess?",
        ),
    ),
    "secret-in-the-open": (
        {"clientId": "c0ffee00", "clientSecret": "hunter2"},
        ("column clientSecret: a value that is not shown", "{{secrets.NAME}}"),
    ),
    "filter-that-graph-refuses": (
        {"filter": "endswith(from/emailAddress/address, '@example.org')"},
        ("column filter", "ErrorInvalidUrlQueryFilter", "activationCondition"),
    ),
    "many-errors": (
        {
            "userId": "",
            "enabled": "maybe",
            "pollingInterval": "PT1S",
            "schedule": "every day",
            "folderId": "AAMk",
            "folder": "a//b",
            "postProcess": "delete, move, forceDelete",
            "categories": "Red",
            "target": "ftp",
            "targetUrl": "tickets.example/hook",
            "colour": "green",
        },
        (
            "column userId: missing",
            "column enabled: 'maybe'; allowed: true or false.",
            "column pollingInterval: 'PT1S'",
            "column schedule: 'every day'",
            "columns folder and folderId: only one",
            "columns pollingInterval and schedule: only one",
            "column folder: 'a//b'",
            "contradict each other",
            "column moveTo: missing",
            "column categories: needs categorize",
            "column target: 'ftp'; allowed: camunda, webhook",
            "column targetUrl: a value that is not shown",
            "column colour: there is no such column",
        ),
    ),
    "same-mail-one": (
        {"userId": "both@contoso.example", "postProcess": "markAsRead"},
        ("polls the same mail as team/same-mail-two", "share one poll"),
    ),
    "same-mail-two": (
        {"userId": "both@contoso.example", "postProcess": "delete"},
        ("polls the same mail as team/same-mail-one", "share one poll"),
    ),
    "same-id-one": (
        {"deduplicationId": "both"},
        ("'both' is shared with team/same-id-two, but folder differ",),
    ),
    "same-id-two": (
        {"deduplicationId": "both", "folder": "Archive"},
        ("'both' is shared with team/same-id-one, but folder differ",),
    ),
}


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A run with one good row among bad ones."""
    async with new_world(tmp_path_factory.mktemp("world")) as world:
        world.deliver(MAILBOX, mail())
        for name, (columns, _) in BAD.items():
            await world.stack.subscribe(f"team/{name}", **{"userId": MAILBOX, **columns})
        await world.stack.subscribe("team/good", userId=MAILBOX)
        async with world.app():
            await world.ended(1)
            yield world


@pytest.mark.parametrize("name", BAD)
async def test_the_status_row_shows_every_problem(world: World, name: str) -> None:
    """And one line for each of them, none for what is right."""
    status = await world.status(f"team/{name}")
    problems = status["problems"].split("\n")

    assert status["state"] == "invalid"
    assert all(part in status["problems"] for part in BAD[name][1]), problems
    assert len(problems) == len({part.split(";")[0] for part in problems})


async def test_the_good_row_is_done_in_the_same_run(world: World) -> None:
    """It gets the mail, and the bad ones get none."""
    status, [delivery] = await world.status("team/good"), await world.deliveries("team/good")

    assert (status["state"], status["problems"], delivery["state"]) == ("ok", "", "done")
    assert len(world.receiver.accepted) == 1


async def test_health_lists_the_bad_rows_and_is_well(world: World) -> None:
    """For a row that was never right is no outage."""
    status, body = await world.health()
    listed = {one["subscription"] for one in body["invalidSubscriptions"]}

    assert (status, body["status"], body["reasons"]) == (200, "well", [])
    assert listed == {f"team/{name}" for name in BAD}


def test_what_may_be_a_secret_is_shown_nowhere(world: World) -> None:
    """Neither in the log nor in what an operator reads."""
    assert "hunter2" not in world.log
    assert "token=abc" not in world.log
