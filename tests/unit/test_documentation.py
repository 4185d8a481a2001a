"""The documentation names what there is, and its examples work."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from shared.domain.columns import COLUMNS, read_row
from shared.domain.expressions import read_expression, unknown_names
from shared.domain.mail import mail_from_graph
from shared.domain.subscription import Subscription
from shared.settings import SCHEDULES, SETTINGS
from tests.builders import subscription

ROOT = Path(__file__).parents[2]
PLATFORM_SETTINGS = {"FUNCTIONS_WORKER_RUNTIME", *SCHEDULES}


def text_of(name: str) -> str:
    """A file of the project."""
    return (ROOT / name).read_text()


def blocks(name: str, language: str) -> list[str]:
    """The code blocks of a page, without the indentation of a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text_of(name), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def documented(name: str) -> set[str]:
    """The names in the first column of a page's tables."""
    return set(re.findall(r"^\| `([A-Za-z0-9_]+)` \|", text_of(name), re.MULTILINE))


def example_rows() -> list[dict[str, Any]]:
    """The rows that the README and the page of subscriptions show."""
    [listed] = blocks("README.md", "json")
    pages = ["docs/subscriptions.md", "docs/camunda.md"]
    return [
        *json.loads(listed),
        *(json.loads(one) for page in pages for one in blocks(page, "json")),
    ]


def test_every_column_is_documented() -> None:
    """In the table, or among those that are refused for now."""
    page = text_of("docs/subscriptions.md")

    assert {name for name in COLUMNS if f"`{name}`" not in page} == set()
    assert documented("docs/subscriptions.md") - set(COLUMNS) == {
        "subscriptionstatus",
        "sources",
        "deliveries",
    }


def test_every_setting_is_documented() -> None:
    """And none that does not exist."""
    known = {*SETTINGS, *PLATFORM_SETTINGS, "AzureWebJobsStorage", "SECRETS__NAME"}

    assert documented("docs/settings.md") == known - {"FUNCTIONS_WORKER_RUNTIME"}


def test_the_example_settings_hold_every_setting_with_its_explanation() -> None:
    """What is set there is what the app knows."""
    values = json.loads(text_of("local.settings.example.json"))["Values"]
    names = {name for name in values if not name.startswith(("//", "SECRETS__"))}

    assert names == {*SETTINGS, *PLATFORM_SETTINGS, "AzureWebJobsStorage"}
    assert {name for name in names if f"//{name}" not in values} == {"FUNCTIONS_WORKER_RUNTIME"}


@pytest.mark.parametrize("row", example_rows(), ids=lambda row: row["RowKey"])
def test_the_example_rows_are_valid(row: dict[str, Any]) -> None:
    """A reader can take them as they are."""
    subscription = read_row(row)

    assert isinstance(subscription, Subscription)
    assert subscription.warnings == ()


@pytest.mark.parametrize(
    "expression",
    [line for block in blocks("docs/expressions.md", "feel") for line in block.splitlines()],
)
def test_the_example_expressions_name_what_a_mail_has(expression: str) -> None:
    """A reader can take them as they are."""
    assert unknown_names(read_expression(expression)) == []


def test_the_example_of_a_callback_has_the_shape_of_a_mail() -> None:
    """Each key that a mail has, and no other."""
    [example] = blocks("docs/webhook.md", "json")
    message = json.loads(example)

    seen = subscription().correlation.seen(mail_from_graph({"id": "AAkALg", "attachments": [{}]}))
    email = message["variables"]["email"]
    assert set(email) == set(seen)
    assert set(email["attachments"][0]) == set(seen["attachments"][0])


def test_the_example_that_checks_a_signature_does() -> None:
    """It takes what is signed, and nothing else."""
    [code] = blocks("docs/webhook.md", "python")
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    secret, now = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, "{}"),
    }

    assert names["accept"](secret, headers, b"{}") == "msg_1"
    with pytest.raises(WebhookVerificationError):
        names["accept"](secret, headers, b'{"changed": true}')


def test_the_comparison_names_tests_that_there_are() -> None:
    """And every line of it names one."""
    page = text_of("docs/compatibility.md")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    rows = [line for line in page.splitlines() if line.startswith("| ") and "| ours |" not in line]

    missing = {(file, name) for file, name in named if f"def {name}(" not in text_of(file)}
    assert missing == set()
    assert [row for row in rows if "::test_" not in row] == []


def test_links_between_pages_lead_somewhere() -> None:
    """No page points to a file that is not there."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
        if not (page.parent / link).exists()
    ]

    assert broken == []
