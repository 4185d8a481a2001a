"""Models of mail that goes out. Decoding one checks it; the OpenAPI document is made of them.

Sources of the limits: message and sendMail of Microsoft Graph v1.0 (own headers begin with ``x-``
and are at most five), RFC 5321 (length of an address), Exchange Online (500 to 1000 recipients).
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

MOST_RECIPIENTS = 500
MOST_HEADERS = 5
MOST_ATTACHMENTS = 100
LONGEST_SUBJECT = 255
LONGEST_HEADER = 995
AUTOMATIC_HEADER = "X-Auto-Response-Suppress"
"""What marks our automatic mail; `Auto-Submitted` itself is stripped by Exchange."""

# Python's $ also matches before a line feed at the end, which must not get into a header
END = r"$(?!\n)"
# a header must not go on in another line, whatever a mail program takes for one
_ON_ONE_LINE = r"[^\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]*"
_OF_ADDRESS = r'[^\s@<>,;"\x00-\x1f\x7f-\x9f]+'
Address: TypeAlias = Annotated[
    str,
    Meta(
        max_length=320,
        pattern=rf"^{_OF_ADDRESS}@{_OF_ADDRESS}{END}",
        description="An address such as `ada@example.org`.",
    ),
]
Line: TypeAlias = Annotated[str, Meta(max_length=LONGEST_SUBJECT, pattern=rf"^{_ON_ONE_LINE}{END}")]
HeaderName: TypeAlias = Annotated[
    str, Meta(max_length=100, pattern=rf"^[xX]-[A-Za-z0-9][A-Za-z0-9-]*{END}")
]
HeaderValue: TypeAlias = Annotated[
    str, Meta(max_length=LONGEST_HEADER, pattern=rf"^{_ON_ONE_LINE}{END}")
]
_CONTENT_TYPE = rf'^[!-:<-~]*(?: *; *[!#-:<>-~]+=(?:[!#-:<-~]+|"[ !#-~]*"))*{END}'
ContentType: TypeAlias = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=_CONTENT_TYPE,
        description="Such as `application/pdf` or `text/plain; charset=utf-8`.",
    ),
]
BodyType: TypeAlias = Literal["text", "html"]
Importance: TypeAlias = Literal["low", "normal", "high"]


class Model(Struct, forbid_unknown_fields=True, rename="camel", frozen=True, kw_only=True):
    """What all models have in common: camelCase, and nothing that is not known."""


class Recipient(Model, frozen=True, kw_only=True):
    """Somebody who gets or sends mail, with a name.

    Args:
        address: where the mail goes.
        name: shown beside the address.
    """

    address: Address
    name: Line = ""


Someone: TypeAlias = Address | Recipient
Recipients: TypeAlias = Annotated[tuple[Someone, ...], Meta(max_length=MOST_RECIPIENTS)]


class OutgoingAttachment(Model, frozen=True, kw_only=True):
    """A file that goes with a mail: its bytes here, or a document of ours.

    Args:
        name: file name; may be left out for a document, which has one.
        content: the bytes, in base64; either this or `document_id`.
        document_id: the id of a document that an incoming mail has brought.
        content_type: such as `application/pdf`; that of the document where it is left out.
        content_id: by which an HTML body shows it, as `<img src="cid:…">`; makes it inline.
    """

    name: Line = ""
    content: bytes | None = None
    document_id: Annotated[str, Meta(max_length=100)] | None = None
    content_type: ContentType = ""
    content_id: Annotated[str, Meta(pattern=rf"^[A-Za-z0-9._@-]{{1,200}}{END}")] | None = None

    def __post_init__(self) -> None:
        """Refuses what has no bytes, or two sorts of them."""
        if (self.content is None) == (self.document_id is None):
            raise ValueError("an attachment has either content (base64) or documentId")
        if self.content is not None and not self.name.strip():
            raise ValueError("an attachment with content needs a name")


class MailContent(Model, frozen=True, kw_only=True):
    """What any mail that goes out can have.

    Args:
        body: the text, or HTML.
        body_content_type: which of both.
        cc: who gets a copy.
        bcc: who gets one without being seen.
        reply_to: where answers go, if not to the sender.
        sender: `from`: a shared mailbox or another address that the mailbox may send as.
        importance: as mail programs show it.
        headers: own internet headers by name; names begin with `x-`.
        attachments: files and inline images.
        automatic: whether no person has asked for this very mail: it is marked so that machines do
            not answer it, and it does not go to the mailbox that sends it.
    """

    body: str = ""
    body_content_type: BodyType = "text"
    cc: Recipients = ()
    bcc: Recipients = ()
    reply_to: Recipients = ()
    sender: Someone | None = field(name="from", default=None)
    importance: Importance = "normal"
    headers: Annotated[dict[HeaderName, HeaderValue], Meta(max_length=MOST_HEADERS)] = {}
    attachments: Annotated[tuple[OutgoingAttachment, ...], Meta(max_length=MOST_ATTACHMENTS)] = ()
    automatic: bool = False

    def __post_init__(self) -> None:
        """Refuses headers that are one too many, or two of one name."""
        if len({name.lower() for name in self.headers}) != len(self.headers):
            raise ValueError("headers differ in more than upper and lower case")
        if len(self.all_headers) > MOST_HEADERS:
            raise ValueError(
                f"at most {MOST_HEADERS} headers; an automatic mail has {AUTOMATIC_HEADER} already"
            )

    @property
    def all_headers(self) -> dict[str, str]:
        """The caller's headers, and the one that marks an automatic mail."""
        if not self.automatic:
            return dict(self.headers)
        own = {n: v for n, v in self.headers.items() if n.lower() != AUTOMATIC_HEADER.lower()}
        return {**own, AUTOMATIC_HEADER: "All"}


def usable_type(content_type: str) -> str:
    """A content type that a stranger has written; none where it has not the form of one."""
    return content_type if re.search(_CONTENT_TYPE, content_type) else ""


def recipient(someone: Someone) -> Recipient:
    """A recipient, however it was written."""
    return Recipient(address=someone) if isinstance(someone, str) else someone
