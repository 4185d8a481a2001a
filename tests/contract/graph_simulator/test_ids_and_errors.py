"""Ids of both kinds, and the answers to those that lead nowhere."""

import pytest

from localdev.graph_simulator import GraphSimulator
from tests.contract.graph_simulator.clients import IMMUTABLE, SUPPORT, RawGraph, mail


async def test_a_move_changes_the_id_unless_it_is_immutable(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """The old id leads nowhere after a move; the immutable one still leads to the message."""
    immutable = simulator.deliver(SUPPORT, mail())
    (before,) = (await raw("GET", "/messages")).ids

    moved = await raw("POST", f"/messages/{before}/move", json={"destinationId": "archive"})

    assert moved.status == 201
    assert before not in (immutable, moved.body["id"])
    assert (await raw("GET", f"/messages/{before}")).code == "ErrorItemNotFound"
    found = await raw("GET", f"/messages/{immutable}", headers=IMMUTABLE)
    assert found.body["id"] == immutable
    assert found.body["parentFolderId"] == moved.body["parentFolderId"]


async def test_a_move_answers_with_the_immutable_id_if_asked(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """The preference holds for the answer of a move too."""
    message_id = simulator.deliver(SUPPORT, mail())

    moved = await raw(
        "POST",
        f"/messages/{message_id}/move",
        json={"destinationId": "junkemail"},
        headers=IMMUTABLE,
    )

    assert moved.body["id"] == message_id
    assert moved.headers["Location"].endswith(f"/messages('{message_id}')")


async def test_ids_are_case_sensitive(simulator: GraphSimulator, raw: RawGraph) -> None:
    """An id in another case is another id."""
    message_id = simulator.deliver(SUPPORT, mail())

    assert (await raw("GET", f"/messages/{message_id.swapcase()}")).status in (400, 404)


async def test_a_message_is_found_in_its_own_folder_only(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """A path through another folder finds nothing; MIME is not found below folders at all."""
    message_id = simulator.deliver(SUPPORT, mail())

    assert (await raw("GET", f"/mailFolders/inbox/messages/{message_id}")).status == 200
    assert (await raw("GET", f"/mailFolders/drafts/messages/{message_id}")).status == 404
    assert (await raw("GET", f"/mailFolders/inbox/messages/{message_id}/$value")).status == 400


async def test_keys_may_stand_in_parentheses(simulator: GraphSimulator, raw: RawGraph) -> None:
    """`users('…')/mailFolders('inbox')` is the same path."""
    simulator.deliver(SUPPORT, mail("here"))
    url = f"{raw.url}/v1.0/users('{SUPPORT}')/mailFolders('inbox')/messages/"

    assert (await raw("GET", url)).subjects == ["here"]


async def test_a_user_is_found_by_object_id(simulator: GraphSimulator, raw: RawGraph) -> None:
    """The directory's id stands wherever the address does."""
    user_id = simulator.add_mailbox(SUPPORT).user_id

    assert (await raw("GET", f"{raw.url}/v1.0/users/{user_id}/messages")).status == 200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/messages/abc", 400, "ErrorInvalidIdMalformed"),
        ("/mailFolders/nowhere", 400, "ErrorInvalidIdMalformed"),
        ("/nothing", 400, "BadRequest"),
        ("/messages/abc/def/ghi/jkl", 400, "BadRequest"),
    ],
)
async def test_paths_that_lead_nowhere(raw: RawGraph, path: str, status: int, code: str) -> None:
    """Malformed ids and unknown segments are told apart from what is merely absent."""
    reply = await raw("GET", path)

    assert (reply.status, reply.code) == (status, code)


async def test_an_id_of_another_mailbox_is_refused(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """Ids say which mailbox they are of."""
    simulator.add_mailbox("sales@contoso.example")
    other = simulator.deliver("sales@contoso.example", mail())

    reply = await raw("GET", f"/messages/{other}")

    assert (reply.status, reply.code) == (404, "ErrorInvalidMailboxItemId")


async def test_an_unknown_user_is_invalid(raw: RawGraph) -> None:
    """Mail of a user that does not exist is a 404 of its own."""
    reply = await raw("GET", f"{raw.url}/v1.0/users/nobody@contoso.example/messages")

    assert (reply.status, reply.code) == (404, "ErrorInvalidUser")


async def test_a_mailbox_may_not_be_in_exchange_online(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """An on-premises mailbox has a user, but no mail to reach."""
    simulator.add_mailbox("old@contoso.example", rest_enabled=False)

    reply = await raw("GET", f"{raw.url}/v1.0/users/old@contoso.example/messages")

    assert (reply.status, reply.code) == (404, "MailboxNotEnabledForRESTAPI")


async def test_me_is_nobody(raw: RawGraph) -> None:
    """An application has no `/me`."""
    assert (await raw("GET", f"{raw.url}/v1.0/me/messages")).status == 400


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"isRead": "yes"}, 400),
        ({"colour": "red"}, 400),
        ({"subject": "Other"}, 400),
        ({"categories": "red"}, 400),
        ({"importance": "urgent"}, 400),
        ({"flag": {"flagStatus": "red"}}, 400),
        ({"importance": "low", "flag": {"flagStatus": "complete"}}, 200),
    ],
)
async def test_what_may_be_changed(
    simulator: GraphSimulator, raw: RawGraph, changes: dict[str, object], status: int
) -> None:
    """A received mail takes few changes, and none of a wrong type."""
    message_id = simulator.deliver(SUPPORT, mail())

    assert (await raw("PATCH", f"/messages/{message_id}", json=changes)).status == status


async def test_a_move_needs_a_folder_that_is_there(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """No destination is a 400; one that was deleted for good is a 404. The message stays."""
    message_id = simulator.deliver(SUPPORT, mail())
    gone = simulator.add_mailbox(SUPPORT).ids.folder(999)

    missing = await raw("POST", f"/messages/{message_id}/move", json={})
    unknown = await raw("POST", f"/messages/{message_id}/move", json={"destinationId": gone})

    assert (missing.status, unknown.status) == (400, 404)
    assert len(simulator.messages(SUPPORT, "inbox")) == 1
