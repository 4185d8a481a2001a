import pytest

from shared.domain.document_names import (
    LONGEST_NAME,
    content_disposition,
    safe_name,
    safe_type,
    shortened,
    with_ending,
)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Bücher & Söhne.pdf", "Bücher & Söhne.pdf"),
        ("../../etc/passwd", "etc passwd"),
        ("C:\\Windows\\a.exe", "C Windows a.exe"),
        ('x"; filename=evil.exe', "x filename=evil.exe"),
        ("a\r\nSet-Cookie: b", "a Set-Cookie b"),
        ("cod\u202efdp.exe", "codfdp.exe"),
        ("a\x00\x7f\u200bb\ud83d.txt", "ab.txt"),
        ("100%2Fa.txt", "100 2Fa.txt"),
        ("", "document"),
        (" . ", "document"),
        (".htaccess", "htaccess"),
    ],
)
def test_a_safe_name_is_one_on_every_system(name: str, safe: str) -> None:
    """Whatever the sender of a mail has made up."""
    assert safe_name(name) == safe


def test_a_long_name_keeps_its_ending() -> None:
    """A person goes by it."""
    name = shortened("x" * 5000 + ".pdf")

    assert len(name) == LONGEST_NAME
    assert name.endswith("xx.pdf")
    assert shortened("x." + "y" * 5000) == "x." + "y" * (LONGEST_NAME - 2)
    assert shortened("x" * LONGEST_NAME) == "x" * LONGEST_NAME


def test_an_ending_is_added_once() -> None:
    """In any case."""
    assert with_ending("Re: plan", ".eml") == "Re: plan.eml"
    assert with_ending("plan.EML", ".eml") == "plan.EML"


def test_a_download_has_a_name_for_old_clients_and_new() -> None:
    """RFC 6266: ASCII, and percent-encoded UTF-8."""
    assert content_disposition("Büro 1.pdf") == (
        "attachment; filename=\"B_ro 1.pdf\"; filename*=UTF-8''B%C3%BCro%201.pdf"
    )


@pytest.mark.parametrize("name", ['"', "\\", "\r\n", "a\nb: c", "🎉" * 5000, "\ud83d", "\x80"])
def test_a_download_header_is_always_one_short_line_of_ascii(name: str) -> None:
    """With two quotation marks."""
    header = content_disposition(name)

    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert len(header) < 2100


@pytest.mark.parametrize(
    ("content_type", "safe"),
    [
        ("application/pdf", "application/pdf"),
        ("Text/HTML; charset=utf-8", "text/html"),
        ("image/svg+xml", "image/svg+xml"),
        ("", "application/octet-stream"),
        ("pdf", "application/octet-stream"),
        ("a/b/c", "application/octet-stream"),
        ("text/html\r\nX-Header: 1", "application/octet-stream"),
        ("a/" + "b" * 5000, "application/octet-stream"),
        ("tëxt/html", "application/octet-stream"),
    ],
)
def test_a_content_type_that_is_none_is_replaced(content_type: str, safe: str) -> None:
    """It becomes a header."""
    assert safe_type(content_type) == safe
