import asyncio
from collections.abc import AsyncIterator
from datetime import date

import pytest

from shared.domain.document import Document
from shared.domain.document_names import LONGEST_NAME
from shared.domain.errors import MailboxUnavailable, StorageUnavailable
from tests.contract.storage.worlds import World

MAIL = f"20260302-{'a' * 32}"
FIRST, SECOND = f"{MAIL}-{'1' * 16}", f"{MAIL}-{'2' * 16}"
OTHER_MAIL = f"20260302-{'b' * 32}-{'1' * 16}"


def document_on(day: str, number: int = 0) -> str:
    return f"{day}-{number:032x}-{'1' * 16}"


async def pieces(*contents: bytes) -> AsyncIterator[bytes]:
    for content in contents:
        await asyncio.sleep(0)
        yield content


async def store(
    world: World, identity: str = FIRST, content: bytes = b"content", name: str = "a.pdf"
) -> Document:
    return await world.documents().store(identity, name, "application/pdf", pieces(content))


async def test_a_document_is_found_as_it_was_stored(world: World) -> None:
    stored = await store(world)

    assert stored == Document(FIRST, "a.pdf", "application/pdf", 7)
    assert await world.documents().find(FIRST) == stored
    assert await world.documents().read(FIRST, 0, 7) == b"content"


@pytest.mark.parametrize(
    "sizes", [(), (0,), (1,), (2**20,), (2**20 + 1,), (300_000,) * 11, (7_000_000,)]
)
async def test_a_document_of_any_size_is_stored_whole(world: World, sizes: tuple[int, ...]) -> None:
    contents = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    stored = await world.documents().store(FIRST, "a", "b/c", pieces(*contents))

    assert stored.size == sum(sizes)
    assert await world.documents().read(FIRST, 0, stored.size) == b"".join(contents)
    assert await world.documents().known(MAIL) == {FIRST: stored}


@pytest.mark.parametrize("before", [100, 5_000_000])
async def test_a_content_that_breaks_off_leaves_nothing(world: World, before: int) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(before)
        raise MailboxUnavailable("a@b.example", "read attachment: no answer")

    with pytest.raises(MailboxUnavailable):
        await world.documents().store(FIRST, "a", "b/c", broken())

    assert await world.documents().find(FIRST) is None
    assert await world.documents().known(MAIL) == {}


async def test_a_content_that_breaks_off_leaves_what_was_there(world: World) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(5_000_000)
        raise MailboxUnavailable("a@b.example", "read attachment: no answer")

    stored = await store(world)
    with pytest.raises(MailboxUnavailable):
        await world.documents().store(FIRST, "a", "b/c", broken())

    assert await world.documents().find(FIRST) == stored
    assert await world.documents().read(FIRST, 0, 100) == b"content"


async def test_a_document_is_stored_over_the_one_before(world: World) -> None:
    await store(world, content=bytes(3_000_000))
    await store(world, content=b"new", name="b.pdf")

    assert await world.documents().find(FIRST) == Document(FIRST, "b.pdf", "application/pdf", 3)
    assert await world.documents().read(FIRST, 0, 3) == b"new"


async def test_two_that_store_the_same_at_once_mix_nothing(world: World) -> None:
    contents = [bytes([number]) * 3_000_000 for number in (1, 2)]
    results = await asyncio.gather(
        *(world.documents().store(FIRST, "a", "b/c", pieces(one)) for one in contents)
    )

    assert [one.size for one in results] == [3_000_000] * 2
    assert await world.documents().read(FIRST, 0, 3_000_000) in contents


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Bücher & Söhne.pdf",
        "../../etc/passwd\x00\r\nX-Header: 1",
        "\u202egpj.exe 🎉",
        "100% & more=?.txt",
        "ф" * LONGEST_NAME,
    ],
)
async def test_names_are_kept_as_they_are(world: World, name: str) -> None:
    stored = await world.documents().store(FIRST, name, name[:50], pieces(b"a"))

    assert (stored.name, stored.content_type) == (name, name[:50])
    assert await world.documents().find(FIRST) == stored
    assert await world.documents().known(MAIL) == {FIRST: stored}


async def test_names_that_no_storage_takes_are_made_fit(world: World) -> None:
    long = await store(world, FIRST, name="🎉" * 5000 + ".pdf")
    broken = await world.documents().store(SECOND, "\ud83d.txt", "x" * 5000 + "\ud83d", pieces())

    assert (len(long.name), long.name[-5:]) == (LONGEST_NAME, "🎉.pdf")
    assert broken.name == "\ufffd.txt"
    assert await world.documents().known(MAIL) == {FIRST: long, SECOND: broken}


async def test_the_documents_of_one_mail_are_known(world: World) -> None:
    assert await world.documents().known(MAIL) == {}

    stored = [await store(world, FIRST), await store(world, SECOND, b"")]
    await store(world, OTHER_MAIL)

    assert await world.documents().known(MAIL) == {one.id: one for one in stored}


@pytest.mark.parametrize("identity", [FIRST, "", "..", "a/b", f"{FIRST}\n", FIRST.upper(), MAIL])
async def test_what_is_not_there_is_not_found(world: World, identity: str) -> None:
    await store(world, OTHER_MAIL)

    assert await world.documents().find(identity) is None


async def test_a_document_is_read_in_parts(world: World) -> None:
    await store(world, content=b"0123456789")
    documents = world.documents()

    assert await documents.read(FIRST, 3, 4) == b"3456"
    assert await documents.read(FIRST, 8, 100) == b"89"
    assert await documents.read(FIRST, 0, 0) == b""


async def test_a_document_that_has_gone_meanwhile_cannot_be_read(world: World) -> None:
    await store(world, OTHER_MAIL)

    with pytest.raises(StorageUnavailable) as raised:
        await world.documents().read(FIRST, 0, 1)

    assert raised.value.status == 404


async def test_whole_days_expire(world: World) -> None:
    days = ["20251231", "20260301", "20260302", "20260303"]
    for day in days:
        await store(world, document_on(day))
        await store(world, document_on(day, 1))

    assert await world.documents().expire(date(2026, 3, 2)) == 4
    assert await world.documents().expire(date(2026, 3, 2)) == 0

    left = [day for day in days if await world.documents().find(document_on(day))]
    assert left == ["20260302", "20260303"]


async def test_all_of_many_expire(world: World) -> None:
    await asyncio.gather(*(store(world, document_on("20260301", n)) for n in range(50)))

    assert await world.documents().expire(date(2026, 3, 2)) == 50


async def test_nothing_expires_where_nothing_was_stored(world: World) -> None:
    assert await world.documents().expire(date(2026, 3, 2)) == 0
