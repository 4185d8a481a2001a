"""OData parameters that are passed on, and those that are not."""

from urllib.parse import quote, urlencode

import pytest

from shared.domain.outbound.links import LONGEST_TOKEN, GraphLink
from shared.domain.outbound.odata_query import LIST, ONE, checked


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"$top": "1000", "$skip": "0", "$count": "true"},
        {"$filter": "subject eq 'it''s (not' and isRead eq false"},
        {"$select": "id,subject,from", "$expand": "attachments($select=id,name)"},
        {"$orderby": "receivedDateTime desc,subject"},
        {"$search": '"subject:printer"'},
        {"$expand": "attachments($select=id,name), extensions($filter=id eq 'a,b(''c')"},
    ],
)
def test_sensible_values_pass(query: dict[str, str]) -> None:
    """As they are."""
    assert checked(query, LIST) == query


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"$top": "0"}, "1 to 1000"),
        ({"$top": "1001"}, "1 to 1000"),
        ({"$top": "٣"}, "1 to 1000"),
        ({"$top": "10,20"}, "1 to 1000"),
        ({"$skip": "-1"}, "0 to"),
        ({"$count": "yes"}, "true or false"),
        ({"$filter": "subject eq 'a"}, "quotes"),
        ({"$filter": "isRead eq false) or (true"}, "parentheses"),
        ({"$filter": ""}, "a value"),
        ({"$filter": "a\nb"}, "one line"),
        ({"$select": "id;subject"}, "names"),
        ({"$orderby": "receivedDateTime down"}, "asc or desc"),
        ({"$expand": "manager"}, "attachments"),
        ({"$expand": "attachments,manager"}, "attachments"),
        ({"$expand": "attachments-of"}, "attachments"),
        ({"$expand": "attachments,"}, "attachments"),
        ({"$expand": "attachments(a),b(c)"}, "attachments"),
        ({"$search": '"a"', "$filter": "isRead eq true"}, "$search goes with neither"),
        ({"$format": "atom"}, "'$format' is not known"),
        ({"top": "5"}, "'top' is not known"),
    ],
)
def test_others_are_refused(query: dict[str, str], said: str) -> None:
    """The refusal says which, and what is allowed."""
    with pytest.raises(ValueError, match=r".") as raised:
        checked(query, LIST)

    assert said in str(raised.value)


def test_all_problems_are_told_at_once() -> None:
    """One round for the caller."""
    with pytest.raises(ValueError, match=r"\$top: .*; '\$filter' is not known"):
        checked({"$top": "5", "$filter": "a"} | {"$top": "0"}, {"$top": LIST["$top"]})


def test_one_message_has_fewer_parameters() -> None:
    """There is nothing to page or to filter."""
    with pytest.raises(ValueError, match=r"'\$top' is not known"):
        checked({"$top": "5"}, ONE)


def test_parameters_are_not_longer_than_the_link_to_the_rest_of_a_list_may_be() -> None:
    """It carries them, escaped, in an address; so what is too long is refused at the first page."""
    fits = " or ".join(["subject ne 'äöü'"] * 90)
    query = {"$filter": fits, "$top": "1"}
    assert checked(query, LIST) == query
    escaped = urlencode({**query, "$skip": "1000000"}, quote_via=quote, safe="")
    folders = f"/mailFolders/{'a' * 200}/childFolders/{'b' * 200}/messages"
    assert len(GraphLink(folders, escaped).token) <= LONGEST_TOKEN

    with pytest.raises(ValueError, match="escaped"):
        checked({"$filter": " or ".join(["subject ne 'äöü'"] * 150)}, LIST)
