from typing import Any

import pytest

from shared.domain.columns import read_row
from shared.domain.rivals import split_rivals
from shared.domain.source import group_sources
from shared.domain.subscription import InvalidSubscription, Subscription
from tests.builders import row


def refused(*rows: dict[str, Any]) -> dict[str, str]:
    """The rows that rivalry makes unusable, with their problems."""
    read = [read_row(one) for one in rows]
    valid = [one for one in read if isinstance(one, Subscription)]
    assert len(valid) == len(rows)
    sources, contradictions = group_sources(valid)
    peaceful, rivals = split_rivals(sources)
    assert contradictions == []
    assert {n for one in peaceful for n in one.subscriptions} == {one.name for one in valid} - {
        one.name for one in rivals
    }
    return {one.name: problem(one) for one in rivals}


def problem(one: InvalidSubscription) -> str:
    """Its only problem."""
    [text] = one.problems
    return text


@pytest.mark.parametrize(
    "change",
    [
        {"pollingInterval": "PT1M"},
        {"bodyFormat": "html"},
        {"onDead": "move:Failed"},
        {"postProcess": "move", "moveTo": "Done"},
        {"deduplicationId": "mine"},
        {"userId": "SUPPORT@contoso.example", "folder": "INBOX", "pollingInterval": "PT1M"},
    ],
    ids=str,
)
def test_rows_that_would_take_mail_from_each_other_are_refused(change: dict[str, Any]) -> None:
    """Which of the two polls first would decide who gets a mail."""
    found = refused(row("a"), row("b", **change))

    assert set(found) == {"team/a", "team/b"}
    assert "polls the same mail as team/b" in found["team/a"]
    assert "polls the same mail as team/a" in found["team/b"]


def test_the_problem_says_what_differs() -> None:
    """So that a person can make it equal."""
    found = refused(row("a"), row("b", pollingInterval="PT1M"))

    assert "with another schedule" in found["team/a"]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"folder": "Archive"},
        {"subjectContains": "Order"},
        {"userId": "sales@contoso.example"},
    ],
    ids=str,
)
def test_rows_that_share_a_poll_or_list_other_mail_live_together(change: dict[str, Any]) -> None:
    """Equal rows share; different filters are the reader's to judge."""
    assert refused(row("a"), row("b", **change)) == {}


def test_rows_that_take_nothing_away_live_together() -> None:
    """Each finds all mail, whatever the other does."""
    keeps = {"onlyUnread": False, "postProcess": "categorize", "categories": "Seen"}

    assert refused(row("a", **keeps), row("b", pollingInterval="PT1M", **keeps)) == {}
