"""Requests find their operation, are checked, and are answered."""

import json
from typing import Any

import pytest

from shared.api.operations import OPERATIONS
from shared.domain.errors import (
    AnswerLost,
    AnswerTooLarge,
    GraphSaid,
    MailboxRefused,
    MailboxUnavailable,
    SignInRefused,
)
from tests.unit.api.desk import BOX, ApiDesk, content
from tests.unit.workflows.outbound.desk import ADA

SEND = {"to": [ADA], "subject": "a secret subject", "body": "a secret body"}


async def test_a_mail_is_sent() -> None:
    """The answer tells what is known of it."""
    desk = ApiDesk()

    answer = await desk("POST", "send", SEND)

    assert answer.status == 200
    assert content(answer) == {
        "status": "sent",
        "savedToSentItems": True,
        "messageId": None,
        "internetMessageId": None,
        "conversationId": None,
    }


async def test_an_identified_mail_names_its_ids() -> None:
    """So that an answer to it can be correlated."""
    answer = await ApiDesk()("POST", "send", SEND | {"identify": True})

    assert content(answer)["internetMessageId"] == "<1@example.org>"
    assert content(answer)["conversationId"] == "thread-1"


@pytest.mark.parametrize("how", ["reply", "replyAll", "forward"])
async def test_a_mail_is_answered(how: str) -> None:
    """Each in the thread."""
    desk = ApiDesk()
    mail = desk.operations.deliver()

    answer = await desk("POST", f"messages/{mail}/{how}", {"to": [ADA], "body": "a"})

    assert content(answer)["conversationId"] == "thread-of-question"


async def test_a_list_leads_to_its_rest_at_our_own_address() -> None:
    """Whatever the caller's address for us is."""
    desk = ApiDesk()
    for _ in range(3):
        desk.operations.deliver()

    answer = await desk("GET", "messages", query={"$top": "2", "$count": "true"})

    page = content(answer)
    assert (len(page["value"]), page["count"]) == (2, 3)
    host, _, token = page["nextLink"].rpartition("/")
    assert host == f"https://app.example/api/mail/{BOX}/next"
    assert (await desk("GET", f"next/{token}")).status == 200


async def test_the_address_that_the_app_is_set_to_have_leads_links() -> None:
    """For behind a gateway it does not see its own."""
    desk = ApiDesk(public_url="https://public.example")
    desk.operations.deliver()
    desk.operations.deliver()

    answer = await desk("GET", "folders/inbox/messages", query={"$top": "1"})

    assert content(answer)["nextLink"].startswith("https://public.example/api/mail/")


async def test_folders_and_messages_are_served() -> None:
    """Every operation that changes, and what it answers."""
    desk = ApiDesk()
    mail = desk.operations.deliver()

    statuses = [
        (await desk("GET", "folders")).status,
        (await desk("POST", "folders", {"displayName": "Done"})).status,
        (await desk("GET", "folders/inbox/folders")).status,
        (await desk("GET", f"messages/{mail}", query={"$select": "id"})).status,
        (await desk("PATCH", f"messages/{mail}", {"isRead": True})).status,
        (await desk("POST", f"messages/{mail}/move", {"folder": "Done"})).status,
        (await desk("DELETE", f"messages/{mail}")).status,
        (await desk("DELETE", f"messages/{mail}", query={"permanent": "true"})).status,
        (await desk("GET", f"messages/{mail}")).status,
    ]

    assert statuses == [200, 201, 200, 200, 200, 200, 204, 204, 404]


@pytest.mark.parametrize(
    ("method", "rest", "body", "status"),
    [
        ("GET", "", None, 404),
        ("GET", "send/now", None, 404),
        ("GET", "messages/a b", None, 404),
        ("GET", "messages/../folders", None, 404),
        ("GET", "send", None, 405),
        ("PUT", "messages/AAMk", None, 405),
        ("POST", "send", b"", 400),
        ("POST", "send", b"{", 400),
        ("POST", "send", b"\xff\xfe", 400),
        ("POST", "send", b'"' + b"[" * 100_000, 400),
        ("POST", "send", b"[" * 100_000, 400),
        ("POST", "send", {}, 400),
        ("GET", "next/AAAA", None, 400),
    ],
)
async def test_what_is_no_request_of_ours_is_refused(
    method: str, rest: str, body: Any, status: int
) -> None:
    """As a problem that says why."""
    answer = await ApiDesk()(method, rest, body)

    assert answer.status == content(answer)["status"] == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    "user",
    [
        *("", "..", "a/b", "a\\b", "a b", "a%2fb", "a?b", "a" * 300),
        *("me-token-to-replace", "Me-Token-To-Replace", "me-token-to-replaced"),
    ],
)
async def test_a_mailbox_that_is_none_is_refused(user: str) -> None:
    """Nothing is asked of Graph."""
    desk = ApiDesk()

    assert (await desk("GET", "folders", user=user)).status == 400
    assert not desk.operations.asked


async def test_parameters_are_checked() -> None:
    """The function key in the address is not one of them."""
    desk = ApiDesk()

    fine = await desk("GET", "messages", query={"$top": "5", "code": "key"})
    bad = await desk("GET", "messages", query={"$top": "0", "$format": "atom"})

    assert fine.status == 200
    assert (bad.status, "$top" in content(bad)["detail"]) == (400, True)


async def test_a_callers_token_is_handed_on_and_shown_nowhere() -> None:
    """Neither in answers nor in what is printed of a caller."""
    desk = ApiDesk()
    headers = {"x-graph-authorization": "Bearer abc.def-ghi"}

    await desk("GET", "folders", headers=headers)
    refused = await desk("GET", "folders", headers={"x-graph-authorization": "Basic abc.def"})

    assert desk.operations.callers[0].bearer == "abc.def-ghi"
    assert "abc" not in repr(desk.operations.callers[0])
    assert (refused.status, b"abc" in refused.body) == (401, False)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (MailboxUnavailable(BOX, "throttled", 12.3), 429, "throttled"),
        (MailboxUnavailable(BOX, "down"), 503, "mailboxUnavailable"),
        (AnswerLost(BOX, "lost"), 503, "mailboxUnavailable"),
        (AnswerTooLarge(BOX, "large"), 422, "answerTooLarge"),
        (SignInRefused(BOX, "no token"), 502, "signInRefused"),
        (MailboxRefused(BOX, "no"), 502, "refused"),
    ],
)
async def test_errors_become_problems(error: MailboxUnavailable, status: int, code: str) -> None:
    """With what to do, and when."""
    desk = ApiDesk()
    desk.operations.fail_next("list_folders", error)

    answer = await desk("GET", "folders")

    assert (answer.status, content(answer)["code"]) == (status, code)
    assert answer.headers.get("Retry-After") == ("13" if status == 429 else None)


@pytest.mark.parametrize("given", ["", " ", "Bearer", "Bearer ", "bearer"])
async def test_an_empty_token_is_none_and_not_the_apps(given: str) -> None:
    """Whose variable is empty does not get the rights of the app."""
    desk = ApiDesk()

    answer = await desk("GET", "folders", headers={"x-graph-authorization": given})

    assert answer.status == 401
    assert not desk.operations.asked


async def test_half_a_character_of_a_mail_is_handed_on() -> None:
    """Graph cuts previews anywhere: in JSON it is escaped, as Graph has it."""
    desk = ApiDesk()
    mail = desk.operations.deliver(bodyPreview="party \ud83d", subject="Grüße")

    one = await desk("GET", f"messages/{mail}")
    page = await desk("GET", "messages")

    assert (one.status, page.status) == (200, 200)
    assert content(one)["bodyPreview"] == "party \ud83d"
    assert content(page)["value"][0]["subject"] == "Grüße"


@pytest.mark.parametrize("fields", [{}, {"identify": True}])
async def test_a_send_without_an_answer_is_told_as_perhaps_sent(fields: dict[str, Any]) -> None:
    """Only where it has begun."""
    desk = ApiDesk()
    method = "send_draft" if fields else "send_at_once"
    desk.operations.fail_next(method, AnswerLost(BOX, "lost"), after_effect=True)
    for _ in range(4):
        desk.operations.fail_next("look", MailboxUnavailable(BOX, "down"))

    answer = await desk("POST", "send", SEND | fields)

    assert (answer.status, content(answer)["code"]) == (504, "answerLost")
    assert "Sent Items" in content(answer)["action"]


@pytest.mark.parametrize(
    ("method", "status", "begun"),
    [("create_draft", 503, False), ("send_draft", 504, True)],
)
async def test_a_request_that_takes_too_long_tells_whether_a_mail_may_be_sent(
    monkeypatch: pytest.MonkeyPatch, method: str, status: int, *, begun: bool
) -> None:
    """It may be where its sending has begun, and else it is not."""
    monkeypatch.setattr("shared.api.dispatch.DEADLINE", 0.05)
    monkeypatch.setattr("shared.workflows.outbound.drafts.WAITED_FOR", 0.05)
    desk = ApiDesk()
    desk.operations.hang_next(method, after_effect=False)

    answer = await desk("POST", "send", SEND | {"identify": True})
    desk.operations.let_go.set()

    assert (answer.status, content(answer)["code"]) == (status, "timeout")
    assert ("sent or not" in content(answer)["detail"]) == begun
    assert ("No mail is sent" in content(answer)["detail"]) != begun


async def test_a_failure_after_a_send_has_begun_says_that_it_may_be_sent() -> None:
    """Whoever repeats it blindly might send twice."""
    desk = ApiDesk()
    desk.operations.fail_next("send_at_once", KeyError("odd"), after_effect=True)

    answer = await desk("POST", "send", SEND)

    assert answer.status == 500
    assert "Sent Items" in content(answer)["action"]


@pytest.mark.parametrize(("code", "shown"), [("ErrorSendAsDenied", True), ("ErrorOdd", False)])
async def test_graphs_words_are_repeated_where_they_hold_nothing_of_a_mail(
    code: str, *, shown: bool
) -> None:
    """Its code and its request id always are."""
    desk = ApiDesk()
    error = MailboxRefused(BOX, "send: Graph answered 403")
    error.said = GraphSaid(403, code, "It does not have the right", "request-1")
    desk.operations.fail_next("send_at_once", error)

    answer = await desk("POST", "send", SEND)

    problem = content(answer)
    assert (answer.status, problem["code"], problem["requestId"]) == (403, code, "request-1")
    assert ("graphMessage" in problem) == shown


async def test_an_error_that_nobody_thought_of_is_a_problem_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log says where; neither repeats its text."""
    desk = ApiDesk()
    desk.operations.fail_next("send_at_once", ValueError("a secret body"))

    answer = await desk("POST", "send", SEND)

    assert answer.status == 500
    assert "api.failed" in caplog.text
    assert "secret" not in caplog.text + answer.body.decode()


async def test_no_log_has_anything_of_a_mail(caplog: pytest.LogCaptureFixture) -> None:
    """Nor of whom it goes to."""
    desk = ApiDesk()

    await desk("POST", "send", SEND, headers={"x-graph-authorization": "Bearer token-1"})
    await desk("POST", "send", SEND | {"to": ["no address"]})

    assert "api.answered" in caplog.text
    for secret in ("secret", ADA, "token-1", "no address"):
        assert secret not in caplog.text


async def test_every_operation_has_a_path_of_its_own() -> None:
    """And the document names each once."""
    pairs = [(one.method, one.path) for one in OPERATIONS]
    document = json.loads(ApiDesk().api.openapi({}).body)

    assert len(set(pairs)) == len(pairs)
    named = [
        method["operationId"] for path in document["paths"].values() for method in path.values()
    ]
    assert sorted(named) == sorted(one.name for one in OPERATIONS)
