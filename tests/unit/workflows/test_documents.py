import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.domain.delivery import Delivery
from shared.domain.document_links import DocumentLinks
from shared.domain.errors import (
    AnswerTooLarge,
    MailboxError,
    MailboxRefused,
    MailboxUnavailable,
    MailNotFound,
    SignInRefused,
    StorageUnavailable,
)
from shared.domain.mail import Mail, mail_from_graph
from shared.domain.subscription import Credential, KeptDocuments
from shared.ports import MailboxAddress
from shared.workflows.documents import (
    ANSWER_WEIGHT,
    SMALL,
    STREAM_WEIGHT,
    Keeping,
    keep_documents,
)
from shared.workflows.memory_budget import MemoryBudget
from tests.builders import MAILBOX, delivery
from tests.fakes.mailboxes import ITEM, REFERENCE
from tests.unit.workflows.world import KEEPING, RETENTION, World

ADDRESS = MailboxAddress(Credential(), MAILBOX)
LINKS = DocumentLinks("https://app.example", "s3cret", RETENTION)
TOTAL = 32 * 2**20
MIME = b"Subject: hello\r\n\r\nhello\r\n"
ONE_BY_ONE = "attachment_stream"
TOGETHER = "attachment_contents"


@dataclass
class Room:
    """A world with one mail in it, and its delivery."""

    world: World = field(default_factory=World)
    links: DocumentLinks = LINKS
    budget: MemoryBudget = field(default_factory=lambda: MemoryBudget(TOTAL))
    delivery: Delivery = field(default_factory=delivery)

    def __post_init__(self) -> None:
        self.mail_id = self.world.deliver(webLink="https://outlook.example/mail")
        self.world.mailbox.mime[self.mail_id] = MIME

    @property
    def mail(self) -> Mail:
        """The mail as a poll finds it."""
        return mail_from_graph(self.world.mailbox.mails[self.mail_id].message)

    def attach(self, name: str, content: bytes, **properties: Any) -> str:
        """Attaches a file to the mail, or something else."""
        return self.world.mailbox.attach(self.mail_id, name, content, **properties)

    def fail(self, error: MailboxError, method: str, times: int = 1, *, after: int = 0) -> None:
        """Lets the next calls of a method fail."""
        self.world.mailboxes.fail_next(error, method, times, after=after)

    async def keep(
        self,
        *,
        patient: bool = True,
        mime: bool = False,
        attachments: bool = True,
        largest: int = KEEPING.largest,
    ) -> Mail:
        """One attempt at the mail's documents."""
        wanted = KeptDocuments(attachments=attachments, mime=mime)
        once = delivery()
        ports = self.world.ports()
        keeping = Keeping(links=self.links, memory=self.budget, largest=largest)
        return await keep_documents(
            self.mail, once, wanted, ADDRESS, ports, keeping, patient=patient
        )

    def content(self, entry: dict[str, Any]) -> bytes:
        """The bytes of the document of an entry."""
        return self.world.documents.content(entry["documentId"])

    def asked(self) -> dict[str, int]:
        """How often the mailbox was asked, since this was asked last."""
        asked = dict(self.world.mailboxes.asked)
        self.world.mailboxes.asked.clear()
        return asked


@pytest.fixture
def room() -> Room:
    return Room()


def unavailable() -> MailboxUnavailable:
    return MailboxUnavailable(MAILBOX, "read attachment: Graph answered 503")


def gone() -> MailNotFound:
    return MailNotFound(MAILBOX, "read attachment: Graph answered 404")


async def test_a_small_attachment_becomes_a_document(room: Room) -> None:
    """The entry says where it is, how large, and how to get it."""
    room.attach("a.pdf", b"content", contentType="application/pdf")

    (entry,) = (await room.keep())["attachments"]

    document = await room.world.documents.find(entry["documentId"])
    assert document is not None
    assert (document.name, document.content_type) == ("a.pdf", "application/pdf")
    assert room.content(entry) == b"content"
    assert entry["url"] == LINKS.url(document.id, room.delivery.claimed_at)
    assert (entry["size"], entry["error"], entry["kind"]) == (7, None, "file")


@pytest.mark.parametrize("amount", [1, 3, 20])
async def test_small_attachments_cost_one_request_together(room: Room, amount: int) -> None:
    """However many they are, inline pictures included."""
    for number in range(amount):
        room.attach("same.png", bytes([number]), isInline=bool(number % 2))

    kept = await room.keep()

    assert room.asked() == {TOGETHER: 1}
    assert [room.content(one) for one in kept["attachments"]] == [bytes([n]) for n in range(amount)]


async def test_a_mail_without_attachments_costs_nothing(room: Room) -> None:
    """Neither of the mailbox nor of the storage; nor do those that nobody wants."""
    assert await room.keep() == room.mail
    room.attach("a.pdf", b"a")
    assert await room.keep(attachments=False) == room.mail

    assert room.asked() == {}
    assert not room.world.documents.asked


async def test_the_mail_that_was_given_is_not_changed(room: Room) -> None:
    """It may be queued again."""
    room.attach("a.pdf", b"a")
    mail, wanted = room.mail, KeptDocuments(mime=True)

    await keep_documents(
        mail, room.delivery, wanted, ADDRESS, room.world.ports(), KEEPING, patient=True
    )

    assert mail == room.mail


async def test_large_attachments_are_streamed(room: Room) -> None:
    """One by one, in pieces."""
    contents = [b"a" * SMALL, b"b" * 100]
    for content in contents:
        room.attach("a.bin", content)

    kept = await room.keep()

    assert room.asked() == {ONE_BY_ONE: 2}
    assert [room.content(one) for one in kept["attachments"]] == contents
    assert room.world.documents.largest_piece < SMALL


async def test_few_streams_of_a_mail_are_open_at_once(room: Room) -> None:
    """The mailbox has other mail."""
    for _ in range(10):
        room.attach("a.bin", bytes(SMALL // 5))

    await room.keep()

    assert room.world.mailboxes.streams_at_once == 3


@pytest.mark.parametrize(
    ("content", "name", "kept_as", "content_type"),
    [
        (b"Subject: inside\r\n\r\n", "inside", "inside.eml", "message/rfc822"),
        (b"BEGIN:VCALENDAR\r\n", "Meeting v1.2", "Meeting v1.2.ics", "text/calendar"),
        (b"\xef\xbb\xbf\r\nbegin:vcard\r\n", "Ada", "Ada.vcf", "text/vcard"),
        (b"Subject: inside\r\n", "Plan.EML", "Plan.EML", "message/rfc822"),
        (b"", "", "item.eml", "message/rfc822"),
    ],
)
async def test_an_item_is_kept_as_what_it_is(
    room: Room, content: bytes, name: str, kept_as: str, content_type: str
) -> None:
    """Its first bytes tell; Graph gives no content type."""
    content += b"x" * 200_000 * bool(content)
    room.attach(name, content, contentType=None, **{"@odata.type": ITEM})

    (first,) = (await room.keep())["attachments"]
    (again,) = (await room.keep())["attachments"]

    assert (first["name"], first["contentType"]) == (kept_as, content_type)
    assert (first["kind"], first["size"], room.content(first)) == ("item", len(content), content)
    assert again == first


async def test_a_reference_has_a_link_and_no_bytes(room: Room) -> None:
    """To the mail, for Graph's v1.0 does not say where the file is."""
    room.attach("plan.docx", b"", **{"@odata.type": REFERENCE})

    (entry,) = (await room.keep())["attachments"]

    assert entry["link"] == "https://outlook.example/mail"
    assert (entry["kind"], entry["documentId"], entry["error"]) == ("reference", None, None)
    assert room.asked() == {}


async def test_the_mail_as_it_came_is_kept_where_that_is_wanted(room: Room) -> None:
    """With its attachments or without."""
    kept = await room.keep(mime=True)

    document = await room.world.documents.find(kept["mime"]["documentId"])
    assert document is not None
    assert (document.name, document.content_type) == ("Subject 1.eml", "message/rfc822")
    assert room.content(kept["mime"]) == MIME
    assert kept["mime"] == {
        "documentId": document.id,
        "url": LINKS.url(document.id, room.delivery.claimed_at),
        "size": len(MIME),
        "error": None,
    }


async def test_without_a_secret_there_are_no_links(room: Room) -> None:
    """The ids are enough for whoever has the key of the app."""
    room.links = DocumentLinks("https://app.example", "", RETENTION)
    room.attach("a.pdf", b"a")

    (entry,) = (await room.keep())["attachments"]

    assert entry["url"] is None
    assert entry["documentId"]


async def test_what_is_stored_already_is_neither_fetched_nor_stored_again(room: Room) -> None:
    """And the mail looks the same."""
    room.attach("a.pdf", b"a" * 10)
    room.attach("b", b"BEGIN:VCARD\r\n", **{"@odata.type": ITEM})
    first = await room.keep(mime=True)
    room.asked()

    again = await room.keep(mime=True, patient=True)

    assert again == first
    assert room.asked() == {}
    assert room.world.documents.asked == {"known": 2, "store": 3}


@pytest.mark.parametrize("method", [TOGETHER, ONE_BY_ONE])
async def test_a_mailbox_that_is_unavailable_is_waited_for(room: Room, method: str) -> None:
    """The whole mail comes again later; what was stored by then is not fetched again."""
    room.attach("inside", b"a", **{"@odata.type": ITEM})
    room.attach("a.pdf", b"a")
    room.fail(unavailable(), method)

    with pytest.raises(MailboxUnavailable):
        await room.keep()
    room.asked()
    kept = await room.keep(patient=True)

    assert all(one["documentId"] for one in kept["attachments"])
    assert sum(room.asked().values()) == (2 if method == TOGETHER else 1)


async def test_what_is_under_way_comes_to_its_end(room: Room) -> None:
    """Though another one makes the mail come again; what has not begun does not begin."""
    for _ in range(6):
        room.attach("a.bin", bytes(SMALL))
    room.fail(unavailable(), ONE_BY_ONE, after=1)

    with pytest.raises(MailboxUnavailable):
        await room.keep()

    assert len(room.world.documents.stored) == 1
    assert room.asked() == {ONE_BY_ONE: 2}


async def test_a_stream_that_breaks_off_stores_nothing(room: Room) -> None:
    """It is fetched again, from its beginning."""
    room.attach("a.bin", b"a" * (SMALL + 1))
    room.world.mailboxes.cut_after = 100_000

    with pytest.raises(MailboxUnavailable):
        await room.keep()
    assert not room.world.documents.stored
    (entry,) = (await room.keep(patient=True))["attachments"]

    assert room.content(entry) == b"a" * (SMALL + 1)


async def test_nobody_waits_for_ever_for_one_attachment(room: Room) -> None:
    """After some attempts the mail goes on without it, and says so; the others are kept."""
    room.attach("a.bin", b"a" * SMALL)
    room.attach("b.bin", b"b" * SMALL)
    room.fail(unavailable(), ONE_BY_ONE)

    failed, other = (await room.keep(patient=False))["attachments"]

    assert failed["documentId"] is None
    assert "503" in failed["error"]
    assert room.content(other) == b"b" * SMALL


async def test_one_that_spoils_the_request_for_all_is_left_behind(room: Room) -> None:
    """After some attempts they are fetched one by one."""
    room.attach("a.pdf", b"a")
    room.attach("b.pdf", b"b")
    room.fail(unavailable(), TOGETHER)
    room.fail(unavailable(), ONE_BY_ONE)

    failed, other = (await room.keep(patient=False))["attachments"]

    assert failed["error"]
    assert room.content(other) == b"b"


@pytest.mark.parametrize(
    "error",
    [
        gone(),
        MailboxRefused(MAILBOX, "read attachment: Graph answered 403 ErrorAccessDenied"),
        MailboxRefused(MAILBOX, "read attachment: Graph answered 405"),
        AnswerTooLarge(MAILBOX, "read attachment: too large"),
    ],
)
async def test_one_that_cannot_be_had_for_good_blocks_nothing(
    room: Room, error: MailboxError
) -> None:
    """Its entry says why, at the first attempt."""
    room.attach("a.bin", b"a" * SMALL)
    room.attach("b.bin", b"b" * SMALL)
    room.fail(error, ONE_BY_ONE)

    failed, other = (await room.keep())["attachments"]

    assert (failed["documentId"], failed["url"]) == (None, None)
    assert error.what in failed["error"]
    assert room.content(other) == b"b" * SMALL


async def test_a_mail_that_is_gone_goes_on_without_its_attachments(room: Room) -> None:
    """Each says so; nobody asks for them one by one."""
    room.attach("a.pdf", b"a")
    room.attach("b.pdf", b"b")
    room.fail(gone(), TOGETHER)

    kept = await room.keep()

    assert all("not in the mailbox any more" in one["error"] for one in kept["attachments"])
    assert room.asked() == {TOGETHER: 1}


@pytest.mark.parametrize("size", [1, SMALL])
async def test_an_app_that_is_not_let_in_is_waited_for(room: Room, size: int) -> None:
    """A new secret brings the attachments."""
    room.attach("a.pdf", bytes(size))
    room.fail(SignInRefused(MAILBOX, "no token from Entra ID"), "")

    with pytest.raises(SignInRefused):
        await room.keep(patient=False)


@pytest.mark.parametrize("size_by_graph", [2_000_000, 10])
async def test_an_attachment_that_is_too_large_is_not_kept(room: Room, size_by_graph: int) -> None:
    """By Graph's word, without a request, or by its bytes; the others are."""
    room.attach("large", b"a" * 2_000_000, size=size_by_graph, **{"@odata.type": ITEM})
    room.attach("exact.bin", b"b" * 1_000_000)

    failed, other = (await room.keep(largest=1_000_000))["attachments"]

    assert failed["documentId"] is None
    assert "larger than 0.954 MiB" in failed["error"]
    assert room.content(other) == b"b" * 1_000_000
    assert room.asked().get(ONE_BY_ONE, 0) == (size_by_graph == 10)


async def test_a_file_that_graph_made_small_is_measured(room: Room) -> None:
    """It came with the others, and is larger than said."""
    room.attach("a.bin", b"a" * 2_000_000, size=10)

    (failed,) = (await room.keep(largest=1_000_000))["attachments"]

    assert failed["error"]


async def test_what_does_not_come_with_the_others_is_streamed(room: Room) -> None:
    """The answer was too large, against Graph's own word, or lacked one."""
    ids = [room.attach(f"{number}.pdf", b"a" * 600) for number in range(2)]
    room.world.mailboxes.largest_answer = 1000

    kept = await room.keep()

    assert [one["id"] for one in kept["attachments"]] == ids
    assert [room.content(one) for one in kept["attachments"]] == [b"a" * 600] * 2
    assert room.asked() == {TOGETHER: 1, ONE_BY_ONE: 2}


@pytest.mark.parametrize("method", ["known", "store"])
async def test_a_storage_that_is_unavailable_is_waited_for(room: Room, method: str) -> None:
    """Whatever the attempt."""
    room.attach("a.pdf", b"a")
    room.world.documents.failing.add(method)

    with pytest.raises(StorageUnavailable):
        await room.keep(patient=False)


async def test_an_envelope_of_an_older_version_is_understood(room: Room) -> None:
    """Its attachments have fewer fields."""
    room.attach("a.pdf", b"a")
    mail = room.mail
    for name in ("documentId", "url", "error"):
        del mail["attachments"][0][name]

    kept = await keep_documents(
        mail, room.delivery, KeptDocuments(), ADDRESS, room.world.ports(), KEEPING, patient=True
    )

    assert room.content(kept["attachments"][0]) == b"a"


async def test_mails_wait_for_each_others_memory(room: Room) -> None:
    """As much is held as the budget has, and all of it is given back."""
    room.budget = MemoryBudget(2 * STREAM_WEIGHT)
    for _ in range(3):
        room.attach("a.bin", bytes(SMALL))

    await asyncio.gather(*(room.keep() for _ in range(4)))

    assert room.world.mailboxes.streams_at_once == 2
    assert room.budget.free == 2 * STREAM_WEIGHT


async def test_a_budget_that_is_too_small_is_only_slow(room: Room) -> None:
    """One at a time."""
    room.budget = MemoryBudget(1)
    room.attach("a.pdf", bytes(SMALL // ANSWER_WEIGHT))
    room.attach("inside", b"a", **{"@odata.type": ITEM})

    kept = await room.keep(mime=True)

    assert all(one["documentId"] for one in (*kept["attachments"], kept["mime"]))


async def test_memory_is_given_back_after_failures(room: Room) -> None:
    """Of any kind."""
    room.attach("a.bin", bytes(SMALL))
    room.fail(unavailable(), ONE_BY_ONE)
    room.world.mailboxes.cut_after = 10
    with pytest.raises(MailboxUnavailable):
        await room.keep()
    with pytest.raises(MailboxUnavailable):
        await room.keep()

    assert room.budget.free == TOTAL
