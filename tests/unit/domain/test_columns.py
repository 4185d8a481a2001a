from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.columns import COLUMNS, read_row
from shared.domain.correlation import Archive, Correlation
from shared.domain.schedule import Cron, Interval
from shared.domain.subscription import (
    Folder,
    KeptDocuments,
    Operation,
    Subscription,
)
from shared.domain.target import TargetAuth, WebhookTarget
from shared.feel import compile_expression
from tests.builders import MAILBOX, URL, problems, subscription


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
    assert read.correlation == Correlation(
        message_name="", message_ttl=timedelta(hours=1), result_variable="email"
    )
    assert read.documents == KeptDocuments(attachments=True, mime=False, body=False)
    assert read.retry == timedelta(hours=24)
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
        messageIdExpression="= id",
        activationCondition='contains(subject, "Order")',
        consumeUnmatchedEvents="true",
        correlationKeyExpression='=extract(value.subject, "[0-9]+")[1]',
        resultVariable="mail_1",
        resultExpression="{sender: response.sender.address}",
        labels='{"group": "Sales"}',
        archiveBefore="2026-01-01",
        archiveVariables='{"state": "closed"}',
        keepAttachments=False,
        keepMime="true",
        offloadBody=True,
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
    assert read.target == WebhookTarget(URL, TargetAuth(signing="SIGN", bearer="TOKEN"))
    assert read.correlation == Correlation(
        message_name="mail-received",
        message_ttl=timedelta(days=1),
        activation=compile_expression('contains(subject, "Order")'),
        consume_unmatched=True,
        correlation_key=compile_expression('=extract(value.subject, "[0-9]+")[1]'),
        message_id=None,
        result_variable="mail_1",
        result=compile_expression("{sender: response.sender.address}"),
        labels={"group": "Sales"},
        archive=Archive(datetime(2026, 1, 1, tzinfo=UTC), {"state": "closed"}),
    )
    assert read.documents == KeptDocuments(attachments=False, mime=True, body=True)
    assert read.retry == timedelta(hours=2)
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
        ("target", "zeebe", "camunda, webhook"),
        ("targetUrl", "tickets.example/hook", "https"),
        ("targetUrl", "https://tickets.example/a hook", "https"),
        ("targetUrl", "https://tickets.example:port/", "https"),
        ("targetUrl", "ftp://tickets.example/", "https"),
        ("messageName", " ", "a text that is not empty"),
        ("messageIdExpression", "=", "a FEEL expression that is not empty"),
        ("activationCondition", 'contains(subject, "x"', "the expression ends too early"),
        ("correlationKeyExpression", "1 +", "a FEEL expression"),
        ("resultExpression", "{a: }", "a FEEL expression"),
        ("consumeUnmatchedEvents", "maybe", "true or false"),
        ("labels", "[1]", "a JSON object"),
        ("labels", '{"a": }', "a JSON object"),
        ("labels", "[" * 100_000, "a JSON object"),
        ("labels", '{"a": NaN}', "a JSON object"),
        ("labels", '{"a": [-Infinity]}', "a JSON object"),
        ("labels", '{"a": 1e999}', "a JSON object"),
        ("archiveBefore", "last year", "ISO 8601"),
        ("archiveVariables", "closed", "a JSON object"),
        ("keepAttachments", "2", "true or false"),
        ("keepMime", "2", "true or false"),
        ("offloadBody", "2", "true or false"),
        ("targetMode", "signal", "correlate, publish, start"),
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


def test_an_expression_that_cannot_be_read_is_shown_with_a_caret() -> None:
    """The caret stands under the place."""
    [found] = problems(activationCondition='contains(subject; "x")')

    assert "line 1, column 17" in found
    *_, shown, caret = found.splitlines()
    assert shown[caret.index("^")] == ";"


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ('subjet = "x"', "there is no variable 'subjet'"),
        ("lowercase(subject)", "there is no function 'lowercase'"),
    ],
)
def test_a_name_that_no_mail_has_is_warned_of(expression: str, unknown: str) -> None:
    """The row works all the same: an unknown name is null, as FEEL has it."""
    [warning] = subscription(activationCondition=expression).warnings

    assert warning.startswith("column activationCondition: ")
    assert unknown in warning


@pytest.mark.parametrize("name", ["mime", "bodyDocument"])
def test_a_document_of_the_mail_is_a_known_name(name: str) -> None:
    """Which mails have depends on other columns, and on the mail."""
    expression = f"if {name} = null then null else {{address: {name}.url, bytes: {name}.size}}"

    assert subscription(resultExpression=expression).warnings == ()


@pytest.mark.parametrize(
    ("variable", "columns"),
    [
        ("email", {"labels": '{"email": 1}'}),
        ("mail", {"labels": '{"mail": 1}', "resultVariable": "mail"}),
        ("mail", {"labels": '{"mail": 1}', "resultVariable": "mail", "resultExpression": "{a: 1}"}),
    ],
)
def test_a_label_does_not_take_the_mails_place(variable: str, columns: dict[str, Any]) -> None:
    """The target would get it in place of the mail."""
    [found] = problems(**columns)

    assert found.startswith(f"column labels: {variable} is the variable that holds the mail")


def test_an_archive_variable_does_not_take_the_mails_place() -> None:
    """Neither does it, for archived mail."""
    [found] = problems(archiveBefore="2026-01-01", archiveVariables='{"email": "old"}')

    assert found.startswith("column archiveVariables: email is the variable that holds the mail")


def test_a_label_may_have_a_name_that_no_mail_takes() -> None:
    """A result expression alone leaves the name `email` free."""
    assert problems(labels='{"email": 1}', resultExpression="{a: 1}") == ()


def test_a_result_expression_alone_leaves_the_mail_out() -> None:
    """Who says what becomes variables need not carry the mail's bulk as well."""
    alone = subscription(resultExpression="{a: 1}").correlation
    both = subscription(resultExpression="{a: 1}", resultVariable="email").correlation

    assert alone.result_variable == ""
    assert both.result_variable == "email"


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
