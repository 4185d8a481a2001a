import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.delivery import DeliveryKey, State
from shared.domain.envelope import Envelope
from shared.domain.errors import MailboxRefused, StorageUnavailable
from shared.domain.source import SourceState
from shared.domain.target import Target
from shared.workflows import doctor
from shared.workflows.doctor import Doctor, Finding, secrets_of
from tests.builders import MAILBOX, URL, delivery, row, subscription
from tests.fakes.health import FakeStorageWatch
from tests.fakes.tables import FakeSourceStates
from tests.fakes.targets import FakeTargets
from tests.unit.workflows.world import World


class RefusingSources(FakeSourceStates):
    """The storage refuses whoever asks."""

    async def all(self) -> dict[str, SourceState]:
        """Refuses."""
        raise StorageUnavailable("table sources: answered 403", 403)


class SilentTargets(FakeTargets):
    """Nobody answers."""

    async def reachable(self, target: Target) -> str:
        """Waits."""
        await asyncio.sleep(3600)
        return target.url


class Examination:
    """A doctor on a world, and what it is asked with."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.watch = FakeStorageWatch()
        self.missing: set[str] = set()
        self.signs_by_default = True
        self.patience = doctor.PATIENCE
        self.mailbox_access = ""
        self.told: list[tuple[str, int, int]] = []

    async def findings(self, **ports: Any) -> list[Finding]:
        """What is found, with some of the ports replaced."""
        return await Doctor(
            ports=self.world.ports(**ports),
            watch=self.watch,
            plain_http_hosts=(),
            why_no_secret=lambda name: "not set" if name in self.missing else "",
            signs_by_default=self.signs_by_default,
            progress=lambda *told: self.told.append(told),
            patience=self.patience,
            mailbox_access=self.mailbox_access,
        ).examine()

    async def finding(self, **ports: Any) -> Finding:
        """The only thing that is found."""
        [found] = await self.findings(**ports)
        return found


async def examined(*rows: dict[str, Any]) -> Examination:
    """A world that has been polled once, so that all is well."""
    world = World(*rows)
    for number in range(len((await world.worker().registry.current()).sources)):
        await world.worker().poll(number)
    return Examination(world)


async def test_where_all_is_well_nothing_is_found() -> None:
    """Progress is told of each area; no mail is touched, and nothing delivered."""
    examination = await examined()

    assert await examination.findings() == []
    assert {area for area, done, total in examination.told if done == total} >= {
        "storage",
        "tokens",
        "mailboxes",
        "targets",
        "queues",
        "deliveries",
        "clock",
        "sources",
    }
    assert examination.world.mailboxes.operations == []
    assert examination.world.targets.attempts == []


async def test_a_row_that_is_invalid_is_found() -> None:
    """And keeps the others from nothing."""
    examination = await examined(row(), row("broken", target="fax"))

    found = await examination.finding()

    assert (found.area, found.subject) == ("rows", "team/broken")
    assert "column target" in found.problem


async def test_tables_that_do_not_answer_end_the_examination() -> None:
    """There is nothing else to ask about."""
    examination = await examined()

    found = await examination.finding(sources=RefusingSources())

    assert (found.area, found.subject) == ("storage", "tables")
    assert "Storage Table Data Contributor" in found.advice


async def test_a_secret_that_is_missing_is_found_with_who_needs_it() -> None:
    """Once, for all rows together."""
    auth = "{{secrets.erp-signing}}"
    examination = await examined(row("a", targetAuth=auth), row("b", targetAuth=auth))
    examination.missing = {"erp-signing"}

    found = await examination.finding()

    assert (found.area, found.subject) == ("secrets", "secret erp-signing of team/a, team/b")
    assert "SECRETS__erp-signing" in found.advice


async def test_webhooks_that_nothing_signs_are_found() -> None:
    """They would not be sent."""
    examination = await examined(row("a"), row("b", targetAuth="{{secrets.own}}"))
    examination.signs_by_default = False

    found = await examination.finding()

    assert (found.area, found.subject) == ("secrets", "team/a")


async def test_a_token_that_is_refused_is_found_once() -> None:
    """The mailboxes behind it are not asked about: the answer is known."""
    examination = await examined(row("a"), row("b", folder="archive"))
    examination.world.health.no_token = "AADSTS7000215: the client secret is wrong"
    examination.world.mailboxes.asked.clear()

    found = await examination.finding()

    assert (found.area, found.subject) == ("tokens", "the default app, for team/a, team/b")
    assert examination.world.mailboxes.asked.total() == 0


async def test_a_scope_that_a_consent_undoes_is_found() -> None:
    """Once for the app of the settings; apps that rows name have their own ways in."""
    examination = await examined(
        row("a"), row("b", clientId="own", tenantId="contoso.example", folder="archive")
    )
    examination.world.health.roles = ["Mail.ReadWrite"]
    assert await examination.findings() == []
    examination.mailbox_access = "scoped"

    found = await examination.finding()

    assert (found.area, found.subject) == ("access", "the app of the settings")
    assert "Mail.ReadWrite over every mailbox" in found.problem
    assert "Enterprise applications" in found.advice


async def test_where_there_is_no_token_the_doctor_says_where_to_look() -> None:
    """A managed identity has tokens in Azure only."""
    examination = await examined()
    examination.mailbox_access = "scoped"
    examination.world.health.no_token = "no managed identity"

    tokens, access = await examination.findings()

    assert (tokens.area, access.area) == ("tokens", "access")
    assert access.problem.startswith("not checked: ")
    assert "GET /api/health" in access.advice


async def test_a_mailbox_that_cannot_be_read_is_found() -> None:
    """With what Graph said."""
    examination = await examined()
    examination.world.mailboxes.fail_next(MailboxRefused(MAILBOX, "answered 403 ErrorAccessDenied"))

    found = await examination.finding()

    assert (found.area, found.subject) == ("mailboxes", f"team/tickets, mailbox {MAILBOX}")
    assert "ErrorAccessDenied" in found.problem


@pytest.mark.parametrize(("created", "findings"), [(False, 1), (True, 0)])
async def test_a_folder_to_move_to_must_be_there_or_be_made(
    created: bool,  # noqa: FBT001 - the parameter
    findings: int,
) -> None:
    """The doctor does not make it."""
    moves: dict[str, Any] = {"postProcess": "move", "moveTo": "Done", "createFolder": created}
    examination = await examined(row(**moves))

    found = await examination.findings()

    assert len(found) == findings
    assert all(one.problem.startswith("moveTo: ") for one in found)
    assert examination.world.mailbox.folder_id("Done") is None


async def test_a_target_that_is_not_reached_is_found_once() -> None:
    """By its host; the rest of the address may be a secret."""
    examination = await examined(row("a"), row("b"))
    examination.world.targets.unreachable[URL] = "not reached (ConnectionRefusedError)"

    found = await examination.finding()

    assert (found.area, found.subject) == ("targets", "https://tickets.example, for team/a, team/b")
    assert found.problem == "not reached (ConnectionRefusedError)"


async def test_disabled_rows_are_not_asked_about() -> None:
    """Their target may be gone, and their mailbox closed."""
    examination = await examined(row(enabled=False, targetAuth="{{secrets.gone}}"))
    examination.missing = {"gone"}
    examination.world.targets.unreachable[URL] = "not reached"

    assert await examination.findings() == []


async def put_old_envelope(examination: Examination) -> None:
    await examination.world.emails.put(Envelope(key=DeliveryKey("source", "mail")))
    examination.world.later(minutes=21)
    [identity] = examination.world.states.states
    state = examination.world.states.states[identity]
    later = replace(state, next_poll_at=examination.world.clock.now())
    examination.world.states.states[identity] = later


async def fill_poison_queue(examination: Examination) -> None:
    examination.watch.messages["emails-poison"] = 3


async def set_clock_wrong(examination: Examination) -> None:
    examination.watch.ahead = timedelta(seconds=-90)


async def add_dead_letter(examination: Examination) -> None:
    await examination.world.ledger.claim([delivery(1, State.DEAD)])


async def fail_polls(examination: Examination) -> None:
    examination.world.mailboxes.fail_next(MailboxRefused(MAILBOX, "answered 403"))
    examination.world.later(minutes=1)
    await examination.world.worker().poll()


async def stop_timer(examination: Examination) -> None:
    examination.world.later(hours=1)


async def add_row(examination: Examination) -> None:
    examination.world.table.write(row("new", folder="archive"))


@pytest.mark.parametrize(
    ("happens", "area", "subject", "problem"),
    [
        (put_old_envelope, "queues", "emails", "a message waits since 2026-03-02T09:00:00+00:00"),
        (
            fill_poison_queue,
            "queues",
            "emails-poison",
            "messages on which the app failed every time: 3",
        ),
        (set_clock_wrong, "clock", "this machine", "it is 90 s behind the storage's"),
        (add_dead_letter, "deliveries", "team/tickets", "dead letters: 1"),
        (
            fail_polls,
            "sources",
            "team/tickets, mailbox",
            "polls that failed in a row: 1; the last: mailbox",
        ),
        (stop_timer, "sources", "team/tickets, mailbox", "due since 2026-03-02T09:00:30"),
        (add_row, "sources", "team/new, mailbox", "never polled"),
    ],
)
async def test_what_goes_wrong_in_the_app_is_found(
    happens: Callable[[Examination], Awaitable[None]], area: str, subject: str, problem: str
) -> None:
    """Each by itself."""
    examination = await examined()
    await happens(examination)

    found = await examination.finding()

    assert found.area == area
    assert found.subject.startswith(subject)
    assert found.problem.startswith(problem)


async def test_a_question_that_is_not_answered_is_not_waited_for() -> None:
    """It is a finding, like any other."""
    examination = await examined()
    examination.patience = timedelta(seconds=0.05)

    found = await examination.finding(targets=SilentTargets())

    assert (found.area, found.problem) == ("targets", "no answer within 0.05 s")


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({}, ()),
        ({"targetAuth": "{{secrets.a}}"}, ("a",)),
        ({"targetAuth": '{"signing": "{{secrets.a}}", "bearer": "{{secrets.b}}"}'}, ("a", "b")),
        ({"clientId": "app", "clientSecret": "{{secrets.a}}"}, ("a",)),
        ({"clientId": "app", "clientCertificate": "{{secrets.a}}"}, ("a",)),
        (
            {
                "target": "camunda",
                "messageName": "mail",
                "targetAuth": '{"clientId": "app", "clientSecret": "{{secrets.a}}"}',
            },
            ("a",),
        ),
        (
            {"target": "camunda", "messageName": "m", "targetAuth": '{"basic": "{{secrets.a}}"}'},
            ("a",),
        ),
    ],
)
def test_the_secrets_of_a_row_are_known(columns: dict[str, Any], names: tuple[str, ...]) -> None:
    """Of its credential and of its target."""
    assert secrets_of(subscription(**columns)) == names
