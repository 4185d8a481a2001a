"""Mails that tests send."""

from __future__ import annotations

import base64


def mail(
    number: int = 1,
    *,
    subject: str | None = None,
    sender: str = "Ada <ada@example.org>",
    to: str = "support@contoso.example",
    body: str = "Hello",
    attachment: bytes = b"",
) -> bytes:
    """A mail as MIME; what is empty is left out.

    Written by hand, for the standard library takes seconds for the large ones.
    """
    headers = {
        "From": sender,
        "To": to,
        "Subject": f"Mail {number}" if subject is None else subject,
        "Message-ID": f"<{number}@example.org>",
    }
    head = "".join(f"{name}: {value}\n" for name, value in headers.items() if value)
    text = f"Content-Type: text/plain; charset=utf-8\n\n{body}\n"
    if not attachment:
        return f"{head}{text}".encode()
    parts = (
        f'{head}Content-Type: multipart/mixed; boundary="part"\n\n--part\n{text}--part\n'
        "Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n"
        'Content-Disposition: attachment; filename="data.bin"\n\n'
    )
    return parts.encode() + base64.encodebytes(attachment) + b"--part--\n"
