"""What callers may ask for, and what not."""

from typing import Any

import msgspec
import pytest

from shared.domain.outbound.graph_json import new_message
from shared.domain.outbound.requests import (
    CreateFolderRequest,
    MarkRequest,
    MoveRequest,
    SendRequest,
)

TO = {"to": ["ada@example.org"]}
FIVE = {f"x-{number}": "v" for number in range(5)}


def decode(model: Any, source: dict[str, Any]) -> Any:
    """As the API does it."""
    return msgspec.json.decode(msgspec.json.encode(source), type=model)


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"to": []},
        {"to": ["ada"]},
        {"to": ["ada@example.org\n"]},
        {"to": ["Ada <ada@example.org>"]},
        {"to": [{"address": "ada@example.org", "name": "A\r\nBcc: eve@example.org"}]},
        {**TO, "subject": "a\r\nBcc: eve@example.org"},
        {**TO, "bodyContentType": "markdown"},
        {**TO, "importance": "urgent"},
        {**TO, "headers": {"Reply-To": "eve@example.org"}},
        {**TO, "headers": {"x-a": "b\nBcc: eve@example.org"}},
        {**TO, "headers": {"x-a: b\nBcc": "eve@example.org"}},
        {**TO, "headers": {"x-a": "1", "X-A": "2"}},
        {**TO, "headers": {"x-a": "b\u2028Bcc: eve@example.org"}},
        {**TO, "headers": {"x-a": "b\x0bc"}},
        {**TO, "subject": "a\x85b"},
        {"to": ["ada\x00@example.org"]},
        {"to": ["ada@example\x7f.org"]},
        {"to": ["ada\u2028@example.org"]},
        {**TO, "attachments": [{"name": "a", "content": "YQ==", "contentType": "a/b\nc"}]},
        {**TO, "attachments": [{"name": "a", "content": "YQ==", "contentType": "a/b; c"}]},
        {**TO, "headers": FIVE | {"x-6": ""}},
        {**TO, "headers": FIVE, "automatic": True},
        {**TO, "attachments": [{"name": "a"}]},
        {**TO, "attachments": [{"content": "YQ=="}]},
        {**TO, "attachments": [{"name": "a", "content": "no base64"}]},
        {**TO, "attachments": [{"name": "a", "content": "YQ==", "documentId": "b"}]},
        {**TO, "attachments": [{"name": "a", "content": "YQ==", "contentId": 'a"b'}]},
        {**TO, "identify": True, "saveToSentItems": False},
        {**TO, "unknown": 1},
    ],
)
def test_what_cannot_be_sent_is_refused(source: dict[str, Any]) -> None:
    """Before anybody is asked to send it."""
    with pytest.raises(msgspec.ValidationError):
        decode(SendRequest, source)


@pytest.mark.parametrize(
    ("model", "source"),
    [
        (MarkRequest, {}),
        (MarkRequest, {"flag": "red"}),
        (MoveRequest, {}),
        (MoveRequest, {"folder": "a", "folderId": "b"}),
        (MoveRequest, {"folder": "a//b"}),
        (MoveRequest, {"folderId": "../inbox"}),
        (MoveRequest, {"folderId": "archive\n"}),
        (CreateFolderRequest, {"displayName": "abc\n"}),
        (CreateFolderRequest, {"displayName": "  "}),
        (CreateFolderRequest, {"displayName": "a/b"}),
    ],
)
def test_what_makes_no_sense_is_refused(model: Any, source: dict[str, Any]) -> None:
    """Nothing, too much, or no name."""
    with pytest.raises(msgspec.ValidationError):
        decode(model, source)


@pytest.mark.parametrize(
    "content_type",
    ["", "pdf", "text/plain", "text/plain; charset=utf-8", 'text/csv;charset="utf-8"; header=a'],
)
def test_a_content_type_may_have_parameters(content_type: str) -> None:
    """As MIME has them."""
    one = {"name": "a", "content": "YQ==", "contentType": content_type}

    assert decode(SendRequest, {**TO, "attachments": [one]}).attachments[0]


def test_an_automatic_mail_is_marked_whatever_its_own_headers_say() -> None:
    """Two marks would be none, and a caller's may say the contrary."""
    own = {"x-auto-response-suppress": "None", "x-case": "42"}

    request = decode(SendRequest, {**TO, "automatic": True, "headers": own})

    assert request.all_headers == {"x-case": "42", "X-Auto-Response-Suppress": "All"}


def test_a_mail_becomes_graphs_json() -> None:
    """Everything in its place, and nothing that was not asked for."""
    request = decode(
        SendRequest,
        {
            **TO,
            "subject": "Hi",
            "body": "<p>Hi</p>",
            "bodyContentType": "html",
            "cc": [{"address": "bob@example.org", "name": "Bob"}],
            "bcc": ["eve@example.org"],
            "replyTo": ["desk@example.org"],
            "from": "shared@example.org",
            "importance": "high",
            "headers": {"x-case": "42"},
        },
    )

    def person(address: str, **name: str) -> dict[str, Any]:
        return {"emailAddress": {"address": address, **name}}

    assert new_message(request) == {
        "subject": "Hi",
        "body": {"contentType": "html", "content": "<p>Hi</p>"},
        "toRecipients": [person("ada@example.org")],
        "ccRecipients": [person("bob@example.org", name="Bob")],
        "bccRecipients": [person("eve@example.org")],
        "replyTo": [person("desk@example.org")],
        "from": person("shared@example.org"),
        "importance": "high",
        "internetMessageHeaders": [{"name": "x-case", "value": "42"}],
    }
