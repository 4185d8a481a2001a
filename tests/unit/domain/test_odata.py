from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.odata import SimpleFilter, checked_filter, id_listing, listing, quoted, since

MOMENT = datetime(2026, 3, 2, 9, 0, 30, 900_000, tzinfo=UTC)


def test_only_unread_true() -> None:
    """Unread mail only."""
    assert SimpleFilter(only_unread=True).odata() == "isRead eq false"


def test_only_unread_false() -> None:
    """All mail: no condition."""
    assert SimpleFilter(only_unread=False).odata() == ""


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_blank_criteria_do_not_count(blank: str) -> None:
    """A blank subject or sender is none."""
    criteria = SimpleFilter(only_unread=False, subject_contains=blank, from_address=blank)

    assert criteria.odata() == ""


@pytest.mark.parametrize(
    ("subject", "condition"),
    [
        ("Order", "contains(subject, 'Order')"),
        (" Order ", "contains(subject, ' Order ')"),
        ("50% & more #1?", "contains(subject, '50% & more #1?')"),
        ("O'Brien", "contains(subject, 'O''Brien')"),
        ("'a' or 'b'", "contains(subject, '''a'' or ''b''')"),
    ],
)
def test_subject(subject: str, condition: str) -> None:
    """Special characters stand for themselves; a quote is doubled."""
    assert SimpleFilter(only_unread=False, subject_contains=subject).odata() == condition


def test_from_address() -> None:
    """Blanks around an address are nobody's intention; quotes in it are doubled."""
    criteria = SimpleFilter(only_unread=False, from_address=" o'brien@example.org ")

    assert criteria.odata() == "from/emailAddress/address eq 'o''brien@example.org'"


def test_all_three_criteria() -> None:
    """Joined by and."""
    criteria = SimpleFilter(subject_contains="it's", from_address="a'b@example.org")

    assert criteria.odata() == (
        "isRead eq false and contains(subject, 'it''s')"
        " and from/emailAddress/address eq 'a''b@example.org'"
    )


@given(st.text())
def test_quoted_text_never_ends_its_literal(text: str) -> None:
    """Whatever stands in a text, it stays one literal, and the text comes back out of it."""
    literal = quoted(text)

    assert literal[0] == literal[-1] == "'"
    assert "'" not in literal[1:-1].replace("''", "")
    assert literal[1:-1].replace("''", "'") == text
    assert checked_filter(f"subject eq {literal}")


@pytest.mark.parametrize(
    "text",
    [
        "isRead eq false and (importance eq 'high' or hasAttachments eq true)",
        "subject eq 'it''s (not closed'",
        "subject eq ''",
        "contains(subject, 'endswith(from/emailAddress/address, $search')",
        "startswith(from/emailAddress/address, 'sales@')",
    ],
)
def test_a_users_own_filter_is_passed_through(text: str) -> None:
    """Unchanged, whatever its literals hold."""
    assert checked_filter(text) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("endswith(from/emailAddress/address, '@example.org')", "endswith on addresses"),
        ("not EndsWith( sender/emailAddress/address,'x')", "endswith on addresses"),
        ("toRecipients/any(r: r/emailAddress/address eq 'a@b.c')", "conditions on recipients"),
        ("ccRecipients/all(r:true)", "conditions on recipients"),
        ("contains(body, 'urgent')", "contains(body"),
        ("contains( body/content ,'urgent')", "contains(body"),
        ("isRead eq false&$orderby=subject", "without other query options"),
        ('$search="subject:urgent"', "without other query options"),
    ],
)
def test_a_filter_that_graph_refuses_is_refused_early(text: str, why: str) -> None:
    """Documented examples of other connectors fail in Graph: a hint says what to do instead."""
    with pytest.raises(ValueError, match="an OData filter that Graph can answer") as raised:
        checked_filter(text)

    assert why in str(raised.value)


@pytest.mark.parametrize("text", ["subject eq 'a", "subject eq 'a''", "a eq '''", "subject eq a'"])
def test_quotes_must_match(text: str) -> None:
    """An odd quote would swallow the rest of the filter."""
    with pytest.raises(ValueError, match="quotes match"):
        checked_filter(text)


@pytest.mark.parametrize("text", ["(a", "a)", ")a(", "true) or (true"])
def test_parentheses_must_match(text: str) -> None:
    """A filter cannot leave the parentheses that it is put into."""
    with pytest.raises(ValueError, match="parentheses match"):
        checked_filter(text)


def test_the_ordered_property_leads_the_filter() -> None:
    """Else Graph answers InefficientFilter; an `or` of the user stays in parentheses."""
    condition = "isRead eq false or importance eq 'high'"

    assert since(MOMENT, condition) == (
        "receivedDateTime ge 2026-03-02T09:00:30Z and (isRead eq false or importance eq 'high')"
    )
    assert since(MOMENT, "") == "receivedDateTime ge 2026-03-02T09:00:30Z"


def test_times_are_in_utc() -> None:
    """Wherever the moment comes from."""
    berlin = MOMENT.astimezone(timezone(timedelta(hours=1)))

    assert since(berlin, "") == since(MOMENT, "")


def test_listings_are_ordered_and_bounded() -> None:
    """Both list oldest first; the one by id asks for nothing else."""
    whole, ids = listing(MOMENT, "", 100), id_listing(MOMENT, "", 1000)

    assert whole["$orderby"] == ids["$orderby"] == "receivedDateTime asc"
    assert (whole["$top"], ids["$top"]) == ("100", "1000")
    assert ids["$select"] == "id,receivedDateTime"
    assert "$expand" not in ids
