from collections.abc import Sequence
from typing import Any

import pytest

from shared.adapters.graph import operations
from shared.adapters.graph.answers import GraphAnswer
from shared.adapters.graph.batch import BatchItem, send_batch
from shared.adapters.graph.client import GraphRequest
from shared.domain.errors import MailboxRefused, MailboxUnavailable
from shared.domain.subscription import Operation, PostProcess

USER = "support@contoso.example"


class Answering:
    """Stands for a `GraphClient`: answers as a test says, and keeps what it was sent."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.answer = GraphAnswer(status, {}, body)
        self.sent: list[GraphRequest] = []

    async def send(self, mailbox: str, request: GraphRequest) -> GraphAnswer:  # noqa: ARG002
        """Answers."""
        self.sent.append(request)
        return self.answer


def items(amount: int) -> list[BatchItem]:
    """So many requests."""
    path = ("users", USER, "messages")
    return [BatchItem(what="get", method="GET", path=(*path, str(n))) for n in range(amount)]


async def sent(client: Answering, batch: Sequence[BatchItem]) -> list[GraphAnswer]:
    """The answers to a batch."""
    return await send_batch(client, USER, batch)  # type: ignore[arg-type]


async def test_answers_are_given_in_the_order_of_the_requests() -> None:
    """Graph gives them in any."""
    responses = [{"id": str(n), "status": 200 + n, "body": {"n": n}} for n in (2, 0, 1)]

    answers = await sent(Answering(200, {"responses": responses}), items(3))

    assert [(answer.status, answer.body["n"]) for answer in answers] == [
        (200, 0),
        (201, 1),
        (202, 2),
    ]


async def test_a_request_without_an_answer_is_worth_repeating() -> None:
    """Nobody knows whether it was done."""
    responses = [{"id": "1", "status": 204}]

    answers = await sent(Answering(200, {"responses": responses}), items(2))

    assert [answer.status for answer in answers] == [504, 204]


@pytest.mark.parametrize("body", [{}, {"responses": []}])
async def test_a_batch_without_answers_is_unavailable(body: dict[str, Any]) -> None:
    """The outer 200 says nothing."""
    with pytest.raises(MailboxUnavailable, match="none of its requests"):
        await sent(Answering(200, body), items(2))


@pytest.mark.parametrize(("status", "error"), [(503, MailboxUnavailable), (400, MailboxRefused)])
async def test_a_batch_can_fail_as_a_whole(status: int, error: type[Exception]) -> None:
    """As any request."""
    with pytest.raises(error):
        await sent(Answering(status, {}), items(2))


async def test_each_request_has_an_id_and_asks_for_immutable_ids() -> None:
    """Preferences of the outer request do not count for the inner ones."""
    client = Answering(200, {"responses": [{"id": "0", "status": 200}]})

    await sent(client, [*items(2), BatchItem(what="w", method="GET", path=("a",), prefer=("x=1",))])

    requests = client.sent[0].body["requests"]
    assert [request["id"] for request in requests] == ["0", "1", "2"]
    assert [request["headers"]["Prefer"] for request in requests] == [
        'IdType="ImmutableId"',
        'IdType="ImmutableId"',
        'IdType="ImmutableId", x=1',
    ]


@pytest.mark.parametrize("mail_id", ["../../other", "a/b", "a?b#c", "%2e%2e", "a b&c=d"])
def test_an_id_cannot_leave_its_segment(mail_id: str) -> None:
    """Whatever stands in it."""
    url = operations.move(USER, mail_id, "archive").to_json(0)["url"]

    assert url.startswith("/users/support%40contoso.example/messages/")
    assert url.endswith("/move")
    assert url.count("/") == 5
    assert not set("?#& ") & set(url)


def test_a_body_says_what_it_is() -> None:
    """And a request without one says nothing."""
    marking = operations.marks(USER, "1", PostProcess((Operation.MARK_AS_READ,)), ())
    assert marking is not None

    assert marking.to_json(0)["body"] == {"isRead": True}
    assert marking.to_json(0)["headers"]["Content-Type"] == "application/json"
    assert "body" not in items(1)[0].to_json(0)


def test_labels_are_added_once() -> None:
    """Those that the mail has come first."""
    actions = PostProcess((Operation.CATEGORIZE,), categories=("new", "old"))
    labelling = operations.marks(USER, "1", actions, ("old", "other"))
    assert labelling is not None

    assert labelling.body == {"categories": ["old", "other", "new"]}


def test_a_mere_move_marks_nothing() -> None:
    """No request for nothing."""
    assert operations.marks(USER, "1", PostProcess((Operation.MOVE,)), ()) is None
