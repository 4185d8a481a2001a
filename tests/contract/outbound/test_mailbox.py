"""Folders and messages: listed, paged, marked, moved, deleted."""

import pytest
from msgraph.generated.models.followup_flag_status import FollowupFlagStatus

from shared.domain.errors import FolderNotFound, MailboxRefused, MailNotFound
from shared.domain.outbound.links import GraphLink, from_token
from shared.domain.outbound.requests import MarkRequest, MoveRequest
from shared.workflows.outbound import mailbox
from tests.builders import MAILBOX
from tests.contract.outbound.worlds import OutboundWorld


async def test_folders_are_listed_and_made(world: OutboundWorld) -> None:
    """Below the root and below another."""
    made = await world.operations.create_folder(world.caller, None, "Inquiries", hidden=False)
    await world.operations.create_folder(world.caller, made["id"], "Done", hidden=False)

    below = await world.operations.list_folders(world.caller, made["id"], {"$top": "5"})
    all_ = await world.operations.list_folders(world.caller, None, {"$count": "true", "$top": "3"})

    assert [one["displayName"] for one in below.value] == ["Done"]
    assert len(all_.value) == 3
    assert (all_.count or 0) > 3
    folders = await world.user().mail_folders.get()
    assert folders is not None
    assert "Inquiries" in [one.display_name for one in folders.value or ()]


async def test_a_folder_that_is_there_is_not_made_again(world: OutboundWorld) -> None:
    """The refusal carries Graph's code."""
    await world.operations.create_folder(world.caller, None, "One", hidden=False)

    with pytest.raises(MailboxRefused) as raised:
        await world.operations.create_folder(world.caller, None, "One", hidden=False)

    assert raised.value.said is not None
    assert raised.value.said.code == "ErrorFolderExists"


async def test_pages_follow_each_other_through_tokens(world: OutboundWorld) -> None:
    """Each mail once, over the whole mailbox and in a folder."""
    ids = {world.deliver(f"mail {number}") for number in range(7)}
    query = {"$top": "3", "$select": "id,subject", "$filter": "isRead eq false"}

    for folder in (None, "inbox"):
        listing = await world.operations.list_messages(world.caller, folder, query)
        seen = [one["id"] for one in listing.value]
        while listing.next_link is not None:
            link = from_token(listing.next_link.token)
            listing = await world.operations.follow(world.caller, link)
            seen += [one["id"] for one in listing.value]

        assert len(seen) == 7
        assert set(seen) == ids


async def test_a_link_opens_the_mailbox_of_the_path_only(world: OutboundWorld) -> None:
    """A folder of another mailbox is not there."""
    other = world.simulator.directory.mailbox("ada@contoso.example").well_known["inbox"].id
    link = GraphLink(f"/mailFolders/{other}/messages", "$top=1")

    with pytest.raises(Exception, match=MAILBOX) as raised:
        await world.operations.follow(world.caller, link)

    assert "404" in str(raised.value)


async def test_a_folder_that_is_not_there_is_told(world: OutboundWorld) -> None:
    """For lists and for moves, by path or by id; a message that is not there is another thing."""
    gone = await world.operations.create_folder(world.caller, None, "Gone", hidden=False)
    del world.simulator.directory.mailbox(MAILBOX).folders[gone["id"]]
    with pytest.raises(FolderNotFound):
        await world.operations.list_messages(world.caller, gone["id"], {})
    mail, request = world.deliver(), MoveRequest(folder="Nowhere")
    with pytest.raises(FolderNotFound):
        await mailbox.move(world.operations, world.caller, mail, request)
    request = MoveRequest(folder_id=gone["id"])
    with pytest.raises(FolderNotFound):
        await mailbox.move(world.operations, world.caller, mail, request)
    await mailbox.delete(world.operations, world.caller, mail, permanent=True)
    with pytest.raises(MailNotFound):
        await mailbox.move(world.operations, world.caller, mail, request)


async def test_a_mail_is_marked(world: OutboundWorld) -> None:
    """Read, labelled and flagged in one request."""
    mail = world.deliver()
    request = MarkRequest(is_read=True, categories=("a", "b", "a"), flag="flagged")

    await mailbox.mark(world.operations, world.caller, mail, request)

    assert world.counted() == {"PATCH message": 1}
    seen = await world.user().messages.by_message_id(mail).get()
    assert seen is not None
    assert (seen.is_read, seen.categories) == (True, ["a", "b"])
    assert seen.flag is not None
    assert seen.flag.flag_status is FollowupFlagStatus.Flagged


async def test_a_mail_is_moved_and_keeps_its_id(world: OutboundWorld) -> None:
    """Into a path that is made."""
    mail = world.deliver()
    request = MoveRequest(folder="Inquiries/Done", create_folder=True)

    moved = await mailbox.move(world.operations, world.caller, mail, request)

    assert moved["id"] == mail
    assert world.simulator.messages(MAILBOX, "Inquiries/Done")[0].id == mail


@pytest.mark.parametrize("permanent", [True, False])
async def test_a_mail_is_deleted(world: OutboundWorld, *, permanent: bool) -> None:
    """Into Deleted Items, where it stays though it is deleted again; or for good."""
    mail = world.deliver()

    for _ in range(1 if permanent else 2):
        await mailbox.delete(world.operations, world.caller, mail, permanent=permanent)

    deleted = [one.id for one in world.simulator.messages(MAILBOX, "deleteditems")]
    assert deleted == ([] if permanent else [mail])
