from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.domain.document import document_id
from shared.domain.document_links import DocumentLinks
from shared.workflows.serve_document import (
    LARGEST_ANSWER,
    ServedDocument,
    expire_documents,
    serve,
    serve_signed,
)
from tests.builders import NOW, delivery
from tests.unit.workflows.world import World

ID = document_id(delivery(), "attachment:1", NOW)
UNKNOWN = document_id(delivery(2), "attachment:1", NOW)
LINKS = DocumentLinks("https://app.example", "s3cret", timedelta(days=7))
DIGITS = b"0123456789"


async def holding(content: bytes = DIGITS, name: str = "Büro.pdf") -> World:
    """A world with one document."""

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    world = World()
    await world.documents.store(ID, name, "application/pdf; x=y", pieces())
    return world


async def ranged(world: World, header: str | None) -> ServedDocument:
    return await serve(ID, header, world.ports())


async def test_a_document_is_given_out_as_a_download() -> None:
    """With a safe name, and nothing in it can run or stay behind."""
    served = await ranged(await holding(), None)

    assert (served.status, served.body) == (200, DIGITS)
    assert served.headers == {
        "Content-Type": "application/pdf",
        "Content-Disposition": "attachment; filename=\"B_ro.pdf\"; filename*=UTF-8''B%C3%BCro.pdf",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
        "Accept-Ranges": "bytes",
    }


@pytest.mark.parametrize("identity", [UNKNOWN, "", "..", "a/b", f"{ID}\n", "\x00", ID.upper()])
async def test_what_is_not_there_is_not_found(identity: str) -> None:
    """Malformed ids are like unknown ones."""
    world = await holding()

    assert (await serve(identity, None, world.ports())).status == 404


@pytest.mark.parametrize(
    ("header", "content_range", "body"),
    [
        ("bytes=0-3", "bytes 0-3/10", b"0123"),
        ("bytes=3-", "bytes 3-9/10", b"3456789"),
        ("bytes=-4", "bytes 6-9/10", b"6789"),
        ("bytes=-400", "bytes 0-9/10", DIGITS),
        ("bytes=8-400", "bytes 8-9/10", b"89"),
        (" Bytes = 9-9 ", "bytes 9-9/10", b"9"),
    ],
)
async def test_a_part_is_given_out(header: str, content_range: str, body: bytes) -> None:
    """One range; as much of it as there is."""
    served = await ranged(await holding(), header)

    assert (served.status, served.body) == (206, body)
    assert served.headers["Content-Range"] == content_range
    assert served.headers["Content-Type"] == "application/pdf"


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=999999999999-"])
async def test_a_part_that_is_not_there_is_refused(header: str) -> None:
    """With the size that there is."""
    served = await ranged(await holding(), header)

    assert (served.status, served.body) == (416, b"")
    assert served.headers["Content-Range"] == "bytes */10"


async def test_an_empty_document_has_no_parts() -> None:
    """But it is there."""
    world = await holding(b"")

    assert (await ranged(world, "bytes=0-")).status == 416
    assert (await ranged(world, None)).status == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-3",
        "bytes=0-1,3-4",
        "bytes=-1-2",
        "bytes=a-b",
        "bytes=1.0-2",
        "bytes=٣-",
        "bytes=" + "9" * 5000 + "-",
        "lines=0-1",
    ],
)
async def test_a_range_that_cannot_be_read_is_ignored(header: str) -> None:
    """All of it is given out."""
    served = await ranged(await holding(), header)

    assert (served.status, served.body) == (200, DIGITS)


async def test_a_large_document_is_given_out_by_the_storage() -> None:
    """The platform would hold it in memory whole."""
    served = await ranged(await holding(bytes(LARGEST_ANSWER + 1)), None)

    assert (served.status, served.body) == (302, b"")
    assert served.headers["Location"] == f"https://storage.example/{ID}?seconds=300"
    assert served.headers["Cache-Control"] == "private, no-store"


async def test_a_document_as_large_as_an_answer_is_given_out_whole() -> None:
    """Eight mebibytes."""
    assert (await ranged(await holding(bytes(LARGEST_ANSWER)), None)).status == 200


@pytest.mark.parametrize("header", ["bytes=0-", f"bytes=-{LARGEST_ANSWER + 5}"])
async def test_a_part_is_no_larger_than_an_answer(header: str) -> None:
    """Whoever asks for more is given the beginning, and asks again."""
    served = await ranged(await holding(bytes(LARGEST_ANSWER + 5)), header)

    assert served.status == 206
    assert len(served.body) == LARGEST_ANSWER
    assert served.headers["Content-Range"].startswith(f"bytes 0-{LARGEST_ANSWER - 1}/")


@pytest.mark.parametrize("method", ["find", "read"])
async def test_a_storage_that_does_not_answer_is_told(method: str) -> None:
    """Without its reasons, which are in the log."""
    world = await holding()
    world.documents.failing.add(method)

    served = await ranged(world, None)

    assert served.status == 503
    assert b"container" not in served.body


async def test_a_link_opens_its_document() -> None:
    """Whoever has it."""
    world = await holding()
    query = parse_qs(urlsplit(LINKS.url(ID, NOW) or "").query)
    values = query["expires"][0], query["signature"][0]

    whole = await serve_signed(ID, *values, None, world.ports(), LINKS)
    part = await serve_signed(ID, *values, "bytes=0-0", world.ports(), LINKS)

    assert (whole.status, part.status) == (200, 206)


async def test_a_link_that_is_not_genuine_tells_nothing() -> None:
    """The same answer whether there is such a document or not."""
    world = await holding()
    query = parse_qs(urlsplit(LINKS.url(ID, NOW) or "").query)
    expires, signature = query["expires"][0], query["signature"][0]

    answers = [
        await serve_signed(ID, expires, "wrong", None, world.ports(), LINKS),
        await serve_signed(UNKNOWN, expires, signature, None, world.ports(), LINKS),
        await serve_signed("../x", expires, signature, None, world.ports(), LINKS),
        await serve_signed(ID, "", "", None, world.ports(), LINKS),
    ]
    world.later(days=8)
    answers.append(await serve_signed(ID, expires, signature, None, world.ports(), LINKS))

    assert {one.status for one in answers} == {403}
    assert all(one == answers[0] for one in answers)
    assert not world.documents.asked["find"]


async def test_documents_expire_by_whole_days() -> None:
    """None before its time."""
    world = await holding()

    assert await expire_documents(world.ports(), timedelta(days=30), NOW + timedelta(days=30)) == 0
    assert await expire_documents(world.ports(), timedelta(days=30), NOW + timedelta(days=31)) == 1
    assert (await ranged(world, None)).status == 404
