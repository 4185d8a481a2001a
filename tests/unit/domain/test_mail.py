import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.mail import mail_from_graph, mail_key, parse_time, received_at
from tests.builders import MAILBOX, NOW, graph_message

FULL = graph_message(
    bodyPreview="Body",
    sender={"emailAddress": {"name": "Assistant", "address": "assistant@example.org"}},
    replyTo=[{"emailAddress": {"name": "", "address": "reply@example.org"}}],
    ccRecipients=[{"emailAddress": {"address": "cc@example.org"}}],
    bccRecipients=[],
    sentDateTime="2026-03-02T08:59:58Z",
    importance="high",
    categories=["red"],
    hasAttachments=True,
    webLink="https://outlook.example/1",
    internetMessageHeaders=[{"name": "X-Loop", "value": "1"}],
    attachments=[{"id": "a1", "name": "a.txt", "contentType": "text/plain", "size": 3}],
)


def test_a_mail_has_the_documented_shape() -> None:
    """Names and places as expressions and targets know them."""
    mail = mail_from_graph(FULL)

    assert mail == {
        "id": "AAMk-1=",
        "conversationId": "conversation-1",
        "internetMessageId": "<1@example.org>",
        "subject": "Subject 1",
        "body": "Body 1",
        "bodyContentType": "text",
        "bodyPreview": "Body",
        "from": {"name": "Ada", "address": "ada@example.org"},
        "sender": {"name": "Assistant", "address": "assistant@example.org"},
        "replyTo": [{"name": "", "address": "reply@example.org"}],
        "recipients": [{"name": "Support", "address": MAILBOX}],
        "cc": [{"name": "", "address": "cc@example.org"}],
        "bcc": [],
        "receivedDateTime": "2026-03-02T09:00:00Z",
        "sentDateTime": "2026-03-02T08:59:58Z",
        "isRead": False,
        "importance": "high",
        "categories": ["red"],
        "hasAttachments": True,
        "webLink": "https://outlook.example/1",
        "automatic": True,
        "headers": {"x-loop": "1"},
        "attachments": [
            {
                "id": "a1",
                "name": "a.txt",
                "contentType": "text/plain",
                "size": 3,
                "isInline": False,
                "kind": "file",
                "documentId": None,
                "url": None,
                "error": None,
            }
        ],
    }


def test_a_bare_mail_has_the_same_shape() -> None:
    """No subject, no sender, no body: empty text and empty lists, never null."""
    mail = mail_from_graph({"id": "1"})

    assert mail.keys() == mail_from_graph(FULL).keys()
    assert mail["subject"] == mail["body"] == ""
    assert mail["from"] == mail["sender"] == {"name": "", "address": ""}
    assert mail["recipients"] == mail["attachments"] == []
    assert (mail["bodyContentType"], mail["importance"]) == ("text", "normal")


def test_the_sender_is_the_author_where_nobody_else_is_named() -> None:
    """Graph leaves `sender` out of some mails."""
    assert mail_from_graph(graph_message())["sender"]["address"] == "ada@example.org"


def test_headers_are_found_in_any_case_and_none_is_lost() -> None:
    """Names in lower case; a header that comes twice keeps both values."""
    headers = [
        {"name": "Received", "value": "from a"},
        {"name": "RECEIVED", "value": "from b"},
        {"name": "X-Empty", "value": None},
    ]

    mail = mail_from_graph(graph_message(internetMessageHeaders=headers))

    assert mail["headers"] == {"received": "from a\nfrom b", "x-empty": ""}


@pytest.mark.parametrize(
    ("odata_type", "kind"),
    [
        ("#microsoft.graph.fileAttachment", "file"),
        ("#microsoft.graph.itemAttachment", "item"),
        ("#microsoft.graph.referenceAttachment", "reference"),
        ("#microsoft.graph.hologramAttachment", "file"),
    ],
)
def test_attachments_tell_their_kind(odata_type: str, kind: str) -> None:
    """For a file, a mail in the mail and a link are fetched in different ways."""
    message = graph_message(attachments=[{"id": "a", "@odata.type": odata_type, "isInline": True}])

    [attachment] = mail_from_graph(message)["attachments"]

    assert (attachment["kind"], attachment["isInline"]) == (kind, True)
    assert (attachment["name"], attachment["contentType"], attachment["size"]) == ("", "", 0)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    found = []
    for key in keys:
        found.append((*path, key))
        if isinstance(value[key], dict | list):
            found += _paths(value[key], (*path, key))
    return found


@given(st.sets(st.sampled_from([p for p in _paths(FULL) if p != ("id",)])), st.booleans())
def test_partial_mail_is_read(paths: set[tuple[Any, ...]], absent: bool) -> None:  # noqa: FBT001
    """Whatever Graph leaves out or gives as null, one odd mail never stops a poll."""
    message = copy.deepcopy(FULL)
    for path in sorted(paths, key=len, reverse=True):
        holder: Any = message
        for step in path[:-1]:
            holder = holder[step]
        if absent and isinstance(holder, dict):
            del holder[path[-1]]
        elif isinstance(holder, dict):
            holder[path[-1]] = None

    mail = mail_from_graph(message)

    assert mail["id"] == "AAMk-1="
    assert mail.keys() == mail_from_graph(FULL).keys()


def test_keys_are_fit_for_a_table_and_tell_ids_apart_by_case() -> None:
    """Graph's ids are case-sensitive, and hold characters that keys must not."""
    keys = {mail_key(one, NOW) for one in ("AAMk/+=", "aamk/+=", "AAMk-_=")}

    assert len(keys) == 3
    assert all(key.replace("-", "").replace("_", "").isalnum() for key in keys)


def test_keys_stand_in_the_order_of_receipt() -> None:
    """Mail that is listed together lies together; a time that Graph does not know comes first."""
    times = [datetime(1, 1, 1, tzinfo=UTC), NOW, NOW + timedelta(seconds=1)]
    keys = [mail_key(mail_id, time) for mail_id, time in zip("zya", times, strict=True)]

    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        ("2025-01-14T16:11:39Z", datetime(2025, 1, 14, 16, 11, 39, tzinfo=UTC)),
        ("2025-01-14T17:11:39+01:00", datetime(2025, 1, 14, 16, 11, 39, tzinfo=UTC)),
        ("2025-01-14T16:11:39.1234567Z", datetime(2025, 1, 14, 16, 11, 39, 123456, tzinfo=UTC)),
        ("2025-01-14T16:11:39", datetime(2025, 1, 14, 16, 11, 39, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("", datetime(1970, 1, 1, tzinfo=UTC)),
        ("soon", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read(stamp: str, moment: datetime) -> None:
    """What cannot be read counts as the epoch: such mail is listed first, and not lost."""
    assert parse_time(stamp) == moment
    assert received_at({"receivedDateTime": stamp}) == moment
