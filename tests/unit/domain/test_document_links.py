from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.domain.document_links import DocumentLinks

CLAIMED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
DOCUMENT = f"20260302-{'a' * 32}-{'1' * 16}"
LINKS = DocumentLinks("https://app.example", "s3cret", WEEK)


def values(links: DocumentLinks = LINKS) -> tuple[str, str]:
    """Expiry and signature of a link."""
    query = parse_qs(urlsplit(links.url(DOCUMENT, CLAIMED) or "").query)
    return query["expires"][0], query["signature"][0]


def test_a_link_names_the_document_and_its_end() -> None:
    """Where the app is reached."""
    parts = urlsplit(LINKS.url(DOCUMENT, CLAIMED) or "")

    assert f"{parts.scheme}://{parts.netloc}" == "https://app.example"
    assert parts.path == f"/api/signed-documents/{DOCUMENT}"
    assert values()[0] == str(int((CLAIMED + DAY + WEEK).timestamp()))


def test_a_link_is_the_same_at_every_attempt() -> None:
    """It follows from the delivery."""
    assert LINKS.url(DOCUMENT, CLAIMED) == LINKS.url(DOCUMENT, CLAIMED)


def test_a_slash_behind_the_address_does_no_harm() -> None:
    """People write both."""
    links = DocumentLinks("https://app.example/", "s3cret", WEEK)

    assert links.url(DOCUMENT, CLAIMED) == LINKS.url(DOCUMENT, CLAIMED)


@pytest.mark.parametrize(
    "links", [DocumentLinks("https://app.example", "", WEEK), DocumentLinks("", "s3cret", WEEK)]
)
def test_without_secret_or_address_there_is_no_link(links: DocumentLinks) -> None:
    """Nobody could use it."""
    assert links.url(DOCUMENT, CLAIMED) is None


def test_a_link_is_accepted_until_its_end() -> None:
    """A week after the last attempt that hands it over; and not a second longer."""
    expires, signature = values()

    assert LINKS.accepts(DOCUMENT, expires, signature, CLAIMED)
    assert LINKS.accepts(DOCUMENT, expires, signature, CLAIMED + DAY + WEEK - timedelta(seconds=1))
    assert not LINKS.accepts(DOCUMENT, expires, signature, CLAIMED + DAY + WEEK)


def test_nothing_of_a_link_can_be_changed() -> None:
    """Neither document, nor end, nor signature."""
    expires, signature = values()
    later = str(int(expires) + 1)

    assert not LINKS.accepts(DOCUMENT[:-1] + "2", expires, signature, CLAIMED)
    assert not LINKS.accepts(DOCUMENT, later, signature, CLAIMED)
    assert not LINKS.accepts(DOCUMENT, expires, signature[:-1], CLAIMED)
    assert not LINKS.accepts(DOCUMENT, expires, "", CLAIMED)


@pytest.mark.parametrize("expires", ["", "never", "1e30", "-1", "٣", "9" * 40, "1 ", "1\n", "1.0"])
def test_an_end_that_is_no_number_is_not_accepted(expires: str) -> None:
    """Whatever stands there."""
    _, signature = values()

    assert not LINKS.accepts(DOCUMENT, expires, signature, CLAIMED)


@pytest.mark.parametrize("signature", ["ü" * 43, "\ud83d", "\x00"])
def test_a_signature_of_any_characters_is_only_wrong(signature: str) -> None:
    """No error."""
    assert not LINKS.accepts(DOCUMENT, values()[0], signature, CLAIMED)


def test_links_of_another_secret_are_not_accepted() -> None:
    """Nor any without one."""
    expires, signature = values(DocumentLinks("https://app.example", "other", WEEK))

    assert not LINKS.accepts(DOCUMENT, expires, signature, CLAIMED)
    assert not DocumentLinks("https://app.example", "", WEEK).accepts(
        DOCUMENT, expires, signature, CLAIMED
    )


def test_the_secret_is_not_shown() -> None:
    """Objects end up in logs."""
    assert "s3cret" not in repr(LINKS)
