"""Answers have the keys, types, statuses and headers of recorded traffic."""

from base64 import b64encode
from typing import Any

import pytest

from localdev.graph_simulator import GraphSimulator, Quirks
from tests.contract.graph_simulator import recorded
from tests.contract.graph_simulator.clients import SUPPORT, RawGraph, Reply, mail


def assert_shape(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(found) == list(expected)
    for name, kind in expected.items():
        assert isinstance(found[name], kind) if isinstance(kind, type) else found[name] == kind


def assert_headers(reply: Reply) -> None:
    names = {name.lower() for name in reply.headers}
    assert names >= recorded.HEADERS


async def create_draft(raw: RawGraph) -> Reply:
    return await raw("POST", "/mailFolders/inbox/messages", json=recorded.DRAFT_BODY)


async def test_a_created_draft(raw: RawGraph) -> None:
    """POST of a message answers 201 with the whole message and where it is."""
    reply = await create_draft(raw)

    assert reply.status == 201
    assert_headers(reply)
    assert reply.headers["Content-Type"].split(";") == recorded.JSON_CONTENT_TYPE
    draft = reply.body
    assert_shape(draft, recorded.DRAFT)
    assert_shape(draft["body"], recorded.BODY)
    assert_shape(draft["from"], recorded.RECIPIENT)
    assert_shape(draft["toRecipients"][0]["emailAddress"], recorded.EMAIL_ADDRESS)
    assert_shape(draft["flag"], recorded.FLAG)
    assert reply.headers["Location"].endswith(f"/messages('{draft['id']}')")
    assert draft["@odata.context"].endswith(
        "$metadata#users('support%40contoso.example')/mailFolders('inbox')/messages/$entity"
    )
    assert draft["@odata.etag"] == f'W/"{draft["changeKey"]}"'
    assert (draft["isDraft"], draft["isRead"]) == (True, False)


async def test_a_changed_read_state(raw: RawGraph) -> None:
    """PATCH answers 200 with the whole message; the change key stays."""
    draft = (await create_draft(raw)).body

    reply = await raw("PATCH", f"/messages/{draft['id']}", json={"isRead": True})

    assert reply.status == 200
    assert_shape(reply.body, recorded.DRAFT)
    assert reply.body["changeKey"] == draft["changeKey"]


async def test_the_ids_of_a_draft_have_the_recorded_lengths(raw: RawGraph) -> None:
    """Ids of messages have 152 characters, those of folders 120."""
    draft = (await create_draft(raw)).body

    assert (len(draft["id"]), len(draft["parentFolderId"])) == (152, 120)


async def test_a_size_by_extended_property(raw: RawGraph) -> None:
    """The recorded client reads a message's size this way, with a slash before the query."""
    draft = (await create_draft(raw)).body["id"]

    reply = await raw("GET", f"/messages/{draft}{recorded.SIZE_QUERY}")

    assert_shape(reply.body, recorded.SELECTED_DRAFT)
    assert_shape(reply.body["singleValueExtendedProperties"][0], recorded.SIZE_PROPERTY)


async def test_headers_of_received_mail_are_selected(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """A mail that was transported has its headers, a draft has none."""
    message_id = simulator.deliver(SUPPORT, mail())

    reply = await raw("GET", f"/messages/{message_id}{recorded.SIZE_QUERY}")

    headers = reply.body["internetMessageHeaders"]
    assert all(list(header) == ["name", "value"] for header in headers)


@pytest.mark.parametrize("query", [recorded.UNREAD_QUERY, recorded.EVERYTHING_QUERY])
@pytest.mark.parametrize("by_name", [True, False])
async def test_a_counted_list(
    simulator: GraphSimulator, raw: RawGraph, query: str, *, by_name: bool
) -> None:
    """The recorded lists order by a time that their filter does not name; an option allows it."""
    simulator.quirks = Quirks(lenient_order=True)
    folder = (await create_draft(raw)).body["parentFolderId"]

    reply = await raw("GET", query.format(folder="inbox" if by_name else folder))

    assert reply.status == 200
    assert_shape(reply.body, recorded.COUNTED_LIST)
    assert_shape(reply.body["value"][0], recorded.LISTED_ID)
    assert reply.body["@odata.count"] == 1
    assert reply.body["@odata.context"].endswith(
        "$metadata#users('support%40contoso.example')/messages(id)"
    )


async def test_a_folder(raw: RawGraph) -> None:
    """A folder is created with 201, read with 200 and deleted with 204."""
    created = await raw("POST", "/mailFolders", json={"displayName": "A"})
    path = f"/mailFolders/{created.body['id']}"
    read = await raw("GET", path)
    deleted = await raw("DELETE", path)

    for reply in (created, read):
        assert_headers(reply)
        assert_shape(reply.body, {"@odata.context": str, **recorded.FOLDER})
        assert reply.body["@odata.context"].endswith("/mailFolders/$entity")
    assert [created.status, read.status, deleted.status] == [201, 200, 204]
    assert_headers(deleted)
    assert deleted.raw == b""


async def test_a_folder_tree(raw: RawGraph) -> None:
    """The recorded client asks for 9,999 folders, and gets two levels."""
    reply = await raw("GET", recorded.TREE_QUERY)

    assert reply.status == 200
    assert list(reply.body) == ["@odata.context", "value"]
    assert reply.body["@odata.context"].endswith("/mailFolders(childFolders())")
    for folder in reply.body["value"]:
        assert_shape(folder, recorded.EXPANDED_FOLDER)


async def test_mime(raw: RawGraph) -> None:
    """MIME is text/plain with CRLF, composed for what was written through Graph."""
    draft = (await create_draft(raw)).body["id"]

    reply = await raw("GET", f"/messages/{draft}/$value")

    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/plain")
    assert reply.raw.startswith(b'From: "from@example.com" <from@example.com>\r\n')
    assert reply.raw.endswith(b"Test email\r\n")


async def test_a_deleted_message(raw: RawGraph) -> None:
    """DELETE answers 204 and nothing else."""
    draft = (await create_draft(raw)).body["id"]

    reply = await raw("DELETE", f"/messages/{draft}")

    assert (reply.status, reply.raw) == (204, b"")
    assert_headers(reply)


async def test_a_sent_mail(raw: RawGraph) -> None:
    """`sendMail` with MIME answers 202 and no body; the mail needs no From of its own."""
    source = b"To: support@contoso.example\r\nSubject: x\r\n\r\nTest email"

    reply = await raw(
        "POST", "/sendMail", data=b64encode(source), headers={"Content-Type": "text/plain"}
    )

    assert (reply.status, reply.raw, reply.headers["Content-Length"]) == (202, b"", "0")


async def test_a_refused_token(raw: RawGraph) -> None:
    """A 401 has an error with ids in it, and says in a header where tokens come from."""
    raw.token = "no-token"

    reply = await raw("GET", recorded.EVERYTHING_QUERY.format(folder="inbox"))

    assert reply.status == 401
    assert_shape(reply.body["error"], recorded.ERROR)
    assert_shape(reply.body["error"]["innerError"], recorded.INNER_ERROR)
    assert reply.body["error"]["code"] == "InvalidAuthenticationToken"
    assert reply.headers["Content-Type"] == "application/json"
    assert "WWW-Authenticate" in reply.headers
