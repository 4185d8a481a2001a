"""One call of the API: what is asked, and how lists and sent mail are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from msgspec import UNSET

from shared.api.http import ApiRequest
from shared.api.models import Page, SentMail
from shared.domain.outbound.mail import recipient
from shared.outbound_ports import Caller, Listing, MailOperations
from shared.workflows.accounts.acting import Mail, from_its_mailbox
from shared.workflows.outbound.sending import Sending, Sent
from shared.workflows.outbox.box import Outbox

PREFIX = "/api/mail"


class BadRequest(Exception):
    """The request cannot be understood; the message is for the caller.

    Args:
        detail: what is wrong.
        status: HTTP status.
        code: for programs.
    """

    def __init__(self, detail: str, status: int = 400, code: str = "badRequest") -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code


LOOK = "Look in Sent Items and Drafts before you send it again."
REPEAT = "Send the same request again, with the same Idempotency-Key: it is sent once."
REPEAT_OR_LOOK = (
    "Look in Sent Items before you send it again. With an Idempotency-Key you could simply do so:"
    " it would be sent once."
)


@dataclass(slots=True)
class Progress:
    """How far a request has come.

    Attributes:
        doubt: what its caller is to do where it ends without a verdict; empty as long as no mail
            can be sent because of it.
    """

    doubt: str = ""

    def sends(self) -> None:
        """Right before Microsoft 365 is asked to send a mail."""
        self.doubt = LOOK

    def promises(self, *, is_named: bool) -> None:
        """Right before a send is stored that may be sent then, even if the caller hears nothing.

        Args:
            is_named: whether the caller knows its key.
        """
        self.doubt = REPEAT if is_named else REPEAT_OR_LOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What an operation is given; everything in it is checked.

    Args:
        sending: what sends need.
        progress: how far it has come.
        outbox: what durable sends need.
        caller: the mailbox, and as whom.
        check_sender: raises BadRequest for a mailbox that who calls may not send from.
        path: ids in the path.
        query: parameters.
        headers: those that the operation names, as it writes them.
        body: the operation's model, or what its `read` makes of it; None where it has none.
        address: of this API and mailbox, for next links.
    """

    sending: Sending
    progress: Progress
    outbox: Outbox
    caller: Caller
    check_sender: Callable[[str], None]
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    address: str

    @property
    def operations(self) -> MailOperations:
        """The mailboxes."""
        return self.sending.operations

    def outgoing(self, mail: Mail) -> Mail:
        """A mail as it goes out.

        Raises:
            BadRequest: it would go out from a mailbox that is not open to who calls.
        """
        if mail.sender is not None:
            self.check_sender(recipient(mail.sender).address)
        return from_its_mailbox(mail, self.caller)

    def page(self, listing: Listing) -> Page:
        """A part of a list, with the rest at an address of this API."""
        following = listing.next_link
        return Page(
            value=[dict(one) for one in listing.value],
            count=UNSET if listing.count is None else listing.count,
            next_link=UNSET if following is None else f"{self.address}/next/{following.token}",
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """What is answered where not every success of an operation has the same status and headers."""

    content: object
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


def sent(result: Sent) -> SentMail:
    """What is said of a mail that was sent."""
    draft = result.draft
    return SentMail(
        saved_to_sent_items=result.kept,
        message_id=draft.id if draft else None,
        internet_message_id=draft.internet_message_id if draft else None,
        conversation_id=draft.conversation_id if draft else None,
    )


def address_of(request: ApiRequest, public_url: str) -> str:
    """The address of the API for a mailbox.

    Args:
        request: whose own address is used where no other is known.
        public_url: where the app is reached; may be empty.
    """
    if not public_url:
        parts = urlsplit(request.url)
        public_url = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return f"{public_url}{PREFIX}/{quote(request.user, safe='@')}"
