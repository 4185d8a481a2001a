"""Folders: direct children only, ten a page, and names of which there is one each."""

import pytest

from localdev.graph_simulator import GraphSimulator
from tests.contract.graph_simulator.clients import SUPPORT, RawGraph, mail

WELL_KNOWN = (
    "archive",
    "clutter",
    "conflicts",
    "conversationhistory",
    "deleteditems",
    "drafts",
    "inbox",
    "junkemail",
    "localfailures",
    "msgfolderroot",
    "outbox",
    "recoverableitemsdeletions",
    "scheduled",
    "searchfolders",
    "sentitems",
    "serverfailures",
    "syncissues",
)


@pytest.mark.parametrize("name", WELL_KNOWN)
async def test_well_known_names_stand_for_ids(raw: RawGraph, name: str) -> None:
    """Every well-known name is a folder, and its id leads to the same one."""
    by_name = await raw("GET", f"/mailFolders/{name}")
    by_id = await raw("GET", f"/mailFolders/{by_name.body['id']}")

    assert by_id.body == by_name.body


async def test_a_list_holds_direct_children_ten_a_page(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """Grandchildren are not listed, and more than ten folders need a next link."""
    for name in ("A/below", "B", "C"):
        simulator.deliver(SUPPORT, mail(), folder=name)

    first = await raw("GET", "/mailFolders")
    second = await raw("GET", first.body["@odata.nextLink"])

    names = [folder["displayName"] for folder in first.body["value"] + second.body["value"]]
    assert len(first.ids) == 10
    assert names[-3:] == ["A", "B", "C"]
    assert "below" not in names


async def test_hidden_folders_are_listed_on_demand(raw: RawGraph) -> None:
    """`includeHiddenFolders=true` brings what is else left out."""
    visible = await raw("GET", "/mailFolders?$top=100")
    everything = await raw("GET", "/mailFolders?$top=100&includeHiddenFolders=true")

    hidden = [folder for folder in everything.body["value"] if folder["isHidden"]]
    assert len(everything.ids) == len(visible.ids) + len(hidden)
    assert hidden


async def test_folders_are_found_by_name(simulator: GraphSimulator, raw: RawGraph) -> None:
    """`displayName eq` walks a path one level at a time."""
    simulator.deliver(SUPPORT, mail(), folder="Bob's/Tech-Support")

    top = await raw("GET", "/mailFolders", params={"$filter": "displayName eq 'bob''s'"})
    (parent,) = top.ids
    below = await raw("GET", f"/mailFolders/{parent}/childFolders?$select=displayName")

    assert [set(folder) for folder in below.body["value"]] == [{"id", "displayName"}]
    assert below.body["value"][0]["displayName"] == "Tech-Support"


async def test_a_name_is_taken_once(raw: RawGraph) -> None:
    """A second folder of a name, in whatever case, is a conflict."""
    created = await raw("POST", "/mailFolders", json={"displayName": "Inquiries"})
    again = await raw("POST", "/mailFolders", json={"displayName": "INQUIRIES"})

    assert created.status == 201
    assert created.headers["Location"].endswith(f"/mailFolders('{created.body['id']}')")
    assert (again.status, again.code) == (409, "ErrorFolderExists")


async def test_child_folders_are_created_and_expanded(raw: RawGraph) -> None:
    """A tree is built level by level, and two levels can be read at once."""
    parent = (await raw("POST", "/mailFolders", json={"displayName": "A"})).body["id"]
    child = await raw("POST", f"/mailFolders/{parent}/childFolders", json={"displayName": "B"})

    tree = await raw("GET", "/mailFolders?$expand=childFolders($top=9999)&$top=9999")

    (found,) = [folder for folder in tree.body["value"] if folder["id"] == parent]
    assert found["childFolderCount"] == 1
    assert [folder["id"] for folder in found["childFolders"]] == [child.body["id"]]


async def test_folders_are_renamed_and_deleted(raw: RawGraph) -> None:
    """A deleted folder moves below Deleted Items; well-known ones stay."""
    folder = (await raw("POST", "/mailFolders", json={"displayName": "A"})).body["id"]

    renamed = await raw("PATCH", f"/mailFolders/{folder}", json={"displayName": "B"})
    deleted = await raw("DELETE", f"/mailFolders/{folder}")
    refused = await raw("DELETE", "/mailFolders/inbox")

    assert (renamed.body["displayName"], deleted.status, refused.status) == ("B", 204, 400)
    assert folder in (await raw("GET", "/mailFolders/deleteditems/childFolders")).ids


async def test_counts_follow_the_messages(simulator: GraphSimulator, raw: RawGraph) -> None:
    """Total, unread and size change with every message."""
    message_id = simulator.deliver(SUPPORT, mail())
    full = (await raw("GET", "/mailFolders/inbox")).body
    await raw("PATCH", f"/messages/{message_id}", json={"isRead": True})
    read = (await raw("GET", "/mailFolders/inbox")).body
    await raw("DELETE", f"/messages/{message_id}")
    empty = (await raw("GET", "/mailFolders/inbox")).body

    counts = [(f["totalItemCount"], f["unreadItemCount"]) for f in (full, read, empty)]
    assert counts == [(1, 1), (1, 0), (0, 0)]
    assert full["sizeInBytes"] > 0
    assert empty["sizeInBytes"] == 0
