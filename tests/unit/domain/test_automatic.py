import pytest

from shared.domain.automatic import is_automatic


@pytest.mark.parametrize(
    "header",
    [
        ("auto-submitted", "auto-replied"),
        ("auto-submitted", "Auto-Generated; owner-email=a@b.example"),
        ("precedence", "bulk"),
        ("precedence", "List"),
        ("precedence", "junk"),
        ("x-auto-response-suppress", "OOF, AutoReply"),
        ("x-auto-response-suppress", "All"),
        ("list-unsubscribe", "<mailto:leave@list.example>"),
        ("list-id", "<news.list.example>"),
        ("x-loop", "yes"),
        ("return-path", "<>"),
        ("content-type", 'multipart/report; report-type=delivery-status; boundary="x"'),
    ],
)
def test_headers_of_machines_are_known(header: tuple[str, str]) -> None:
    """Each of them alone is enough."""
    name, value = header

    assert is_automatic({name: value}, "ada@example.org")


@pytest.mark.parametrize(
    "sender",
    [
        "noreply@shop.example",
        "no-reply@shop.example",
        "do_not_reply@shop.example",
        "orders-noreply@shop.example",
        "no-reply+4711@shop.example",
        "MAILER-DAEMON@mx.example",
        "postmaster@mx.example",
        "bounce-12@list.example",
    ],
)
def test_addresses_behind_which_nobody_reads_are_known(sender: str) -> None:
    """An answer to them would come back, or go round."""
    assert is_automatic({}, sender)


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ({}, ""),
        ({}, "ada@example.org"),
        ({}, "noreen.playford@example.org"),
        ({}, "dan.replyson@noreply.example"),
        ({"auto-submitted": "no"}, "ada@example.org"),
        ({"precedence": "first-class"}, "ada@example.org"),
        ({"x-auto-response-suppress": "DR, RN, NRN"}, "ada@example.org"),
        ({"return-path": "<ada@example.org>"}, "ada@example.org"),
        ({"content-type": "multipart/mixed"}, "ada@example.org"),
    ],
)
def test_mail_of_people_stays_theirs(headers: dict[str, str], sender: str) -> None:
    """Outlook asks for no receipts in ordinary mail too."""
    assert not is_automatic(headers, sender)
