"""Lists of messages, under the limits that Graph sets on queries."""

from datetime import UTC, datetime, timedelta

import pytest

from localdev.graph_simulator import GraphSimulator, Quirks
from tests.contract.graph_simulator.clients import IMMUTABLE, SUPPORT, RawGraph, mail

INBOX = "/mailFolders/inbox/messages"


@pytest.mark.parametrize(
    ("condition", "subjects"),
    [
        ("isRead eq false", ["late", "early"]),
        ("not (isRead eq false)", ["read"]),
        ("receivedDateTime ge 2025-01-02T00:00:00Z", ["late", "read"]),
        ("receivedDateTime lt 2025-01-02T00:00:00Z and isRead eq false", ["early"]),
        ("subject eq 'EARLY' or subject eq 'late'", ["late", "early"]),
        ("startswith(subject,'ea') or endswith(subject,'ead')", ["read", "early"]),
        ("contains(subject,'at')", ["late"]),
        ("from/emailAddress/address eq 'ADA@fabrikam.example'", ["late", "read", "early"]),
        ("categories/any(c:c eq 'red')", ["read"]),
        ("categories/any(c:startswith(c,'Re') and c ne 'blue')", ["read"]),
        ("importance eq 'high'", ["late"]),
        ("hasAttachments eq true", []),
        ("parentFolderId eq 'inbox'", ["late", "read", "early"]),
        ("subject eq 'it''s'", []),
    ],
)
async def test_filters_select(
    simulator: GraphSimulator, raw: RawGraph, condition: str, subjects: list[str]
) -> None:
    """Filters compare text without case, and the newest come first."""
    _three_messages(simulator)

    reply = await raw("GET", INBOX, params={"$filter": condition})

    assert reply.status == 200, reply.raw
    assert reply.subjects == subjects


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"$filter": "isRead eq false", "$orderby": "receivedDateTime"}, "InefficientFilter"),
        (
            {
                "$filter": "isRead eq false and receivedDateTime ge 1900-01-01T00:00:00Z",
                "$orderby": "receivedDateTime",
            },
            "InefficientFilter",
        ),
        (
            {"$filter": "endswith(from/emailAddress/address,'.com')"},
            "ErrorInvalidUrlQueryFilter",
        ),
        (
            {"$filter": "toRecipients/any(r:r/emailAddress/address eq 'a@b.c')"},
            "ErrorInvalidUrlQueryFilter",
        ),
        ({"$filter": "contains(body,'x')"}, "RequestBroker--ParseUri"),
        ({"$filter": "isRead eq 'false'"}, "BadRequest"),
        ({"$filter": "colour eq 'red'"}, "RequestBroker--ParseUri"),
        ({"$filter": "isRead eq"}, "RequestBroker--ParseUri"),
        ({"$filter": "isRead eq false", "$search": '"x"'}, "SearchWithFilter"),
        ({"$search": '"x"', "$orderby": "subject"}, "SearchWithOrderBy"),
        ({"$top": "1001"}, "RequestBroker--ParseUri"),
        ({"$top": "0"}, "RequestBroker--ParseUri"),
        ({"$select": "colour"}, "RequestBroker--ParseUri"),
        ({"$orderby": "colour"}, "RequestBroker--ParseUri"),
        ({"$expand": "attachments($select=contentBytes)"}, "RequestBroker--ParseUri"),
        ({"$expand": "extensions"}, "RequestBroker--ParseUri"),
        ({"$apply": "x"}, "RequestBroker--ParseUri"),
    ],
)
async def test_queries_that_graph_refuses(raw: RawGraph, query: dict[str, str], code: str) -> None:
    """What Graph answers with a 400 is a 400 here, with the same code."""
    reply = await raw("GET", INBOX, params=query)

    assert (reply.status, reply.code) == (400, code)


async def test_a_lenient_order_is_an_option(simulator: GraphSimulator, raw: RawGraph) -> None:
    """Recorded traffic shows orders that the documentation calls errors: an option takes them."""
    simulator.quirks = Quirks(lenient_order=True)
    query = {"$filter": "isRead eq false", "$orderby": "receivedDateTime ASC"}

    assert (await raw("GET", INBOX, params=query)).status == 200


async def test_a_filter_on_the_body_misses_matches(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """`contains(body/content, …)` is taken, but only the beginning of a body is looked at."""
    simulator.deliver(SUPPORT, mail("near", body="needle"))
    simulator.deliver(SUPPORT, mail("far", body="hay " * 100 + "needle"))

    reply = await raw("GET", INBOX, params={"$filter": "contains(body/content,'needle')"})

    assert reply.subjects == ["near"]


async def test_search_looks_at_all_text(simulator: GraphSimulator, raw: RawGraph) -> None:
    """`$search` finds words in subject, sender and the whole body."""
    simulator.deliver(SUPPORT, mail("one", body="hay " * 100 + "needle"))
    simulator.deliver(SUPPORT, mail("two"))

    assert (await raw("GET", INBOX, params={"$search": '"needle"'})).subjects == ["one"]
    assert (await raw("GET", INBOX, params={"$search": '"subject:two"'})).subjects == ["two"]


async def test_acting_while_paging_skips_mail(simulator: GraphSimulator, raw: RawGraph) -> None:
    """Next links are positions: what is marked read between two pages makes the second skip."""
    for number in range(6):
        simulator.deliver(SUPPORT, mail(str(number)))
    query = {
        "$filter": "receivedDateTime ge 1900-01-01T00:00:00Z and isRead eq false",
        "$orderby": "receivedDateTime asc",
        "$top": "2",
    }
    first = await raw("GET", INBOX, params=query, headers=IMMUTABLE)
    for message_id in first.ids:
        await raw("PATCH", f"/messages/{message_id}", json={"isRead": True})

    second = await raw("GET", first.body["@odata.nextLink"], headers=IMMUTABLE)

    assert (first.subjects, second.subjects) == (["0", "1"], ["4", "5"])


async def test_reading_all_pages_first_finds_all(simulator: GraphSimulator, raw: RawGraph) -> None:
    """Following the links without acting lists every message once."""
    for number in range(25):
        simulator.deliver(SUPPORT, mail(str(number)))
    subjects: list[str] = []
    link = f"{raw.url}/v1.0/users/{SUPPORT}{INBOX}?$orderby=receivedDateTime&$count=true"
    while link:
        page = await raw("GET", link)
        assert page.body["@odata.count"] == 25
        subjects += page.subjects
        link = page.body.get("@odata.nextLink")

    assert subjects == [str(number) for number in range(25)]


async def test_an_empty_page_may_have_a_next_link(simulator: GraphSimulator, raw: RawGraph) -> None:
    """With the quirk on, an empty page comes before a full one, and nothing is lost."""
    simulator.quirks = Quirks(empty_pages=1.0)
    simulator.deliver(SUPPORT, mail("only"))

    empty = await raw("GET", INBOX)
    full = await raw("GET", empty.body["@odata.nextLink"])

    assert (empty.ids, full.subjects) == ([], ["only"])


async def test_mail_of_one_second_keeps_its_order(simulator: GraphSimulator, raw: RawGraph) -> None:
    """Times are whole seconds; the order of arrival decides between equal ones."""
    moment = datetime(2025, 1, 1, 12, 0, 0, 999999, tzinfo=UTC)
    for number in range(3):
        simulator.deliver(SUPPORT, mail(str(number)), received=moment)

    reply = await raw("GET", INBOX, params={"$orderby": "receivedDateTime"})

    assert reply.subjects == ["0", "1", "2"]
    assert {m["receivedDateTime"] for m in reply.body["value"]} == {"2025-01-01T12:00:00Z"}


async def test_the_mailbox_lists_the_mail_of_all_folders(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """Without a folder in the path, every folder counts."""
    simulator.deliver(SUPPORT, mail("a"))
    simulator.deliver(SUPPORT, mail("b"), folder="Inquiries/Tech-Support")

    assert sorted((await raw("GET", "/messages")).subjects) == ["a", "b"]
    assert (await raw("GET", "/mailFolders/inbox/messages/$count")).raw == b"1"


async def test_a_selection_brings_no_more(simulator: GraphSimulator, raw: RawGraph) -> None:
    """A `$select` answers id and etag beside what it names; headers come only when named."""
    simulator.deliver(SUPPORT, mail(X_Case="42"))

    reply = await raw("GET", INBOX, params={"$select": "subject,internetMessageHeaders"})

    (message,) = reply.body["value"]
    assert set(message) == {"@odata.etag", "id", "subject", "internetMessageHeaders"}
    assert {"name": "X-Case", "value": "42"} in message["internetMessageHeaders"]


async def test_the_body_comes_in_the_preferred_type(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """HTML becomes text where text is preferred, and the answer says so."""
    simulator.deliver(SUPPORT, mail(html="<html><body><p>Hello<br>you</p></body></html>"))

    plain = await raw("GET", INBOX)
    text = await raw("GET", INBOX, headers={"Prefer": 'outlook.body-content-type="text"'})

    assert plain.body["value"][0]["body"]["contentType"] == "html"
    assert text.body["value"][0]["body"] == {"contentType": "text", "content": "Hello\r\nyou"}
    assert text.headers["Preference-Applied"] == 'outlook.body-content-type="text"'


def _three_messages(simulator: GraphSimulator) -> None:
    day = datetime(2025, 1, 1, tzinfo=UTC)
    simulator.deliver(SUPPORT, mail("early"), received=day)
    simulator.deliver(
        SUPPORT, mail("read"), received=day + timedelta(days=1), is_read=True, categories=["Red"]
    )
    simulator.deliver(SUPPORT, mail("late", Importance="High"), received=day + timedelta(days=2))
