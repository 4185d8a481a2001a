from typing import Any

import pytest

from shared.domain.columns import read_row
from shared.domain.subscription import InvalidSubscription, Subscription
from tests.builders import problems, row, subscription


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"folder": "inbox", "folderId": "AAMk"}, "columns folder and folderId"),
        ({"pollingInterval": "PT1M", "schedule": "0 * * * * *"}, "pollingInterval and schedule"),
        ({"filter": "isRead eq false", "onlyUnread": True}, "columns filter and onlyUnread"),
        ({"filter": "isRead eq false", "subjectContains": "a"}, "filter and subjectContains"),
        ({"filter": "isRead eq false", "fromAddress": "a@b.c"}, "columns filter and fromAddress"),
        ({"clientSecret": "{{secrets.A}}"}, "column clientSecret: needs column clientId"),
        ({"clientCertificate": "{{secrets.A}}"}, "clientCertificate: needs column clientId"),
        (
            {
                "clientId": "app",
                "clientSecret": "{{secrets.A}}",
                "clientCertificate": "{{secrets.B}}",
            },
            "clientSecret and clientCertificate",
        ),
        ({"postProcess": "delete,forceDelete"}, "delete, forceDelete contradict each other"),
        ({"postProcess": "move,delete", "moveTo": "a"}, "delete, move contradict each other"),
        ({"postProcess": "forceDelete,markAsRead"}, "forceDelete leaves nothing"),
        ({"postProcess": "move"}, "column moveTo: missing; postProcess move needs it"),
        ({"postProcess": "categorize"}, "column categories: missing"),
        ({"moveTo": "Done"}, "column moveTo: needs move in postProcess"),
        ({"categories": "a"}, "column categories: needs categorize in postProcess"),
        ({"createFolder": True}, "column createFolder: needs move in postProcess"),
        ({"targetUrl": "http://tickets.example/"}, "column targetUrl: plain http"),
        ({"targetAuth": '{"bearer": "{{secrets.A}}", "basic": "{{secrets.B}}"}'}, "not both"),
    ],
)
def test_columns_that_contradict_each_other_are_an_error(
    columns: dict[str, Any], problem: str
) -> None:
    """One error, which names the columns."""
    found = problems(**columns)

    assert len(found) == 1
    assert problem in found[0]


def test_all_problems_are_reported_at_once() -> None:
    """Nobody has to correct a row five times."""
    found = problems(
        userId=None,
        colour="red",
        enabled="perhaps",
        retry="long",
        folder="a",
        folderId="b",
        postProcess="move",
    )

    assert len(found) == 6


def test_a_bad_operation_is_reported_alone() -> None:
    """What follows from it is no error of its own."""
    found = problems(postProcess="mvoe", moveTo="Done", createFolder=True)

    assert len(found) == 1


@pytest.mark.parametrize("column", ["clientSecret", "clientCertificate", "targetAuth"])
@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        '{"bearer": "hunter2"}',
        '{"hunter2": "{{secrets.A}}"}',
        '"hunter2"',
        "{{secrets.hunter2",
        "{{secrets.A}}hunter2",
    ],
)
def test_a_secret_in_a_row_is_refused_and_never_shown(column: str, value: str) -> None:
    """A secret that was pasted in is not repeated in a status row or a log."""
    found = problems(clientId="app", **{column: value})

    assert len(found) == 1
    assert found[0].startswith(f"column {column}:")
    assert "hunter2" not in found[0]


@pytest.mark.parametrize(
    "address",
    [
        "https://user:hunter2@tickets.example/",
        "http://tickets.example/?token=hunter2",
        "tickets.example/?token=hunter2",
    ],
)
def test_a_target_address_is_never_shown(address: str) -> None:
    """Addresses of webhooks often hold a token, and some a password."""
    [found] = problems(targetUrl=address)

    assert "hunter2" not in found


def test_plain_http_is_for_hosts_that_a_setting_allows() -> None:
    """Other hosts get mail over TLS only."""
    local = row(targetUrl="http://localhost:7072/hooks")

    assert isinstance(read_row(local, ("localhost",)), Subscription)
    assert isinstance(read_row(local, ("tickets.example",)), InvalidSubscription)


@pytest.mark.parametrize(
    "columns",
    [
        {"onlyUnread": False},
        {"filter": "importance eq 'high'"},
        {"postProcess": "categorize", "categories": "seen"},
    ],
)
def test_mail_that_stays_listed_is_warned_of(columns: dict[str, Any]) -> None:
    """It is allowed, for the ledger keeps it from doing harm."""
    assert len(subscription(**columns).warnings) == 1


@pytest.mark.parametrize(
    "columns",
    [{}, {"onlyUnread": False, "postProcess": "delete"}, {"filter": "isRead eq false"}],
)
def test_mail_that_leaves_the_list_is_not_warned_of(columns: dict[str, Any]) -> None:
    """Moved or deleted, or read where only unread mail is listed."""
    assert subscription(**columns).warnings == ()
