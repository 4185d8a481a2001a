"""What every `Mailboxes` does: the fake that the workflows are tested with, and Graph's adapter."""

from datetime import timedelta

import pytest

from shared.domain.errors import FolderNotFound, MailboxRefused, MailboxUnavailable
from shared.domain.odata import id_listing
from shared.domain.subscription import Folder, Operation
from shared.ports import MailboxAddress
from tests.contract.mailboxes.worlds import RECEIVED, Seen, World

INBOX = Folder("Inbox")
GONE = "somebody else had removed the mail"
SECOND = timedelta(seconds=1)


async def test_a_well_known_folder_is_its_own_id(world: World) -> None:
    """In any case, and in every language of a mailbox."""
    assert await world.mailboxes.find_folder(world.address, INBOX) == "inbox"


async def test_a_folder_given_by_id_is_taken_as_it_is(world: World) -> None:
    """Nobody asks for it."""
    assert await world.mailboxes.find_folder(world.address, Folder(id="AAMk=")) == "AAMk="


@pytest.mark.parametrize(
    "path", ["Inquiries", "Inquiries/Tech-Support", "inbox/Orders", "O'Brien/a & b #1/50%"]
)
async def test_nested_folders_are_found(world: World, path: str) -> None:
    """By the path of their display names, whatever characters those have."""
    world.create_folder(path)
    mail = world.deliver(folder=path)

    page = await world.list(path)

    assert [message["id"] for message in page.messages] == [mail]


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("Inquiries", "no folder 'Inquiries' in the mailbox"),
        ("Known/Tech", "no folder 'Tech' in Known"),
        ("Known/Tech/2026", "no folder 'Tech' in Known"),
        ("inbox/Tech", "no folder 'Tech' in inbox"),
    ],
)
async def test_a_missing_folder_is_named(world: World, path: str, missing: str) -> None:
    """With the part of the path that is missing."""
    world.create_folder("Known")

    with pytest.raises(FolderNotFound, match=missing):
        await world.mailboxes.find_folder(world.address, Folder(path))


async def test_mail_is_listed_oldest_first(world: World) -> None:
    """Unread mail of that folder, whole."""
    second = world.deliver("second", RECEIVED + SECOND)
    world.deliver("read", is_read=True)
    world.deliver("elsewhere", folder="archive")
    first = world.deliver("first", RECEIVED)

    page = await world.list("inbox")

    assert [message["id"] for message in page.messages] == [first, second]
    assert [message["subject"] for message in page.messages] == ["first", "second"]
    assert "content" in page.messages[0]["body"]
    assert page.next_link is None


async def test_a_listing_begins_at_a_time(world: World) -> None:
    """With the mail of that second."""
    world.deliver("before", RECEIVED - SECOND)
    at, after = world.deliver("at", RECEIVED), world.deliver("after", RECEIVED + SECOND)

    page = await world.mailboxes.list_messages(
        world.address, "inbox", id_listing(RECEIVED, "", 1000), "text"
    )

    assert [message["id"] for message in page.messages] == [at, after]
    assert all("body" not in message for message in page.messages)


async def test_pages_follow_by_next_links(world: World) -> None:
    """Up to one without."""
    ids = [world.deliver(received=RECEIVED + SECOND * n) for n in range(5)]
    listed, link = [], None

    for _ in range(3):
        page = await world.list("inbox", 2, link)
        listed += [message["id"] for message in page.messages]
        link = page.next_link

    assert listed == ids
    assert link is None


async def test_a_next_link_is_a_position(world: World) -> None:
    """Where earlier mail leaves the list meanwhile, as much is skipped: Graph's own weakness."""
    ids = [world.deliver(received=RECEIVED + SECOND * n) for n in range(4)]
    page = await world.list("inbox", 2)
    await world.post_process(ids[0], Operation.MARK_AS_READ)

    rest = await world.list("inbox", 2, page.next_link)

    assert [message["id"] for message in rest.messages] == ids[3:]


async def test_an_empty_page_can_have_a_next_link(world: World) -> None:
    """It is not the end."""
    mail = world.deliver()
    world.has_an_empty_page()

    empty = await world.list("inbox")
    rest = await world.list("inbox", 100, empty.next_link)

    assert (list(empty.messages), [one["id"] for one in rest.messages]) == ([], [mail])


async def test_a_folder_that_is_gone_cannot_be_listed(world: World) -> None:
    """It is not taken for an empty one."""
    world.create_folder("Orders")
    folder_id = await world.mailboxes.find_folder(world.address, Folder("Orders"))
    world.purge_folder("Orders")

    with pytest.raises(FolderNotFound):
        await world.mailboxes.list_messages(
            world.address, folder_id, id_listing(RECEIVED, "", 10), "text"
        )


async def test_messages_are_fetched_by_id(world: World) -> None:
    """Whole; those that are gone are left out."""
    ids = [world.deliver(f"mail {n}") for n in range(3)]
    world.remove(ids[1])

    fetched = await world.mailboxes.fetch_messages(world.address, ids, "text")

    assert [message["id"] for message in fetched] == [ids[0], ids[2]]
    assert [message["subject"] for message in fetched] == ["mail 0", "mail 2"]
    assert "content" in fetched[0]["body"]


async def test_nothing_to_fetch(world: World) -> None:
    """No ids, no messages."""
    assert await world.mailboxes.fetch_messages(world.address, [], "text") == []


@pytest.mark.parametrize(
    ("operations", "seen"),
    [
        ((Operation.MARK_AS_READ,), Seen("inbox", is_read=True, categories=("old",))),
        ((Operation.DELETE,), Seen("deleteditems", categories=("old",))),
        ((Operation.FORCE_DELETE,), None),
        ((Operation.MOVE,), Seen("Done", categories=("old",))),
        ((Operation.CATEGORIZE,), Seen("inbox", categories=("old", "new"))),
        ((Operation.MARK_AS_READ, Operation.MOVE), Seen("Done", is_read=True, categories=("old",))),
        (
            (Operation.MARK_AS_READ, Operation.DELETE),
            Seen("deleteditems", is_read=True, categories=("old",)),
        ),
        (
            (Operation.MARK_AS_READ, Operation.CATEGORIZE, Operation.MOVE),
            Seen("Done", is_read=True, categories=("old", "new")),
        ),
    ],
)
async def test_operations(world: World, operations: tuple[Operation, ...], seen: Seen) -> None:
    """Those that are asked for, and no other; the id stays."""
    world.create_folder("Done")
    mail, other = world.deliver(categories=("old",)), world.deliver()

    note = await world.post_process(
        mail, *operations, move_to=Folder("Done"), categories=("new",), known=("old",)
    )

    assert note == ""
    assert world.look(mail) == seen
    assert world.look(other) == Seen("inbox")


@pytest.mark.parametrize("operation", [Operation.MARK_AS_READ, Operation.MOVE, Operation.DELETE])
async def test_an_operation_may_be_repeated(world: World, operation: Operation) -> None:
    """For its answer may have been lost: the second time changes nothing."""
    world.create_folder("Done")
    mail = world.deliver()

    await world.post_process(mail, operation, move_to=Folder("Done"))
    once = world.look(mail)
    note = await world.post_process(mail, operation, move_to=Folder("Done"))

    assert (note, world.look(mail)) == ("", once)


@pytest.mark.parametrize("operation", list(Operation))
async def test_mail_that_is_gone_is_no_error(world: World, operation: Operation) -> None:
    """Somebody was faster; a note says so."""
    world.create_folder("Done")
    mail = world.deliver()
    world.remove(mail)

    note = await world.post_process(mail, operation, move_to=Folder("Done"), categories=("new",))

    assert GONE in note


async def test_a_folder_is_made_where_that_is_wanted(world: World) -> None:
    """With those above it."""
    mail = world.deliver()

    await world.post_process(mail, Operation.MOVE, move_to=Folder("Done/2026"), create_folder=True)

    assert world.look(mail) == Seen("Done/2026")


async def test_a_missing_folder_to_move_to_is_an_error(world: World) -> None:
    """The mail stays where it is."""
    mail = world.deliver()

    with pytest.raises(FolderNotFound, match="no folder 'Done' in the mailbox"):
        await world.post_process(mail, Operation.MOVE, move_to=Folder("Done"))

    assert world.look(mail) == Seen("inbox")


@pytest.mark.parametrize("create", [False, True])
async def test_a_folder_to_move_to_may_be_made_anew(world: World, create: bool) -> None:  # noqa: FBT001
    """What is remembered of it is looked up again when it turns out to be wrong."""
    first, second = world.deliver(), world.deliver()
    world.create_folder("Done")
    await world.post_process(first, Operation.MOVE, move_to=Folder("Done"), create_folder=create)
    world.purge_folder("Done")
    if not create:
        world.create_folder("Done")

    await world.post_process(second, Operation.MOVE, move_to=Folder("Done"), create_folder=create)

    assert world.look(second) == Seen("Done")


async def test_an_unknown_mailbox_is_refused_with_a_hint(world: World) -> None:
    """A person has to correct `userId`."""
    nobody = MailboxAddress(world.address.credential, "nobody@contoso.example")

    with pytest.raises(MailboxRefused, match="no such mailbox in this tenant; check userId"):
        await world.mailboxes.list_messages(nobody, "inbox", id_listing(RECEIVED, "", 10), "text")


@pytest.mark.parametrize("retry_after", [None, 60.0])
async def test_a_mailbox_that_is_down_is_unavailable(
    world: World, retry_after: float | None
) -> None:
    """With the time that Graph asks to wait, if it asks; afterwards it is itself again."""
    mail = world.deliver()
    world.is_down(retry_after, times=4 if retry_after is None else 1)

    with pytest.raises(MailboxUnavailable) as raised:
        await world.list("inbox")
    world.time_passes()

    assert raised.value.retry_after == retry_after
    assert [one["id"] for one in (await world.list("inbox")).messages] == [mail]
