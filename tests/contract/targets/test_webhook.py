"""What the webhook adapter does on the wire."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from shared.adapters import target_gate
from shared.adapters.secrets import SecretStore
from shared.adapters.targets import AllTargets
from shared.adapters.webhook import webhook_id
from shared.domain.outcome import Accepted, Answer, Rejected, TooLarge, Unavailable
from shared.domain.target import TargetAuth, TargetMessage, WebhookTarget
from tests.builders import target_message
from tests.contract.targets.worlds import SECRET, ReceiverWorld, receiver_world

SECRETS = {
    "SIGN": SECRET,
    "TOKEN": "t0ken",
    "USER_PASSWORD": "ada:pässword",
    "BROKEN": "ada:p\udce4ssword",
}


class Endpoint:
    """An endpoint that answers as a test says, and keeps what it was sent."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = headers
        self.requests: list[web.BaseRequest] = []
        self.body: dict[str, Any] = {}
        self.raw = b""
        self.url = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers."""
        self.requests.append(request)
        self.raw = await request.read()
        self.body = await request.json()
        return web.Response(status=self.status, headers=self.headers, text="<b>the mail</b>")


@asynccontextmanager
async def endpoint(status: int = 200, **headers: str) -> AsyncIterator[Endpoint]:
    """Listens while the block runs."""
    answering = Endpoint(status, headers)
    runner = web.ServerRunner(web.Server(answering.handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    answering.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/mail?key=a%20b"
    yield answering
    await runner.cleanup()


async def deliver(
    url: str,
    auth: TargetAuth | None = None,
    secrets: dict[str, str] | None = None,
    message: TargetMessage | None = None,
) -> Answer:
    """Hands one message to an address, with an adapter of its own."""
    targets = AllTargets(SecretStore(secrets or SECRETS), "", timedelta(seconds=30), 1_000)
    try:
        target = WebhookTarget(url, auth or TargetAuth(signing="SIGN"))
        return await targets.deliver(target, message or target_message())
    finally:
        await targets.close()


async def test_the_mail_arrives_as_json() -> None:
    """With its identity, name, time to live and variables; even half a character survives."""
    async with endpoint() as target:
        await deliver(target.url)

    message = target_message()
    assert target.body == {
        "messageId": message.message_id,
        "messageName": "mail-received",
        "correlationKey": "order-4711",
        "timeToLive": 3_600_000,
        "subscription": "team/tickets",
        "variables": message.variables,
    }
    assert target.requests[0].raw_path == "/hooks/mail?key=a%20b"


async def test_the_mail_is_signed_as_standard_webhooks_wants_it() -> None:
    """Over id, time and body; one trace leads from the mailbox to the target."""
    async with endpoint() as target:
        await deliver(target.url)

    headers = dict(target.requests[0].headers)
    assert Webhook(SECRET).verify(target.raw, headers) == target.body
    assert headers["webhook-id"] == webhook_id(target_message())
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    assert headers["traceparent"] == target_message().traceparent
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("field", ["message_id", "subscription"])
async def test_half_a_character_in_an_identity_is_delivered(field: str) -> None:
    """An expression over a broken mail gives one; every attempt carries the same identity."""
    broken: dict[str, Any] = {field: "half \ud83d"}
    message = target_message(**broken)

    async with endpoint() as target:
        outcomes = [await deliver(target.url, message=message) for _ in range(2)]

    assert outcomes == [Accepted()] * 2
    assert len({request.headers["webhook-id"] for request in target.requests}) == 1


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (TargetAuth(signing="SIGN"), None),
        (TargetAuth(signing="SIGN", bearer="TOKEN"), "Bearer t0ken"),
        (
            TargetAuth(signing="SIGN", basic="USER-PASSWORD"),
            "Basic " + base64.b64encode("ada:pässword".encode()).decode(),
        ),
        (
            TargetAuth(signing="SIGN", basic="BROKEN"),
            "Basic " + base64.b64encode(b"ada:p?ssword").decode(),
        ),
    ],
)
async def test_a_target_may_want_authorization(auth: TargetAuth, header: str | None) -> None:
    """Beside the signature."""
    async with endpoint() as target:
        await deliver(target.url, auth)

    assert target.requests[0].headers.get("Authorization") == header


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Accepted()),
        (202, Accepted()),
        (204, Accepted()),
        (301, Rejected("answered 301, a redirection: put the final address into targetUrl")),
        (400, Rejected("answered 400")),
        (401, Rejected("answered 401")),
        (404, Rejected("answered 404")),
        (408, Unavailable("answered 408")),
        (409, Accepted(already=True)),
        (410, Rejected("answered 410")),
        (413, TooLarge("answered 413: the message is too large for it")),
        (422, Rejected("answered 422")),
        (425, Unavailable("answered 425")),
        (429, Unavailable("answered 429")),
        (500, Unavailable("answered 500")),
        (501, Unavailable("answered 501")),
        (503, Unavailable("answered 503")),
    ],
)
async def test_what_statuses_mean(status: int, outcome: Answer) -> None:
    """The body says nothing, for it may repeat the mail; a redirection is not followed."""
    async with endpoint(status, Location="/elsewhere") as target:
        assert await deliver(target.url) == outcome

    assert len(target.requests) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120.0), ("2.128", 2.128), ("soon", None), ("1e12", 86_400.0), ("-5", 0.0)],
)
async def test_retry_after_is_told(value: str, seconds: float | None) -> None:
    """However it is written; never longer than a day."""
    async with endpoint(429, **{"Retry-After": value}) as target:
        assert await deliver(target.url) == Unavailable("answered 429", seconds)


async def test_a_connection_that_breaks_is_unavailable(received: ReceiverWorld) -> None:
    """The target may have accepted: the next attempt tells."""
    received.breaks_next()

    outcomes = [await received.deliver(), await received.deliver()]

    assert outcomes == [
        Unavailable("not reached (ServerDisconnectedError)"),
        Accepted(already=True),
    ]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://host.invalid/"])
async def test_a_target_that_is_not_reached_is_unavailable(url: str) -> None:
    """No such port, no such host."""
    outcome = await deliver(url)

    assert isinstance(outcome, Unavailable)
    assert "not reached" in outcome.reason


async def test_a_target_that_does_not_answer_is_unavailable() -> None:
    """After the time that the setting allows."""
    async with receiver_world(answer_within=timedelta(seconds=0.05)) as world:
        world.receiver.never_answer("/hooks/mail")

        assert await world.deliver() == Unavailable("no answer within 0.05 s")


@pytest.mark.parametrize(
    ("secrets", "auth", "reason"),
    [
        ({}, TargetAuth(signing="SIGN"), "secret 'SIGN' is not known"),
        ({"SIGN": SECRET}, TargetAuth(signing="SIGN", bearer="TOKEN"), "'TOKEN' is not known"),
        ({"SIGN": SECRET}, TargetAuth(signing="SIGN", basic="PAIR"), "'PAIR' is not known"),
        ({"SIGN": "no base64!"}, TargetAuth(signing="SIGN"), "signing secret cannot be used"),
        ({"SIGN": "whsec_"}, TargetAuth(signing="SIGN"), "signing secret cannot be used"),
        ({"SIGN": "whsec_ä"}, TargetAuth(signing="SIGN"), "signing secret cannot be used"),
        ({}, TargetAuth(), "set targetAuth, or the app setting WEBHOOK_SIGNING_SECRET"),
        (
            {"SIGN": SECRET, "TOKEN": "a\r\nX-Other: b"},
            TargetAuth(signing="SIGN", bearer="TOKEN"),
            "for line breaks",
        ),
    ],
)
async def test_a_secret_that_is_missing_or_bad_waits_for_a_person(
    secrets: dict[str, str], auth: TargetAuth, reason: str
) -> None:
    """Nothing is sent, and no secret is shown; once corrected, the mail goes on."""
    async with endpoint() as target:
        outcome = await deliver(target.url, auth, secrets | {"OTHER": "x"})

    assert isinstance(outcome, Unavailable)
    assert reason in outcome.reason
    assert "no base64!" not in outcome.reason
    assert target.requests == []


async def test_rows_without_targetauth_are_signed_by_the_setting(received: ReceiverWorld) -> None:
    """The receiver checks it."""
    assert await received.deliver() == Accepted()
    assert received.receiver.counters.bad_signatures == 0


async def test_a_wrong_signature_is_a_rejection() -> None:
    """401: a person must correct the secret."""
    async with receiver_world(default="b3RoZXI=") as world:
        assert await world.deliver() == Rejected("answered 401")


async def test_one_silent_target_does_not_hold_up_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has so many places and no more; what finds none goes back to the queue at once."""
    monkeypatch.setattr(target_gate, "PATIENCE", 0.0)
    async with receiver_world() as world:
        world.receiver.never_answer("/hooks/silent")
        silent = WebhookTarget(world.running.hook("silent"))
        waiting = [
            asyncio.create_task(world.targets.deliver(silent, target_message(n)))
            for n in range(target_gate.AT_ONCE)
        ]
        while world.receiver.counters.received < target_gate.AT_ONCE:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)

        turned_away = await world.targets.deliver(silent, target_message(99))
        other = await world.deliver()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    assert isinstance(turned_away, Unavailable)
    assert "24 deliveries wait for its answer" in turned_away.reason
    assert other == Accepted()


async def test_a_target_that_keeps_failing_is_left_alone_for_a_while(
    received: ReceiverWorld,
) -> None:
    """It is not asked at all meanwhile."""
    for _ in range(target_gate.FAILURES_IN_A_ROW):
        received.fails_next()
        await received.deliver()

    outcome = await received.deliver()

    assert isinstance(outcome, Unavailable)
    assert "it failed repeatedly just now" in outcome.reason
    assert received.receiver.counters.received == target_gate.FAILURES_IN_A_ROW
