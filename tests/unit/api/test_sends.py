"""Durable sends over HTTP: promised under a key, their status, and mail from templates."""

import asyncio
import json
import threading
from typing import Any

import pytest

from shared.domain.errors import MailboxRefused, StorageUnavailable
from shared.domain.outbound.outbox import SendState, send_id
from shared.workflows.outbox import enqueue
from tests.unit.api.desk import BOX, ApiDesk, content
from tests.unit.workflows.outbound.desk import ADA

SEND = {"to": [ADA], "subject": "a secret subject", "body": "a secret body"}
TEMPLATE = {
    "template": True,
    "variables": {"customer": {"name": "Ada", "mail": ADA}, "order": 4711},
    "to": ["=customer.mail"],
    "subject": '="Order " + string(order)',
    "body": '="Dear " + customer.name',
}
LATER = {"async": "true"}


def named(key: str) -> dict[str, str]:
    """The header that names a send."""
    return {"idempotency-key": key}


async def test_a_durable_send_is_promised_and_then_sent() -> None:
    """The answer says where to look; nothing is asked of Graph before it."""
    desk = ApiDesk()

    answer = await desk("POST", "send", SEND, query=LATER, headers=named("order-1"))
    asked = sum(desk.operations.asked.values())
    await desk.sends.work()
    status = await desk("GET", "sends/order-1")

    assert (answer.status, asked) == (202, 0)
    assert answer.headers["Location"] == f"/api/mail/{BOX}/sends/order-1"
    assert answer.headers["Retry-After"] == "2"
    assert content(answer).items() >= {"key": "order-1", "userId": BOX, "state": "accepted"}.items()
    assert (status.status, content(status)["state"]) == (200, "sent")
    assert content(status)["internetMessageId"] == "<1@example.org>"
    assert {"sentAt", "conversationId"} <= content(status).keys()


async def test_the_address_of_a_status_leads_to_it_whatever_the_key_is_made_of() -> None:
    """Behind a gateway that has a path of its own, too."""
    desk = ApiDesk(public_url="https://public.example/mail-connector")
    key = "Order:7~a=b+c@d.e_f-g"

    answer = await desk("POST", "send", SEND, query=LATER, headers=named(key))

    host, _, path = answer.headers["Location"].partition("/api/mail/")
    assert (host, path) == ("/mail-connector", f"{BOX}/sends/{key}")
    assert (await desk("GET", f"sends/{key}")).status == 200


async def test_a_send_without_a_key_is_given_one() -> None:
    """Two such sends are two mails."""
    desk = ApiDesk()

    keys = {content(await desk("POST", "send", SEND, query=LATER))["key"] for _ in range(2)}

    assert len(keys) == len(desk.sends.table.rows) == 2


async def test_the_same_request_with_its_key_is_the_same_send() -> None:
    """202 while it is under way, 200 at its end; the mail goes once."""
    desk = ApiDesk()

    answers = [await desk("POST", "send", SEND, query=LATER, headers=named('"a"')) for _ in "12"]
    await desk.sends.work()
    answers.append(await desk("POST", "send", SEND, query=LATER, headers=named("a")))

    assert [answer.status for answer in answers] == [202, 202, 200]
    assert [content(answer)["state"] for answer in answers] == ["accepted", "accepted", "sent"]
    assert "Retry-After" not in answers[2].headers
    assert desk.operations.asked["send_draft"] == 1


async def test_a_key_that_names_another_mail_is_refused() -> None:
    """The first goes on; in another mailbox the key is free."""
    desk = ApiDesk()
    await desk("POST", "send", SEND, query=LATER, headers=named("a"))

    other = await desk("POST", "send", SEND | {"body": "b"}, query=LATER, headers=named("a"))
    elsewhere = await desk(
        "POST", "send", SEND, query=LATER, headers=named("a"), user="sales@contoso.example"
    )

    assert (other.status, content(other)["code"]) == (422, "keyReused")
    assert elsewhere.status == 202


async def test_a_failed_send_says_why() -> None:
    """Its reason is for the caller."""
    desk = ApiDesk()
    desk.operations.fail_next("create_draft", MailboxRefused(BOX, "Graph answered 403"))
    await desk("POST", "send", SEND, query=LATER, headers=named("a"))
    await desk.sends.work()

    status = content(await desk("GET", "sends/a"))

    assert status["state"] == "failed"
    assert "Graph answered 403. Nothing was sent." in status["reason"]


@pytest.mark.parametrize(
    ("key", "code"),
    [("nobody-knows-it", "sendNotFound"), ("-", "badRequest"), ("a" * 129, "badRequest")],
)
async def test_a_key_that_is_not_known_is_not_found(key: str, code: str) -> None:
    """Nor is there anything at an address that no key leads to."""
    answer = await ApiDesk()("GET", f"sends/{key}")

    assert (answer.status, content(answer)["code"]) == (404, code)


@pytest.mark.parametrize("key", ["", " ", "-a", "a b", "a/b", '"', "ä", "a" * 129, "a\n"])
async def test_a_key_that_is_none_is_refused(key: str) -> None:
    """And not replaced by another, which would send twice what is asked for twice."""
    desk = ApiDesk()

    answer = await desk("POST", "send", SEND, query=LATER, headers=named(key))

    assert (answer.status, "Idempotency-Key" in content(answer)["detail"]) == (400, True)
    assert not desk.sends.table.rows


async def test_a_key_promises_nothing_for_a_send_at_once() -> None:
    """Or its caller would trust in what is not so."""
    desk = ApiDesk()

    answer = await desk("POST", "send", SEND, headers=named("a"), query={"async": "false"})

    assert (answer.status, "async=true" in content(answer)["detail"]) == (400, True)
    assert not desk.operations.asked


@pytest.mark.parametrize(
    ("fields", "headers"),
    [({"saveToSentItems": False}, {}), ({}, {"x-graph-authorization": "Bearer abc.def"})],
)
async def test_what_cannot_be_kept_is_refused(
    fields: dict[str, Any], headers: dict[str, str]
) -> None:
    """A mail without a copy, and a token of the caller's."""
    desk = ApiDesk()

    answer = await desk("POST", "send", SEND | fields, query=LATER, headers=headers)

    assert (answer.status, content(answer)["code"]) == (422, "notDurable")
    assert b"abc" not in answer.body
    assert not desk.sends.table.rows


async def test_a_storage_that_is_away_promises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told to repeat the request with its key."""
    desk = ApiDesk()

    async def away(_: object) -> None:
        raise StorageUnavailable("table outbox: no answer")

    monkeypatch.setattr(desk.sends.table, "add", away)

    answer = await desk("POST", "send", SEND, query=LATER, headers=named("a"))

    assert (answer.status, content(answer)["code"]) == (503, "storageUnavailable")
    assert "same Idempotency-Key" in content(answer)["action"]


@pytest.mark.parametrize(
    ("headers", "action"),
    [(named("a"), "again, with the same Idempotency-Key"), ({}, "Look in Sent Items")],
)
@pytest.mark.parametrize("fault", [KeyError("odd"), TimeoutError()])
async def test_a_promise_without_an_answer_is_asked_for_again_by_its_key(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], action: str, fault: Exception
) -> None:
    """Which is what it is for; the mail may not be in Sent Items for a long time."""
    desk = ApiDesk()

    async def fail(_: object) -> None:
        raise fault

    monkeypatch.setattr(desk.sends.table, "add", fail)

    answer = await desk("POST", "send", SEND, query=LATER, headers=headers)

    assert answer.status in {500, 504}
    assert action in content(answer)["action"]


async def test_others_are_answered_while_a_template_is_rendered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may take a second."""
    desk = ApiDesk()
    goes_on = threading.Event()
    monkeypatch.setattr(enqueue, "render", lambda body: body if goes_on.wait(3) else {})
    send = asyncio.create_task(desk("POST", "send", SEND))
    await asyncio.sleep(0)

    other = await desk("GET", "folders")
    goes_on.set()

    assert (other.status, (await send).status) == (200, 200)


@pytest.mark.parametrize("query", [{}, LATER])
async def test_a_template_is_sent_as_what_it_gives(query: dict[str, str]) -> None:
    """At once as well as durably."""
    desk = ApiDesk()

    answer = await desk("POST", "send", TEMPLATE, query=query, headers=named("a") if query else {})
    await desk.sends.work()

    [sent] = desk.operations.sent
    assert answer.status == (202 if query else 200)
    assert sent.json["subject"] == "Order 4711"
    assert sent.json["body"]["content"] == "Dear Ada"


async def test_text_that_begins_with_an_equals_sign_is_text_without_a_template() -> None:
    """Nobody who does not ask for it is surprised."""
    desk = ApiDesk()

    await desk("POST", "send", SEND | {"subject": "=1+1", "template": False})

    assert desk.operations.sent[0].json["subject"] == "=1+1"


@pytest.mark.parametrize("query", [{}, LATER])
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"subject": "=order"}, "subject: text is wanted"),
        ({"subject": "=("}, "subject: a FEEL expression is wanted"),
        ({"to": "=customer.secret"}, "to[0]: its value is null"),
        ({"to": ["=customer.name"]}, "$.to"),
        ({"template": "yes"}, "template: true or false"),
        ({"template": False}, "variables: they are for a template"),
        ({"variables": []}, "variables: an object"),
    ],
)
async def test_a_template_that_gives_no_mail_is_refused(
    query: dict[str, str], fields: dict[str, Any], says: str
) -> None:
    """With the field that is wrong, and no value of a variable."""
    desk = ApiDesk()

    answer = await desk("POST", "send", TEMPLATE | fields, query=query)

    assert (answer.status, says in content(answer)["detail"]) == (400, True)
    assert "4711" not in content(answer)["detail"]
    assert not desk.operations.asked
    assert not desk.sends.table.rows


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'{"to": ["ada@example.org"], "subject": "\\ud83d"}',
        b'{"to": ["ada@example.org"], "importance": 1' + b"0" * 400 + b"}",
        b'{"template": true, "variables": {"a": 1e999}, "to": "=a"}',
        b'{"template": true, "to": [' + b'{"name":' * 900 + b"1" + b"}" * 900 + b"]}",
        b'{"template": true, "variables": ' + b"[" * 100_000,
    ],
)
async def test_a_body_that_is_odd_is_refused(body: bytes) -> None:
    """However deep, large or broken it is."""
    answer = await ApiDesk()("POST", "send", body, query=LATER)

    assert answer.status == content(answer)["status"] == 400


async def test_no_log_has_anything_of_a_durable_send(caplog: pytest.LogCaptureFixture) -> None:
    """Nor has its status."""
    desk = ApiDesk()

    await desk("POST", "send", SEND, query=LATER, headers=named("a"))
    await desk.sends.work()
    status = await desk("GET", "sends/a")

    item = desk.sends.table.rows[send_id(BOX, "a")]
    assert item.state is SendState.SENT
    for secret in ("secret", ADA):
        assert secret not in caplog.text + status.body.decode()


def test_the_document_describes_durable_sends() -> None:
    """Their parameter, their header, both bodies, and every answer."""
    document = json.loads(ApiDesk().api.openapi({}).body)
    send = document["paths"]["/api/mail/{userId}/send"]["post"]
    get = document["paths"]["/api/mail/{userId}/sends/{key}"]["get"]

    parameters = {(one["in"], one["name"]) for one in send["parameters"]}
    assert {("query", "async"), ("header", "Idempotency-Key")} <= parameters
    taken = send["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert [one["$ref"].rpartition("/")[2] for one in taken] == ["SendRequest", "SendTemplate"]
    assert set(send["responses"]["202"]["headers"]) == {"Location", "Retry-After"}
    assert get["operationId"] == "getSend"
    states = document["components"]["schemas"]["SendState"]["enum"]
    assert set(states) == {state.value for state in SendState}
