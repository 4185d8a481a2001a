from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.columns import COLUMNS, read_row
from shared.domain.schedule import Cron, Interval
from shared.domain.subscription import (
    Folder,
    Operation,
    Subscription,
    TargetAuth,
    WebhookTarget,
)
from tests.builders import MAILBOX, URL, problems, subscription

NOT_YET = [
    "activationCondition",
    "archiveBefore",
    "archiveVariables",
    "consumeUnmatchedEvents",
    "correlationKeyExpression",
    "labels",
    "resultExpression",
]


def test_a_minimal_row_has_the_documented_defaults() -> None:
    """Four columns are enough."""
    read = subscription()

    assert read.name == "team/tickets"
    assert read.enabled
    assert read.polling.mailbox == MAILBOX
    assert read.polling.folder == Folder("inbox")
    assert read.polling.condition == "isRead eq false"
    assert read.polling.schedule == Interval(timedelta(seconds=30))
    assert read.polling.body_format == "text"
    assert read.polling.on_dead is None
    assert read.polling.post_process.operations == (Operation.MARK_AS_READ,)
    assert read.target == WebhookTarget(URL, TargetAuth())
    assert read.message_ttl == timedelta(hours=1)
    assert read.retry == timedelta(hours=24)
    assert read.result_variable == "email"
    assert read.warnings == ()


def test_every_column_is_read() -> None:
    """A row with everything that goes together."""
    read = subscription(
        enabled="false",
        tenantId="contoso.example",
        clientId="app",
        clientSecret="{{secrets.MAIL-APP}}",
        folder="Inquiries / Tech-Support",
        schedule="0 */5 * * * ?",
        onlyUnread=False,
        subjectContains="Order",
        fromAddress="shop@example.org",
        bodyFormat="HTML",
        postProcess="move, markAsRead,categorize",
        moveTo="Done/2026",
        createFolder=True,
        categories="handled, by connector",
        targetAuth='{"signing": "{{secrets.SIGN}}", "bearer": "{{secrets.TOKEN}}"}',
        messageName="mail-received",
        messageTtl="P1D",
        messageIdExpression="id",
        resultVariable="mail_1",
        retry="PT2H",
        onDead="move:Inbox/Failed",
        deduplicationId="shop_orders-1",
    )

    assert not read.enabled
    assert read.polling.credential.tenant_id == "contoso.example"
    assert (read.polling.credential.client_id, read.polling.credential.secret) == (
        "app",
        "MAIL-APP",
    )
    assert read.polling.folder == Folder("Inquiries/Tech-Support")
    assert read.polling.schedule == Cron("0 */5 * * * ?")
    assert read.polling.condition == (
        "contains(subject, 'Order') and from/emailAddress/address eq 'shop@example.org'"
    )
    assert read.polling.body_format == "html"
    assert read.polling.post_process.operations == (
        Operation.MARK_AS_READ,
        Operation.CATEGORIZE,
        Operation.MOVE,
    )
    assert read.polling.post_process.move_to == Folder("Done/2026")
    assert read.polling.post_process.create_folder
    assert read.polling.post_process.categories == ("handled", "by connector")
    assert read.polling.on_dead == Folder("Inbox/Failed")
    assert read.target.auth == TargetAuth(signing="SIGN", bearer="TOKEN")
    assert (read.message_name, read.message_ttl) == ("mail-received", timedelta(days=1))
    assert (read.result_variable, read.retry) == ("mail_1", timedelta(hours=2))
    assert read.deduplication_id == "shop_orders-1"


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("enabled", "maybe", "true or false"),
        ("tenantId", "  ", "a text that is not empty"),
        ("clientId", 7, "a text that is not empty"),
        ("userId", " ", "a text that is not empty"),
        ("folder", "Inquiries//Tech", "Inquiries/Tech-Support"),
        ("folder", "/", "Inquiries/Tech-Support"),
        ("folderId", " ", "a text that is not empty"),
        ("pollingInterval", "30 s", "ISO 8601"),
        ("pollingInterval", "PT9S", "from PT10S"),
        ("pollingInterval", "P1M", "ISO 8601"),
        ("pollingInterval", "-PT1M", "ISO 8601"),
        ("schedule", "*/5 * * * *", "six fields"),
        ("schedule", "0 61 * * * *", "six fields"),
        ("onlyUnread", "yes", "true or false"),
        ("filter", "isRead eq 'false", "quotes match"),
        ("filter", "(isRead eq false", "parentheses match"),
        ("filter", "isRead eq false) or (true", "parentheses match"),
        ("bodyFormat", "rtf", "html, text"),
        ("postProcess", "archive", "categorize, delete, forceDelete, markAsRead, move"),
        ("postProcess", " , ", "one or more of"),
        ("moveTo", "a//b", "Inquiries/Tech-Support"),
        ("createFolder", "1", "true or false"),
        ("target", "camunda", "webhook"),
        ("targetUrl", "tickets.example/hook", "https"),
        ("targetUrl", "https://tickets.example/a hook", "https"),
        ("targetUrl", "https://tickets.example:port/", "https"),
        ("targetUrl", "ftp://tickets.example/", "https"),
        ("messageName", " ", "a text that is not empty"),
        ("messageIdExpression", "internetMessageId", "FEEL is not part of this version"),
        ("messageTtl", "an hour", "ISO 8601"),
        ("resultVariable", "the mail", "letters, digits and _"),
        ("retry", "P2Y", "ISO 8601"),
        ("retry", "P400D", "up to P365D"),
        ("onDead", "delete", "leave, or move:PATH"),
        ("onDead", "move:", "leave, or move:PATH"),
        ("deduplicationId", "a b", "letters, digits, _ and -"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(column: str, value: Any, allowed: str) -> None:
    """The error names the column and says what would do."""
    found = [one for one in problems(**{column: value}) if "allowed: " in one]

    assert len(found) == 1
    assert found[0].startswith(f"column {column}: ")
    assert allowed in found[0].partition("allowed: ")[2]


@pytest.mark.parametrize("column", ["userId", "postProcess", "target", "targetUrl"])
@pytest.mark.parametrize("absent", [None, ""])
def test_required_columns_are_asked_for(column: str, absent: str | None) -> None:
    """Missing or empty: one error that names the column."""
    found = problems(**{column: absent})

    assert len(found) == 1
    assert found[0].startswith(f"column {column}: missing")


@pytest.mark.parametrize("column", NOT_YET)
def test_what_this_version_cannot_do_is_refused(column: str) -> None:
    """It is better to say so than to ignore a condition."""
    [found] = problems(**{column: "= true"})

    assert found.startswith(f"column {column}:")
    assert "not part of this version" in found


def test_an_unknown_column_is_an_error() -> None:
    """A column in other case gets a hint; any other a list of those that there are."""
    [wrong_case] = problems(PollingInterval="PT30S")
    [unknown] = problems(colour="red")

    assert wrong_case == (
        "column PollingInterval: there is no such column; did you mean pollingInterval?"
    )
    assert unknown.startswith("column colour: there is no such column; allowed: enabled, ")


def test_the_storages_own_columns_are_ignored() -> None:
    """Keys, time and ETag come with every row."""
    assert problems(Timestamp="2026-01-01", etag='W/"1"') == ()


@given(
    st.dictionaries(
        st.sampled_from(sorted(COLUMNS)) | st.text(max_size=5),
        st.text(alphabet="{}sec:/0 *P1TMa@[]\"'", max_size=24) | st.integers() | st.booleans(),
        max_size=6,
    )
)
def test_whatever_a_row_holds_it_is_read_or_explained(columns: dict[str, Any]) -> None:
    """One bad row is reported on that row; it raises nothing that would stop the others."""
    read = read_row({**columns, "PartitionKey": "team", "RowKey": "any"})

    assert isinstance(read, Subscription) or all(read.problems)
