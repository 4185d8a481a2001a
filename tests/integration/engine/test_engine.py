"""What a real engine answers, on which the Camunda target rests."""

import asyncio
import uuid
from typing import Any

import pytest

from localdev.engine import Answer, Engine

pytestmark = pytest.mark.usefixtures("no_jobs")

PROBLEM = "application/problem+json"


def mail(**changes: Any) -> dict[str, Any]:
    """A publication that starts an instance, with an id of its own."""
    return {
        "name": "mail-received",
        "correlationKey": "",
        "timeToLive": 60_000,
        "messageId": uuid.uuid4().hex,
        "variables": {"email": {"subject": "Grüße"}},
    } | changes


def reply(ticket: str, **changes: Any) -> dict[str, Any]:
    """A correlation with the instance that waits for this ticket."""
    variables = {"email": {"subject": "Re"}}
    return {"name": "reply-received", "correlationKey": ticket, "variables": variables} | changes


def problem(title: str, status: int, detail: str, path: str) -> Answer:
    """A refusal."""
    told = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Answer(status, told | {"instance": f"/v2/{path}"}, PROBLEM)


async def until_it_is_not(status: int, engine: Engine, path: str, body: dict[str, Any]) -> Answer:
    """Posts again and again, for what the engine does a moment later."""
    async with asyncio.timeout(20):
        while True:
            answer = await engine.post(path, body)
            if answer.status != status:
                return answer
            await asyncio.sleep(0.05)


class TestPublication:
    """POST /v2/messages/publication."""

    async def test_starts_an_instance(self, engine: Engine) -> None:
        """Which sees the variables."""
        answer = await engine.post("messages/publication", mail())

        jobs = await engine.take_jobs("handle-mail")
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert answer.body.keys() == {"messageKey", "tenantId"}
        assert [job.variables for job in jobs] == [{"email": {"subject": "Grüße"}}]

    async def test_is_buffered_until_somebody_waits(self, engine: Engine) -> None:
        """Within its time to live."""
        await engine.post(
            "messages/publication", mail(name="reply-received", correlationKey="T-early")
        )
        instance = await engine.start("reply-awaited", {"ticket": "T-early"})

        jobs = await engine.take_jobs("handle-reply", within=5)
        assert [job.process_instance_key for job in jobs] == [instance]

    async def test_an_id_that_is_known_is_refused(self, engine: Engine) -> None:
        """As long as the message lives, though an instance has long consumed it."""
        message = mail(messageId="known")
        await engine.post("messages/publication", message)

        assert await engine.post("messages/publication", message) == problem(
            "ALREADY_EXISTS",
            409,
            "Command 'PUBLISH' rejected with code 'ALREADY_EXISTS': Expected to publish a new"
            " message with id 'known', but a message with that id was already published",
            "messages/publication",
        )
        assert len(await engine.take_jobs("handle-mail")) == 1

    async def test_copies_at_once_start_one_instance(self, engine: Engine) -> None:
        """However many."""
        message = mail()

        answers = await asyncio.gather(
            *[engine.post("messages/publication", message) for _ in range(20)]
        )

        assert sorted(answer.status for answer in answers) == [200] + 19 * [409]
        assert len(await engine.take_jobs("handle-mail")) == 1

    @pytest.mark.parametrize(
        "other",
        [
            {"correlationKey": "another"},
            {"name": "reply-received"},
        ],
    )
    async def test_an_id_counts_for_one_name_and_key(
        self, engine: Engine, other: dict[str, str]
    ) -> None:
        """With another name or correlation key it is another message."""
        message = mail()
        await engine.post("messages/publication", message)

        assert (await engine.post("messages/publication", message | other)).status == 200

    async def test_an_id_is_forgotten_with_its_message(self, engine: Engine) -> None:
        """Who retries for longer than the time to live may start two instances."""
        message = mail(timeToLive=1)
        await engine.post("messages/publication", message)

        await until_it_is_not(409, engine, "messages/publication", message)

        assert len(await engine.take_jobs("handle-mail")) == 2

    @pytest.mark.parametrize("changes", [{"timeToLive": 0}, {"messageId": ""}])
    async def test_without_a_life_or_an_id_all_are_new(
        self, engine: Engine, changes: dict[str, Any]
    ) -> None:
        """Nothing is remembered of them."""
        message = mail(**changes)

        answers = [await engine.post("messages/publication", message) for _ in range(2)]

        assert [answer.status for answer in answers] == [200, 200]
        assert len(await engine.take_jobs("handle-mail")) == 2

    async def test_instances_of_one_key_start_one_after_another(self, engine: Engine) -> None:
        """The next message of a key waits for the end of the instance before."""
        for _ in range(2):
            await engine.post("messages/publication", mail(correlationKey="customer"))

        async with asyncio.timeout(20):
            jobs = await engine.take_jobs("handle-mail")
            while len(jobs) < 2:
                jobs += await engine.take_jobs("handle-mail", within=1)
        assert len({job.process_instance_key for job in jobs}) == 2

    async def test_a_field_that_it_does_not_know_is_ignored(self, engine: Engine) -> None:
        """This version lets it pass; 8.8 answers 400. Clients keep to what is documented."""
        answer = await engine.post("messages/publication", mail(nonsense=1))

        assert answer.status == 200

    @pytest.mark.parametrize(
        ("changes", "title", "detail"),
        [
            ({"name": ""}, "INVALID_ARGUMENT", "No name provided."),
            ({"variables": "text"}, "Bad Request", "Failed to read request"),
            (
                {"tenantId": "acme"},
                "INVALID_ARGUMENT",
                (
                    "Expected to handle request Publish Message with tenant identifier 'acme', but"
                    " multi-tenancy is disabled"
                ),
            ),
        ],
    )
    async def test_what_it_cannot_read_it_refuses(
        self, engine: Engine, changes: dict[str, Any], title: str, detail: str
    ) -> None:
        """With 400: as good as it gets."""
        answer = await engine.post("messages/publication", mail(**changes))

        assert answer == problem(title, 400, detail, "messages/publication")


class TestCorrelation:
    """POST /v2/messages/correlation."""

    async def test_reaches_the_instance_that_waits(self, engine: Engine) -> None:
        """And names it."""
        instance = await engine.start("reply-awaited", {"ticket": "T-1"})

        answer = await until_it_is_not(404, engine, "messages/correlation", reply("T-1"))

        jobs = await engine.take_jobs("handle-reply", within=5)
        assert answer.status == 200
        assert answer.body.keys() == {"messageKey", "tenantId", "processInstanceKey"}
        assert answer.body["processInstanceKey"] == instance
        assert [job.variables for job in jobs] == [{"ticket": "T-1", "email": {"subject": "Re"}}]

    async def test_nobody_waits(self, engine: Engine) -> None:
        """It is not buffered."""
        assert await engine.post("messages/correlation", reply("T-none")) == problem(
            "NOT_FOUND",
            404,
            "Command 'CORRELATE' rejected with code 'NOT_FOUND': Expected to find subscription for"
            " message with name 'reply-received' and correlation key 'T-none', but none was"
            " found.",
            "messages/correlation",
        )

    async def test_one_that_was_correlated_before_looks_like_nobody_waits(
        self, engine: Engine
    ) -> None:
        """After a lost answer there is no telling; a message id is not looked at."""
        await engine.start("reply-awaited", {"ticket": "T-answer-lost"})

        message = reply("T-answer-lost", messageId="m")

        first = await until_it_is_not(404, engine, "messages/correlation", message)
        second = await engine.post("messages/correlation", message)

        assert [first.status, second.status] == [200, 404]

    async def test_starts_an_instance_too(self, engine: Engine) -> None:
        """Where a start event has that name."""
        answer = await engine.post("messages/correlation", reply("", name="mail-received"))

        jobs = await engine.take_jobs("handle-mail")
        assert [job.process_instance_key for job in jobs] == [answer.body["processInstanceKey"]]


class TestCreation:
    """POST /v2/process-instances."""

    async def test_creates_an_instance(self, engine: Engine) -> None:
        """And names it."""
        body = {"processDefinitionId": "open-case", "variables": {"email": {"subject": "New"}}}
        answer = await engine.post("process-instances", body)

        jobs = await engine.take_jobs("open-case")
        assert answer.status == 200
        assert [job.process_instance_key for job in jobs] == [answer.body["processInstanceKey"]]
        assert [job.variables for job in jobs] == [{"email": {"subject": "New"}}]

    @pytest.mark.parametrize("label", [{"tags": ["mail:1"]}, {"businessId": "mail:1"}])
    async def test_nothing_keeps_it_from_creating_two(
        self, engine: Engine, label: dict[str, Any]
    ) -> None:
        """Tags (8.8) and business ids (8.9) are ignored by this version, and come back nowhere."""
        body = {"processDefinitionId": "open-case", **label}

        answers = [await engine.post("process-instances", body) for _ in range(2)]

        assert [answer.status for answer in answers] == [200, 200]
        assert not answers[0].body.keys() & label.keys()
        assert len(await engine.take_jobs("open-case")) == 2

    async def test_nothing_can_be_searched(self, engine: Engine) -> None:
        """Without a database."""
        assert (await engine.post("process-instances/search", {})).status == 404

    @pytest.mark.parametrize(
        ("body", "title", "status", "detail"),
        [
            (
                {"processDefinitionId": "nowhere"},
                "NOT_FOUND",
                404,
                (
                    "Command 'CREATE' rejected with code 'NOT_FOUND': Expected to find process"
                    " definition with process ID 'nowhere', but none found"
                ),
            ),
            (
                {"processDefinitionId": "mail-received"},
                "INVALID_STATE",
                409,
                (
                    "Command 'CREATE' rejected with code 'INVALID_STATE': Expected to create"
                    " instance of process with none start event, but there is no such event"
                ),
            ),
            (
                {},
                "INVALID_ARGUMENT",
                400,
                "At least one of [processDefinitionId, processDefinitionKey] is required.",
            ),
        ],
    )
    async def test_what_cannot_be_created(
        self, engine: Engine, body: dict[str, Any], title: str, status: int, detail: str
    ) -> None:
        """A 409 is no success here: it is a process that only messages start."""
        answer = await engine.post("process-instances", body)

        assert answer == problem(title, status, detail, "process-instances")


class TestSizes:
    """The engine keeps a few copies of the variables in one batch of 4 MB."""

    @pytest.mark.parametrize(
        ("path", "command", "body"),
        [
            ("messages/publication", "PUBLISH", mail()),
            ("messages/correlation", "CORRELATE", reply("T-big")),
            ("process-instances", "CREATE", {"processDefinitionId": "open-case"}),
        ],
    )
    async def test_too_much_is_a_500(
        self, engine: Engine, path: str, command: str, body: dict[str, Any]
    ) -> None:
        """Though to try again is in vain: title and detail tell."""
        some, more = [
            await engine.post(path, body | {"variables": {"email": "x" * size}})
            for size in (3_000_000, 5_000_000)
        ]

        assert some == problem(
            "EXCEEDED_BATCH_RECORD_SIZE",
            500,
            f"Command '{command}' rejected with code 'EXCEEDED_BATCH_RECORD_SIZE': ",
            path,
        )
        assert more == problem(
            "MALFORMED_REQUEST",
            500,
            "Received an unexpected error from the broker, code: MALFORMED_REQUEST, message:"
            " Request size is above configured maxMessageSize.",
            path,
        )

    @pytest.mark.parametrize(
        ("path", "body", "fits"),
        [
            ("messages/publication", mail(messageId=""), 1_390_000),
            ("messages/correlation", reply("", name="mail-received"), 690_000),
            ("process-instances", {"processDefinitionId": "open-case"}, 2_090_000),
        ],
    )
    async def test_what_starts_an_instance(
        self, engine: Engine, path: str, body: dict[str, Any], fits: int
    ) -> None:
        """Arrives whole up to here, and 10 kB more is refused: the copies differ in number."""
        within, beyond = [
            await engine.post(path, body | {"variables": {"email": "x" * size}})
            for size in (fits, fits + 10_000)
        ]

        job_type = "open-case" if path == "process-instances" else "handle-mail"
        jobs = await engine.take_jobs(job_type)
        assert [len(job.variables["email"]) for job in jobs] == [fits]
        assert (within.status, beyond.status) == (200, 500)

    async def test_what_nobody_can_receive_is_accepted(self, engine: Engine) -> None:
        """Alone a message fits, with the instance that waits for it later it does not: lost."""
        message = mail(
            name="reply-received", correlationKey="T-lost", variables={"email": "x" * 2_500_000}
        )
        answer = await engine.post("messages/publication", message)
        await engine.start("reply-awaited", {"ticket": "T-lost"})

        assert answer.status == 200
        assert await engine.take_jobs("handle-reply", within=2) == []
