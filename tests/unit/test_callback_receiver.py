import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from standardwebhooks.webhooks import Webhook

from localdev.callback_receiver import DROPPED, AcceptedMail, CallbackReceiver

SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield session


def mail(message_id: str = "m1", **changes: Any) -> dict[str, Any]:
    email = {"id": "AAMk1", "internetMessageId": "<1@example.org>", "subject": "s", "body": "b"}
    return {
        "messageId": message_id,
        "messageName": "mail-received",
        "timeToLive": "PT1H",
        "subscription": "inquiries",
        "variables": {"email": email},
    } | changes


async def post(
    http: aiohttp.ClientSession, url: str, message: Any, *, secret: str = SECRET
) -> tuple[int, str | None]:
    """Send a signed message; return the status and Retry-After, or 0 if the answer is lost."""
    body, now = json.dumps(message), datetime.now(UTC)
    identity = str(message.get("messageId")) if isinstance(message, dict) else "none"
    headers = {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(identity, now, body),
    }
    try:
        async with http.post(url, data=body, headers=headers) as got:
            return got.status, got.headers.get("Retry-After")
    except aiohttp.ClientConnectionError:
        return 0, None


async def test_accepts_each_message_once(http: aiohttp.ClientSession) -> None:
    """The first time 202, then 409; on any path."""
    receiver = CallbackReceiver(SECRET)

    async with receiver.serve() as running:
        first = await post(http, running.hook("mail"), mail())
        again = await post(http, running.hook("other"), mail())
        other = await post(http, running.url, mail("m2"))

    assert [first[0], again[0], other[0]] == [202, 409, 202]
    assert receiver.accepted_ids == ["m1", "m2"]
    assert (receiver.counters.accepted, receiver.counters.duplicates) == (2, 1)
    assert receiver.counters.received == 3


async def test_remembers_who_and_when_but_no_content(http: aiohttp.ClientSession) -> None:
    """So memory stays flat, and nothing of the mail leaks."""
    seen: list[AcceptedMail] = []
    receiver = CallbackReceiver(SECRET, on_accept=seen.append)

    async with receiver.serve() as running:
        await post(http, running.url, mail())

    [accepted] = seen
    assert receiver.accepted["m1"] is accepted
    assert (accepted.order, accepted.subscription) == (1, "inquiries")
    assert (accepted.mail_id, accepted.internet_message_id) == ("AAMk1", "<1@example.org>")
    assert not hasattr(accepted, "__dict__")


async def test_finds_the_mail_among_its_variables(http: aiohttp.ClientSession) -> None:
    """Under any name, beside labels, or as the variables themselves."""
    email = mail()["variables"]["email"]
    receiver = CallbackReceiver(SECRET)

    async with receiver.serve() as running:
        await post(http, running.url, mail("m1", variables={"group": "x", "post": email}))
        await post(http, running.url, mail("m2", variables=email))
        await post(http, running.url, mail("m3", variables=None))

    assert [item.mail_id for item in receiver.accepted.values()] == ["AAMk1", "AAMk1", None]


async def test_refuses_bad_signatures(http: aiohttp.ClientSession) -> None:
    """Of another secret, malformed, or missing."""
    receiver = CallbackReceiver(SECRET)
    malformed = {"webhook-id": "1", "webhook-timestamp": "now", "webhook-signature": "v1"}
    no_base64 = malformed | {"webhook-timestamp": str(int(datetime.now(UTC).timestamp()))}

    async with receiver.serve() as running:
        statuses = [(await post(http, running.url, mail(), secret="b3RoZXI="))[0]]
        for headers in ({}, malformed, no_base64):
            async with http.post(running.url, json=mail(), headers=headers) as got:
                statuses.append(got.status)

    assert statuses == [401] * 4
    assert receiver.counters.bad_signatures == 4
    assert receiver.accepted_ids == []


@pytest.mark.parametrize("message", [[], {}, "text", {"message": 1}])
async def test_refuses_what_is_no_message(http: aiohttp.ClientSession, message: Any) -> None:
    """It cannot be told apart from others without its id."""
    receiver = CallbackReceiver(SECRET)

    async with receiver.serve() as running:
        assert await post(http, running.url, message) == (400, None)

    assert receiver.counters.rejected == 1


async def test_fails_as_told(http: aiohttp.ClientSession) -> None:
    """So many times, with Retry-After or without; then it is itself again."""
    receiver = CallbackReceiver(SECRET)
    receiver.fail_next(503, retry_after=7, times=2)
    receiver.fail_next(429)

    async with receiver.serve() as running:
        answers = [await post(http, running.url, mail()) for _ in range(4)]

    assert answers == [(503, "7"), (503, "7"), (429, None), (202, None)]
    assert receiver.counters.faults == 3


@pytest.mark.parametrize(("status", "seen"), [(500, 500), (DROPPED, 0)])
async def test_a_lost_answer_leads_to_a_duplicate(
    http: aiohttp.ClientSession, status: int, seen: int
) -> None:
    """The mail was accepted before the fault: the retry is told so."""
    receiver = CallbackReceiver(SECRET)
    receiver.fail_next(status, after_accepting=True)

    async with receiver.serve() as running:
        answers = [(await post(http, running.url, mail()))[0] for _ in range(2)]

    assert answers == [seen, 409]
    assert (receiver.counters.accepted, receiver.counters.duplicates) == (1, 1)


async def test_rejects_chosen_subscriptions(http: aiohttp.ClientSession) -> None:
    """For good: it is the target's final word on them."""
    receiver = CallbackReceiver(SECRET)
    receiver.reject("inquiries", 400)

    async with receiver.serve() as running:
        assert (await post(http, running.url, mail()))[0] == 400
        assert (await post(http, running.url, mail("m2", subscription="other")))[0] == 202

    assert receiver.counters.rejected == 1


async def test_never_answers_on_a_chosen_path(http: aiohttp.ClientSession) -> None:
    """Until it stops, which takes no longer for it. Other paths answer meanwhile."""
    receiver = CallbackReceiver(SECRET)
    receiver.never_answer("/hooks/silent")

    async with asyncio.timeout(10):
        async with receiver.serve() as running:
            silent = asyncio.create_task(post(http, running.hook("silent"), mail()))
            assert (await post(http, running.hook("mail"), mail("m2")))[0] == 202
            while receiver.counters.received < 2:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0)
            assert not silent.done()
        assert (await silent)[0] == 0

    assert receiver.accepted_ids == ["m2"]


async def test_faults_are_drawn_from_the_seed(http: aiohttp.ClientSession) -> None:
    """The same ones whatever the order; every mail is accepted once in the end."""
    runs = []
    for order in (range(40), reversed(range(40))):
        receiver = CallbackReceiver(SECRET, fault_rate=0.5, seed=7)
        answers: dict[str, list[int]] = {}
        async with receiver.serve() as running:
            for message_id in (f"m{i}" for i in order):
                statuses = answers.setdefault(message_id, [])
                while not statuses or statuses[-1] not in (202, 409):
                    statuses.append((await post(http, running.url, mail(message_id)))[0])
        assert len(receiver.accepted_ids) == receiver.counters.accepted == 40
        runs.append(answers)

    assert runs[0] == runs[1]
    assert {status for statuses in runs[0].values() for status in statuses} == {
        *(0, 202, 409, 429, 500, 503)
    }


async def test_without_a_secret_nothing_is_checked(http: aiohttp.ClientSession) -> None:
    """For a first try by hand."""
    receiver = CallbackReceiver()

    async with receiver.serve() as running, http.post(running.url, json=mail()) as got:
        assert got.status == 202
