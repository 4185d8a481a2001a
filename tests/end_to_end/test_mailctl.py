"""The operator's command, on a storage, a mailbox and a target that the app works on."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from localdev.callback_receiver import CallbackReceiver
from mailctl.app import app
from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world, states, until

ROOT = Path(__file__).parents[2]
ON_GRAPH = {"preview", "doctor", "--settings"}
MAILBOX = "orders@contoso.example"
OTHER = "claims@contoso.example"
SECRET = "whsec_b3RoZXIgc2lnbmluZyBzZWNyZXQ="


class Operator:
    """Somebody at a terminal.

    Args:
        world: what the command works on.
        directory: where files are.
    """

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.directory = directory
        self.errors = ""
        self.settings = {**world.stack.app_settings, **world.settings}

    def file(self, text: str, name: str = "rows.yaml") -> str:
        """Writes a file; gives its path."""
        path = self.directory / name
        path.write_text(text.replace("URL", self.world.stack.callbacks.hook("orders")))
        return str(path)

    async def runs(self, *arguments: str, answer: str = "", code: int = 0) -> str:
        """Runs the command, which must end as expected; gives its output."""
        run = self._process if arguments[0] in ON_GRAPH else self._call
        ended, output, self.errors = await run(arguments, answer)
        assert ended == code, (arguments, output, self.errors)
        return output

    async def _call(self, arguments: Sequence[str], answer: str) -> tuple[int, str, str]:
        """Runs it here, in an event loop of its own, for that is quicker."""
        runner = CliRunner()
        result = await asyncio.to_thread(
            runner.invoke, app, list(arguments), input=answer, env=self.settings
        )
        if isinstance(result.exception, Exception):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    async def _process(self, arguments: Sequence[str], answer: str) -> tuple[int, str, str]:
        """Runs it in a process of its own, which trusts the simulated Graph's certificate."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mailctl", *arguments),
            cwd=ROOT,
            env={**os.environ, **self.settings},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate(answer.encode())
        return process.returncode or 0, output.decode(), errors.decode()

    async def reads(self, *arguments: str, code: int = 0) -> Any:
        """Runs the command with --json; gives what it printed, which is nothing else."""
        return json.loads(await self.runs(*arguments, "--json", code=code))


ROWS = f"""
- &orders
  PartitionKey: sales
  RowKey: orders
  userId: {MAILBOX}
  postProcess: [markAsRead, move]
  moveTo: Done
  createFolder: true
  target: webhook
  targetUrl: URL
  labels:
    group: Sales
    urgent: false
  activationCondition: |
    contains(subject, "Mail")
    and not(contains(subject, "spam"))
- <<: *orders
  RowKey: claims
  userId: {OTHER}
  labels: null
"""


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A stack whose target refuses the mail of one subscription."""

    def target(secret: str) -> CallbackReceiver:
        receiver = CallbackReceiver(secret)
        receiver.reject("sales/claims")
        return receiver

    async with new_world(tmp_path_factory.mktemp("world"), make_receiver=target) as world:
        world.deliver(MAILBOX, mail(1), mail(2, subject="spam Mail"))
        world.deliver(OTHER, mail(3), mail(4))
        yield world


@pytest.fixture(scope="module")
def operator(world: World, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return Operator(world, tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
async def applied(operator: Operator) -> Operator:
    """The rows are in the table; the app has not run yet."""
    await operator.runs("subscriptions", "apply", operator.file(ROWS))
    return operator


@pytest.fixture(scope="module")
async def worked(applied: Operator) -> Operator:
    """The app has run until each mail was at its end."""
    async with applied.world.app():
        await applied.world.ended(4)
    return applied


async def test_before_the_app_runs_a_row_can_be_tried_and_applied(operator: Operator) -> None:
    """A dry run shows columns; a preview shows what would become of the mail that is there."""
    rows = operator.file(ROWS)
    dry = await operator.reads("subscriptions", "apply", rows, "--dry-run")
    seen = await operator.reads("preview", "sales/orders", "--file", rows)
    applied = await operator.reads("subscriptions", "apply", rows)
    again = await operator.reads("subscriptions", "apply", rows)

    assert [one["change"] for one in dry["rows"]] == ["created", "created"]
    assert dry["rows"][0]["differences"]["createFolder"] == {"old": None, "new": True}
    assert not dry["written"]
    assert [one["outcome"] for one in seen["mails"]] == ["delivered", "unmatched"]
    assert [one["subject"] for one in seen["mails"]] == ["Mail 1", "spam Mail"]
    assert set(seen["mails"][0]["message"]["sizes"]) == {"email", "group", "urgent"}
    assert [one["change"] for one in applied["rows"]] == ["created", "created"]
    assert [one["change"] for one in again["rows"]] == ["unchanged", "unchanged"]
    assert operator.world.simulator.messages(MAILBOX, "inbox")
    assert operator.world.receiver.counters.received == 0


async def test_what_is_exported_is_what_is_there(applied: Operator) -> None:
    """Applying it changes nothing."""
    exported = await applied.runs("subscriptions", "export", "--label", "sales")
    again = await applied.reads("subscriptions", "apply", applied.file(exported, "export.yaml"))

    assert [one["change"] for one in again["rows"]] == ["unchanged", "unchanged"]


async def test_a_file_with_an_invalid_row_is_not_applied(applied: Operator) -> None:
    """No row of it is; validating says the same."""
    text = f"{ROWS}\n- <<: *orders\n  RowKey: broken\n  target: fax\n"
    file = applied.file(text.replace("Sales", "Other"), "broken.yaml")
    refused = await applied.reads("subscriptions", "apply", file, code=1)
    checked = await applied.reads("subscriptions", "validate", file, code=1)
    [row] = [one for one in await applied.world.rows("subscriptions") if one["RowKey"] == "orders"]

    assert [one["name"] for one in refused["invalid"]] == ["sales/broken"]
    assert {one["name"]: one["valid"] for one in checked} == {
        "sales/orders": True,
        "sales/claims": True,
        "sales/broken": False,
    }
    assert json.loads(row["labels"])["group"] == "Sales"
    assert await applied.reads("subscriptions", "validate")


async def test_the_operator_sees_what_the_app_has_done(worked: Operator) -> None:
    """Subscriptions, sources and deliveries."""
    listed = await worked.reads("subscriptions", "list")
    shown = await worked.reads("subscriptions", "show", "sales/orders")
    sources = await worked.reads("sources")
    counts = await worked.reads("deliveries", "--count")
    [done] = await worked.reads("deliveries", "--state", "done", "--subscription", "sales/orders")
    known = await worked.reads("preview", "sales/claims")

    assert {one["name"]: one["state"] for one in listed} == {
        "sales/claims": "ok",
        "sales/orders": "ok",
    }
    assert shown["deliveries"]["done"] == shown["deliveries"]["unmatched"] == 1
    assert shown["columns"]["targetUrl"].endswith("/…")
    assert {one["mailbox"]: one["failures"] for one in sources} == {MAILBOX: 0, OTHER: 0}
    assert await worked.reads("sources", "--failing") == []
    assert {state for state, number in counts.items() if number} >= {"done", "unmatched"}
    assert done["key"].startswith(f"{shown['source']['id']}/")
    assert [mail["known"] for mail in known["mails"]] == ["dead", "dead"]


async def test_dead_letters_are_looked_at_discarded_and_replayed(worked: Operator) -> None:
    """The target takes the mail by now; who is asked and says no does nothing."""
    newest, oldest = await worked.reads("dead", "list", "--check", code=1)
    shown = await worked.reads("dead", "show", newest["key"])
    await worked.runs("dead", "discard", newest["key"], code=2)
    [discarded] = await worked.reads("dead", "discard", newest["key"], "--yes")
    [late] = await worked.reads("dead", "replay", newest["key"], "--yes", code=1)
    worked.world.receiver.reject("sales/claims", 200)
    told = await worked.runs("dead", "replay", "--subscription", "sales/claims", answer="y\n")

    async def replayed() -> bool:
        return "done" in states(await worked.world.deliveries("sales/claims"))

    async with worked.world.app():
        await until(replayed, "the replayed mail is done")

    assert shown["reason"] == "sales/claims: answered 422"
    assert discarded == {"key": newest["key"], "discarded": True, "skipped": ""}
    assert late["skipped"] == "it is discarded by now"
    assert told == "1 replayed, 0 left alone.\n"
    assert (await worked.reads("dead", "show", oldest["key"]))["state"] == "done"
    assert await worked.reads("dead", "list", "--check") == []


async def test_unmatched_mail_is_evaluated_again_when_the_condition_is_corrected(
    worked: Operator,
) -> None:
    """It had ended; now it is delivered."""
    corrected = worked.file(ROWS.replace('"spam"', '"ham"'), "corrected.yaml")
    await worked.runs("subscriptions", "apply", corrected)
    [replayed] = await worked.reads(
        "deliveries", "replay", "--state", "unmatched", "--all", "--yes"
    )
    async with worked.world.app():
        await worked.world.accepted("sales/orders", 2)

    assert replayed["replayed"]


async def test_subscriptions_are_switched_pruned_and_removed(worked: Operator) -> None:
    """Each says what became of the row."""

    async def change(*arguments: str) -> list[tuple[str, str]]:
        found = await worked.reads("subscriptions", *arguments)
        return [(one["name"], one["change"]) for one in found["rows"]]

    extra = worked.file(ROWS.replace("sales", "other").replace("contoso", "fabrikam"), "other.yaml")
    one_row = worked.file(ROWS.replace("sales", "other").partition("- <<")[0], "one.yaml")
    await worked.runs("subscriptions", "apply", extra, code=0)

    assert await change("disable", "other/claims") == [("other/claims", "changed")]
    assert await change("disable", "other/claims") == [("other/claims", "unchanged")]
    assert await change("enable", "other/claims") == [("other/claims", "changed")]
    assert await change("apply", extra, "--prune", "other") == [
        ("other/orders", "unchanged"),
        ("other/claims", "changed"),
    ]
    await worked.runs("subscriptions", "apply", one_row, "--prune", "sales", code=2)
    assert ("other/claims", "removed") in await change("apply", one_row, "--prune", "other")
    await worked.runs("subscriptions", "remove", "other/orders", code=2)
    removed = await worked.reads("subscriptions", "remove", "other/orders", "--yes")
    assert removed == {"name": "other/orders", "change": "removed", "waiting": 0}
    await worked.runs("subscriptions", "show", "other/orders", code=2)


async def test_the_doctor_finds_what_is_wrong_and_nothing_else(worked: Operator) -> None:
    """Here a row whose secret, mailbox and target are not there."""
    lost = worked.file(
        ROWS.partition("- <<")[0]
        .replace("RowKey: orders", "RowKey: lost")
        .replace(MAILBOX, "nobody@contoso.example")
        .replace("URL", "https://127.0.0.1:1/hook")
        + '  targetAuth: "{{secrets.lost}}"\n',
        "lost.yaml",
    )
    await worked.runs("subscriptions", "apply", lost)
    found = await worked.reads("doctor", code=1)
    await worked.runs("subscriptions", "remove", "sales/lost", "--yes")

    about = {one["area"]: one["subject"] for one in found if "lost" in one["subject"]}
    assert about == {
        "secrets": "secret lost of sales/lost",
        "mailboxes": "sales/lost, mailbox nobody@contoso.example",
        "targets": "https://127.0.0.1:1, for sales/lost",
        "sources": "sales/lost, mailbox nobody@contoso.example",
    }
    assert {one["area"] for one in found} <= {*about, "sources"}


async def test_people_get_tables(worked: Operator) -> None:
    """And questions on the error stream."""
    for arguments in (
        ("subscriptions", "list"),
        ("subscriptions", "show", "sales/orders"),
        ("deliveries",),
        ("preview", "sales/orders", "--variables"),
        ("sources",),
    ):
        assert "orders" in await worked.runs(*arguments)
    assert "All is well." in await worked.runs("doctor")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("subscriptions", "show", "sales/unknown"), 2, "no subscription 'sales/unknown'"),
        (("preview", "sales/unknown"), 2, "no subscription 'sales/unknown'"),
        (("dead", "show", "a/b"), 2, "no delivery 'a/b'"),
        (("dead", "replay"), 2, "Say which"),
        (("deliveries", "replay", "--all"), 2, "--state"),
        (("deliveries", "--state", "dead", "replay", "--all"), 2, "stand behind it"),
        (("deliveries", "replay", "--all", "--state", "done"), 2, "dead, discarded, unmatched"),
        (("subscriptions", "apply", "missing.yaml"), 2, "missing.yaml cannot be read"),
        (("--settings", "missing.json", "sources"), 3, "missing.json cannot be read"),
    ],
)
async def test_what_cannot_be_done_is_said_on_the_error_stream(
    applied: Operator, arguments: Sequence[str], code: int, said: str
) -> None:
    """With an exit code of its own, and nothing on the output."""
    assert await applied.runs(*arguments, code=code) == ""
    assert said in applied.errors


async def test_settings_may_come_from_a_file(applied: Operator) -> None:
    """As Core Tools reads them; the storage that it names goes before the environment's."""
    values = {**applied.settings, "//comment": "ignored", "EMPTY": ""}
    file = applied.file(json.dumps({"IsEncrypted": False, "Values": values}), "settings.json")
    applied.settings = {"AzureWebJobsStorage__accountName": "nowhere"}
    try:
        found = await applied.reads("--settings", file, "subscriptions", "list")
    finally:
        applied.settings = {**applied.world.stack.app_settings, **applied.world.settings}

    assert "sales/orders" in {one["name"] for one in found}


async def test_settings_that_cannot_be_used_are_all_named(applied: Operator) -> None:
    """By the doctor as findings; by the others on the error stream."""
    applied.settings = {**applied.settings, "PAGE_SIZE": "many", "TICK_BUDGET": "soon"}
    try:
        found = await applied.reads("doctor", code=3)
        await applied.runs("sources", code=3)
    finally:
        applied.settings = {**applied.world.stack.app_settings, **applied.world.settings}

    assert [one["problem"].partition(" ")[0] for one in found] == ["TICK_BUDGET", "PAGE_SIZE"]
    assert "PAGE_SIZE cannot be used" in applied.errors
