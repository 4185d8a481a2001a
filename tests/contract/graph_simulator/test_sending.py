"""Sending: accepted with 202, or refused for the reasons that Exchange has."""

from base64 import b64encode
from typing import Any

import pytest

from localdev.graph_simulator import GraphSimulator
from tests.contract.graph_simulator.clients import SUPPORT, RawGraph, mail

PLAIN = {"Content-Type": "text/plain"}


def message(**properties: Any) -> dict[str, Any]:
    recipient = {"emailAddress": {"address": "grace@fabrikam.example"}}
    return {"message": {"subject": "Hello", "toRecipients": [recipient], **properties}}


async def test_json_is_sent(simulator: GraphSimulator, raw: RawGraph) -> None:
    """A mail in JSON leaves with the mailbox as its sender; no copy is kept if told so."""
    source = message(
        body={"contentType": "HTML", "content": "<p>Grüße</p>"},
        internetMessageHeaders=[{"name": "x-case", "value": "42"}],
    )

    reply = await raw("POST", "/sendMail", json={**source, "saveToSentItems": False})

    assert (reply.status, reply.raw) == (202, b"")
    (sent,) = simulator.sent
    assert sent.recipients == ("grace@fabrikam.example",)
    assert SUPPORT.encode() in sent.mime
    assert b"x-case: 42" in sent.mime
    assert not simulator.messages(SUPPORT)


async def test_mime_is_sent(simulator: GraphSimulator, raw: RawGraph) -> None:
    """Base64 of a MIME mail, as text/plain, is accepted too, and a copy is kept."""
    own = mail("From MIME", sender=SUPPORT)

    reply = await raw("POST", "/sendMail", data=b64encode(own), headers=PLAIN)

    assert reply.status == 202
    assert [m.subject for m in simulator.messages(SUPPORT, "inbox")] == ["From MIME"]
    assert [m.is_read for m in simulator.messages(SUPPORT, "sentitems")] == [True]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "ErrorInvalidRequest"),
        (message(toRecipients=[]), 400, "ErrorInvalidRecipients"),
        (
            message(internetMessageHeaders=[{"name": "Reply-To", "value": "x"}]),
            400,
            "InvalidInternetMessageHeader",
        ),
        (
            message(internetMessageHeaders=[{"name": f"x-{n}", "value": ""} for n in range(6)]),
            400,
            "InvalidInternetMessageHeaderCollection",
        ),
        (message(body={"contentType": "markdown"}), 400, "RequestBodyRead"),
        (message(body="text"), 400, "BadRequest"),
        (
            message(**{"from": {"emailAddress": {"address": "boss@contoso.example"}}}),
            403,
            "ErrorSendAsDenied",
        ),
    ],
)
async def test_what_exchange_does_not_send(
    simulator: GraphSimulator, raw: RawGraph, body: dict[str, Any], status: int, code: str
) -> None:
    """A refusal names its reason, and nothing is sent."""
    reply = await raw("POST", "/sendMail", json=body)

    assert (reply.status, reply.code) == (status, code)
    assert not simulator.sent


async def test_mime_must_be_base64(raw: RawGraph) -> None:
    """Plain MIME is refused."""
    reply = await raw("POST", "/sendMail", data=b"Subject: plain!\r\n", headers=PLAIN)

    assert (reply.status, reply.code) == (400, "ErrorMimeContentInvalidBase64String")


async def test_a_draft_is_written_and_changed(simulator: GraphSimulator, raw: RawGraph) -> None:
    """Nearly everything of a draft may change, and its MIME follows."""
    draft = (await raw("POST", "/messages", json={"subject": "One"})).body["id"]

    changed = await raw("PATCH", f"/messages/{draft}", json={"subject": "Two"})

    assert changed.body["subject"] == "Two"
    assert b"Subject: Two" in (await raw("GET", f"/messages/{draft}/$value")).raw
    assert simulator.messages(SUPPORT, "drafts")[0].is_draft
