"""Mails that tests send."""

from __future__ import annotations

import base64
from pathlib import Path


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


def sample(name: str) -> bytes:
    """One of the mails that the demo delivers."""
    return (Path(__file__).parents[2] / "localdev" / "sample_mail" / f"{name}.eml").read_bytes()


def with_files(*files: tuple[str, bytes]) -> bytes:
    """A mail with files; they may have equal names."""
    parts = "".join(
        f"--part\nContent-Type: application/pdf\n"
        f'Content-Disposition: attachment; filename="{name}"\n'
        f"Content-Transfer-Encoding: base64\n\n{base64.encodebytes(content).decode()}\n"
        for name, content in files
    )
    head = 'From: Ada <ada@example.org>\nContent-Type: multipart/mixed; boundary="part"'
    text = "--part\nContent-Type: text/plain\n\nHello\n"
    return f"{head}\n\n{text}{parts}--part--\n".encode()
