"""Mails that tests send."""

from __future__ import annotations

from email.message import EmailMessage


def mail(
    number: int = 1,
    *,
    subject: str | None = None,
    sender: str | None = "Ada <ada@example.org>",
    to: str = "support@contoso.example",
    body: str = "Hello",
    attachment: bytes | None = None,
) -> bytes:
    """A mail as MIME; what is empty is left out."""
    message = EmailMessage()
    subject = f"Mail {number}" if subject is None else subject
    for name, value in (("From", sender), ("To", to), ("Subject", subject)):
        if value:
            message[name] = value
    message["Message-ID"] = f"<{number}@example.org>"
    message.set_content(body)
    if attachment is not None:
        message.add_attachment(
            attachment, maintype="application", subtype="octet-stream", filename="data.bin"
        )
    return message.as_bytes()
