from datetime import timedelta
from typing import Any

import pytest

from shared.domain.errors import ExpressionFailed
from shared.domain.mail import Mail, mail_from_graph
from shared.domain.target import TargetMessage
from tests.builders import NOW, graph_message, subscription

SECRET_WORD = "Rosebud"


def mail(**properties: Any) -> Mail:
    """A mail about an order, with one attachment."""
    return mail_from_graph(
        graph_message(
            **{
                "subject": "Order 4711",
                "attachments": [{"id": "a1", "name": "order.pdf", "size": 2048}],
                **properties,
            }
        )
    )


def why_not(condition: str, **properties: Any) -> str:
    """Why a mail does not activate a subscription with a condition."""
    correlation = subscription(activationCondition=condition).correlation
    return correlation.why_not_activated(mail(**properties), NOW)


def message(of: Mail | None = None, **columns: Any) -> TargetMessage:
    """What a mail becomes for a subscription."""
    read = subscription(**columns)
    return read.correlation.message(read.name, of or mail(), NOW, "trace")


@pytest.mark.parametrize(
    "condition",
    [
        'contains(subject, "Order")',
        '=contains(value.subject, "Order")',
        '=matches(response.subject, "Order [0-9]+")',
        'sender.address = "ada@example.org"',
        "count(attachments) > 0",
        'some a in attachments satisfies ends with(a.name, ".pdf") and a.size < 10000',
        "not(archived)",
        "not(automatic)",
    ],
)
def test_a_condition_that_gives_true_activates(condition: str) -> None:
    """In the three ways in which Camunda's users write it."""
    assert why_not(condition) == ""


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ('contains(subject, "Invoice")', "gave false"),
        ("subject", "gave no boolean"),
        ("1", "gave no boolean"),
        ("subject > 5", "gave null: "),
        ("no such thing", "there is no variable 'no such thing'"),
        ("null", "gave null"),
    ],
)
def test_only_exactly_true_activates(condition: str, why: str) -> None:
    """And why it did not is said, without what stands in the mail."""
    found = why_not(condition, subject=SECRET_WORD)

    assert why in found
    assert SECRET_WORD not in found


def test_a_condition_without_end_is_an_error_not_a_no() -> None:
    """A mail that nobody could judge must not be passed over."""
    with pytest.raises(ExpressionFailed, match="activationCondition"):
        why_not("count(for i in 1..1000000, j in 1..1000 return i) > 0")


def test_without_expressions_the_mail_itself_is_the_message() -> None:
    """Its immutable id is its identity; it stands in the variable `email`."""
    read = message()

    assert (read.message_id, read.correlation_key) == ("AAMk-1=", "")
    assert read.variables == {"email": {**mail(), "archived": False}}
    assert read.time_to_live == timedelta(hours=1)


ENGINE: dict[str, Any] = {
    "target": "camunda",
    "targetUrl": "https://engine.example",
    "messageName": "mail",
}


def test_two_subscriptions_on_one_engine_hand_over_two_messages() -> None:
    """An engine knows a message by name, key and identity: those of the same mail must differ."""
    one, other = message(name="orders", **ENGINE), message(name="tickets", **ENGINE)

    assert one.message_id == "AAMk-1= team/orders"
    assert other.message_id == "AAMk-1= team/tickets"


@pytest.mark.parametrize("expression", ["id", "= id"])
def test_an_identity_that_is_asked_for_stays_as_it_is(expression: str) -> None:
    """So two subscriptions can hand over one message between them."""
    assert message(messageIdExpression=expression, **ENGINE).message_id == "AAMk-1="


@pytest.mark.parametrize(
    ("expression", "key"),
    [
        ('extract(subject, "[0-9]+")[1]', "4711"),
        ('number(extract(value.subject, "[0-9]+")[1])', "4711"),
        ("sender.address", "ada@example.org"),
        ("{order: 4711}", '{"order": 4711}'),
        ("true", "true"),
    ],
)
def test_keys_and_identities_become_text(expression: str, key: str) -> None:
    """A context is written as JSON."""
    read = message(correlationKeyExpression=expression, messageIdExpression=expression)

    assert (read.correlation_key, read.message_id) == (key, key)


@pytest.mark.parametrize("column", ["correlationKeyExpression", "messageIdExpression"])
@pytest.mark.parametrize(
    ("expression", "what"),
    [("subjet", "there is no variable 'subjet'"), ('""', "gave an empty text"), ("null", "null")],
)
def test_a_key_that_is_missing_is_an_error(column: str, expression: str, what: str) -> None:
    """Without it, the message would reach nobody, or anybody."""
    with pytest.raises(ExpressionFailed, match=what):
        message(mail(), **{column: expression})


def test_now_is_when_the_mail_was_claimed() -> None:
    """Every attempt gives the same identity."""
    assert message(messageIdExpression="now()").message_id == "2026-03-02T09:00:00Z"


def test_a_result_expression_is_merged_over_the_result_variable() -> None:
    """Then come labels; each may say anything anew."""
    read = message(
        resultVariable="mail",
        resultExpression="{subject: response.subject, size: sum(attachments.size), mail: 1}",
        labels='{"group": "Sales", "size": "large"}',
    )

    assert read.variables == {
        "subject": "Order 4711",
        "mail": 1,
        "size": "large",
        "group": "Sales",
    }


@pytest.mark.parametrize("expression", ["subject", "[1]", "null", "subjet"])
def test_a_result_that_is_no_context_is_an_error(expression: str) -> None:
    """There is nothing that could be named."""
    with pytest.raises(ExpressionFailed, match="resultExpression: gave no context"):
        message(resultExpression=expression)


@pytest.mark.parametrize(
    ("before", "archived"),
    [
        ("2026-03-02T09:00:00Z", True),
        ("2026-03-02T10:00:00+01:00", True),
        ("2026-03-02T08:59:59Z", False),
        ("2026-03-03", True),
        ("2026-03-02", False),
    ],
)
def test_mail_up_to_the_cut_off_is_archived(before: str, archived: bool) -> None:  # noqa: FBT001
    """It says so, carries its variables, and keeps its own date."""
    read = message(archiveBefore=before, archiveVariables='{"state": "closed"}')
    carried = {"archived": True, "state": "closed"} if archived else {}

    assert read.variables["email"]["archived"] is archived
    assert read.variables["email"]["receivedDateTime"] == "2026-03-02T09:00:00Z"
    assert {name: one for name, one in read.variables.items() if name != "email"} == carried


def test_archived_mail_can_be_kept_from_activating() -> None:
    """By a condition, as anything else."""
    read = subscription(archiveBefore="2026-03-03", activationCondition="not(archived)")

    assert read.correlation.why_not_activated(mail(), NOW) == "activationCondition gave false"
