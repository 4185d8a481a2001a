"""How the contract tests talk to the simulator: raw HTTP, and mail to deliver."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from zlib import crc32

import aiohttp

SUPPORT = "support@contoso.example"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}


@dataclass(frozen=True)
class Reply:
    """One answer, read to its end."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        """The error code."""
        return str(self.body["error"]["code"])

    @property
    def ids(self) -> list[str]:
        """The ids of a list."""
        return [item["id"] for item in self.body["value"]]

    @property
    def subjects(self) -> list[str]:
        """The subjects of a list."""
        return [item["subject"] for item in self.body["value"]]


class RawGraph:
    """Graph without any SDK: what is on the wire is what the test sees."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self.session = session
        self.url = url
        self.token = token

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request; `path` is below the support mailbox unless it is a URL."""
        url = path if path.startswith("http") else f"{self.url}/v1.0/users/{SUPPORT}{path}"
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        async with self.session.request(
            method, url, json=json, data=data, headers=sent, params=params
        ) as response:
            return Reply(response.status, dict(response.headers), await response.read())

    async def batch(self, *requests: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Send a batch and return its answers by id."""
        reply = await self("POST", f"{self.url}/v1.0/$batch", json={"requests": requests})
        assert reply.status == 200, reply.raw
        return {response["id"]: response for response in reply.body["responses"]}


def mail(
    subject: str = "Printer on fire",
    body: str = "Please come at once.",
    sender: str = "Ada Lovelace <ada@fabrikam.example>",
    html: str | None = None,
    **headers: str,
) -> bytes:
    """Return a mail as the bytes of an .eml file."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = SUPPORT
    message["Subject"] = subject
    message["Message-ID"] = f"<{crc32(subject.encode())}@fabrikam.example>"
    message["Date"] = "Tue, 14 Jan 2025 16:11:43 +0000"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def mail_with_inline_picture() -> bytes:
    """Return a mail with nothing attached but the picture that its body shows."""
    return _with_picture("A picture").as_bytes()


def mail_with_attachments() -> bytes:
    """Return a mail with an inline picture, a file and another mail."""
    message = _with_picture("Three attachments")
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="bill.pdf")
    inner = EmailMessage()
    inner["Subject"] = "The mail inside"
    inner.set_content("Hello from inside.")
    message.add_attachment(inner)
    return message.as_bytes()


def _with_picture(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Ada Lovelace <ada@fabrikam.example>"
    message["To"] = SUPPORT
    message["Subject"] = subject
    message.set_content("See below.")
    message.add_alternative('<p>See <img src="cid:logo"></p>', subtype="html")
    message.add_attachment(
        b"PNG",
        maintype="image",
        subtype="png",
        filename="logo.png",
        disposition="inline",
        cid="<logo>",
    )
    return message
