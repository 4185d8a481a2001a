"""MIME in: what real programs send becomes a mail with subject, body, people and attachments."""

from datetime import UTC, datetime

import pytest

from localdev.graph_simulator.content import Address
from localdev.graph_simulator.mime import content_from_mime


def test_encoded_headers_are_decoded() -> None:
    """Encoded words, raw UTF-8 and folded lines all read as text."""
    content = content_from_mime(
        b"From: =?utf-8?q?M=C3=BCller=2C_Eva?= <eva@x.example>\r\n"
        b'To: a@x.example,\r\n\t"B, C" <b@x.example>\r\n'
        b"Subject: =?iso-8859-1?q?Gr=FC=DFe?= aus\r\n Z\xc3\xbcrich\r\n"
        b"Date: Tue, 14 Jan 2025 18:11:43 +0200\r\n\r\n"
    )

    assert content.from_ == Address("Müller, Eva", "eva@x.example")
    assert content.to == [
        Address("a@x.example", "a@x.example"),
        Address("B, C", "b@x.example"),
    ]
    assert content.subject == "Grüße aus Zürich"
    assert content.sent == datetime(2025, 1, 14, 16, 11, 43, tzinfo=UTC)


def test_html_is_the_body_where_there_is_a_choice() -> None:
    """Of two alternatives, the HTML is the body and the text is no attachment."""
    content = content_from_mime(
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n"
        b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>f\xc3\xbcr</p>\r\n--b--\r\n"
    )

    assert (content.body_type, content.body) == ("html", "<p>für</p>")
    assert content.attachments == []


def test_line_ends_are_those_of_exchange() -> None:
    """Bodies have CRLF, whatever the mail had."""
    assert content_from_mime(b"Subject: x\n\none\ntwo\n").body == "one\r\ntwo"


def test_a_picture_in_the_body_is_inline() -> None:
    """A part that the HTML refers to is inline, whatever its disposition says."""
    content = content_from_mime(
        b"Content-Type: multipart/related; boundary=b\r\n\r\n"
        b'--b\r\nContent-Type: text/html\r\n\r\n<img src="cid:p1">\r\n'
        b"--b\r\nContent-Type: image/png\r\nContent-ID: <p1>\r\n\r\nPNG\r\n--b--\r\n"
    )

    assert [attachment.is_inline for attachment in content.attachments] == [True]
    assert not content.has_attachments


def test_an_attached_mail_is_an_item() -> None:
    """A message/rfc822 part is one attachment, named by its subject."""
    content = content_from_mime(
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee below\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ntext\r\n--b--\r\n"
    )

    (item,) = content.attachments
    assert (item.kind, item.name) == ("item", "inner")
    assert item.content.startswith(b"Subject: inner")


def test_a_conversation_is_known_by_its_first_message() -> None:
    """References lead to the thread; without any, a mail begins its own."""
    first = content_from_mime(b"Message-ID: <1@x>\r\n\r\n")
    reply = content_from_mime(b"Message-ID: <2@x>\r\nReferences: <1@x>\r\n\r\n")
    late = content_from_mime(b"Message-ID: <3@x>\r\nReferences: <1@x> <2@x>\r\n\r\n")

    assert first.thread == reply.thread == late.thread == "<1@x>"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"no header at all",
        b"Subject: =?utf-8?b?////?=\r\n\r\n",
        b"Subject: =?nonsense?q?x?=\r\nDate: never\r\nFrom: <<>>\r\n\r\n",
        b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: /\r\n\r\n\r\n",
        b"Content-Transfer-Encoding: base64\r\n\r\n%%%",
        b"Content-Disposition: attachment; filename*=nonsense''%ff\r\n\r\nx",
        b"Date: Tue, 99 Jan 2025 99:99:99 +9999\r\n\r\n",
    ],
)
def test_broken_mail_is_mail(raw: bytes) -> None:
    """Nothing that arrives raises, and all text can be written as UTF-8."""
    content = content_from_mime(raw)

    texts = [content.subject, content.body, *(a.name for a in content.attachments)]
    assert "".join(texts).encode("utf-8") is not None
