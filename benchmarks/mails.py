"""The mails that are measured with: made-up text of 10 KB, no two alike."""

from __future__ import annotations

from email.message import EmailMessage
from itertools import cycle, islice

BODY_BYTES = 10_000

_TEXT = (
    "Dear support team, since Monday our order confirmation arrives with a wrong delivery date;"
    " could you please have a look at it? The order number stands below, together with what we"
    " entered in the form. Kind regards from Zürich, and thank you for your help so far."
)


def mails(count: int) -> list[bytes]:
    """So many mails, as an `.eml` file holds them."""
    return [_mail(number) for number in range(count)]


def _mail(number: int) -> bytes:
    mail = EmailMessage()
    mail["From"] = f"Ada Lovelace <ada{number}@example.org>"
    mail["To"] = "Support <support@contoso.example>"
    mail["Subject"] = f"Order {number:06d}: wrong delivery date"
    mail["Message-ID"] = f"<{number}@example.org>"
    mail.set_content(_body(number), cte="8bit")
    return mail.as_bytes()


def _body(number: int) -> str:
    lines = [f"Order number {number:06d}"]
    words = _TEXT.split()
    first = number % len(words)
    endless = cycle(words[first:] + words[:first])
    size = len(lines[0])
    while size < BODY_BYTES:
        line = " ".join(islice(endless, 14))
        lines.append(line)
        size += len(line.encode()) + 1
    return "\n".join(lines)
