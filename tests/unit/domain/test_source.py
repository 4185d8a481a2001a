from datetime import timedelta
from typing import Any

import pytest

from shared.domain.source import SourceState, group_sources, source_id
from tests.builders import NOW, source, subscription

POLLING: list[dict[str, Any]] = [
    {"tenantId": "contoso.example"},
    {"clientId": "app"},
    {"clientId": "app", "clientSecret": "{{secrets.A}}"},
    {"userId": "other@contoso.example"},
    {"folder": "archive"},
    {"folderId": "AAMk"},
    {"pollingInterval": "PT1M"},
    {"schedule": "0 * * * * *"},
    {"onlyUnread": False},
    {"subjectContains": "a"},
    {"fromAddress": "a@example.org"},
    {"filter": "importance eq 'high'"},
    {"bodyFormat": "html"},
    {"postProcess": "delete"},
    {"postProcess": "move", "moveTo": "Done"},
    {"postProcess": "move", "moveTo": "Done", "createFolder": True},
    {"postProcess": "categorize", "categories": "a"},
    {"onDead": "move:Failed"},
]


def test_subscriptions_that_are_polled_alike_share_a_source() -> None:
    """What the mail is for does not matter to polling."""
    one = subscription("one", retry="PT1H", messageName="a")
    two = subscription("two", targetUrl="https://other.example/", resultVariable="mail")

    [shared], contradictions = group_sources([two, one])

    assert shared.subscriptions == ("team/one", "team/two")
    assert contradictions == []


@pytest.mark.parametrize("columns", POLLING)
def test_each_polling_property_makes_a_source_of_its_own(columns: dict[str, Any]) -> None:
    """And always the same one."""
    assert source_id(subscription(**columns)) != source_id(subscription())
    assert source_id(subscription(**columns)) == source_id(subscription("other", **columns))


def test_all_sources_are_told_apart() -> None:
    """No two sets of properties get one identity."""
    identities = {source_id(subscription(**columns)) for columns in POLLING}

    assert len(identities) == len(POLLING)


def test_an_identity_outlives_versions() -> None:
    """A new identity would fetch and deliver all mail anew: this one must never change."""
    assert source_id(subscription()) == "39fa94ad264ca1eed14bd426"
    assert (
        source_id(subscription(schedule="0 * * * * *", postProcess="move", moveTo="Done"))
        == "b6623a49ed79d0561c5b257f"
    )
    assert source_id(subscription(deduplicationId="orders")) == "manual-orders"


def test_the_case_of_an_address_makes_no_difference() -> None:
    """One mailbox is polled once however it is written; nobody is told of a contradiction."""
    one = subscription("one", userId="Support@Contoso.example")
    two = subscription("two", userId="support@contoso.EXAMPLE")

    sources, contradictions = group_sources([one, two])

    assert [one.subscriptions for one in sources] == [("team/one", "team/two")]
    assert contradictions == []


def test_a_deduplication_id_groups_by_hand() -> None:
    """Subscriptions that declare it share a source, apart from others that are polled alike."""
    alike = subscription("alike")
    one, two = (subscription(name, deduplicationId="orders") for name in ("one", "two"))

    sources, contradictions = group_sources([alike, one, two])

    assert {one.subscriptions for one in sources} == {("team/alike",), ("team/one", "team/two")}
    assert contradictions == []


def test_a_deduplication_id_with_differing_properties_is_an_error_on_each() -> None:
    """The error names the others and what differs; other sources are not concerned."""
    one = subscription("one", deduplicationId="orders")
    two = subscription("two", deduplicationId="orders", pollingInterval="PT1M", folder="archive")
    well = subscription("well", deduplicationId="other")

    sources, contradictions = group_sources([one, well, two])

    assert [one.subscriptions for one in sources] == [("team/well",)]
    assert [one.name for one in contradictions] == ["team/one", "team/two"]
    [problem] = contradictions[0].problems
    assert "team/two" in problem
    assert "folder, schedule differ" in problem


def test_a_disabled_subscription_has_no_source() -> None:
    """Nor does it contradict an enabled one."""
    on = subscription("on", deduplicationId="orders")
    off = subscription("off", deduplicationId="orders", folder="archive", enabled=False)

    sources, contradictions = group_sources([on, off])

    assert [one.subscriptions for one in sources] == [("team/on",)]
    assert contradictions == []


def test_a_fresh_source_is_due_at_once() -> None:
    """Nothing is known of it yet."""
    assert SourceState(id=source().id).is_due(NOW)


def test_a_source_is_due_when_its_time_has_come_and_nobody_has_it() -> None:
    """Both count to the instant."""
    second = timedelta(seconds=1)

    assert SourceState(id="a", next_poll_at=NOW, lease_until=NOW).is_due(NOW)
    assert not SourceState(id="a", next_poll_at=NOW + second).is_due(NOW)
    assert not SourceState(id="a", lease_until=NOW + second).is_due(NOW)
