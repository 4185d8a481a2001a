"""A durable send: one mail on its way out, from the promise to send it to its end. Pure rules.

``accepted → drafting → drafted → sending → sent``, or ``failed`` from anywhere, with a reason. Each
state is stored before what it names begins, so that after a crash it tells what may have happened:
``drafting``, that a draft may be there; ``sending``, that the mail may be gone.

Keys follow the draft of the IETF on the header Idempotency-Key: the same key with the same request
is the same send, with another request it is refused (422).
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from shared.domain.errors import ConnectorError, EnvelopeError
from shared.domain.subscription import Credential

VERSION = 1
INLINE_BYTES = 45 * 1024
"""The largest content that is kept in the item itself; a larger one lies in a blob beside it."""

LARGEST_MESSAGE = 60 * 1024
"""The largest message that carries its item; a queue message takes 64 KiB."""

GIVEN_UP_AFTER = timedelta(hours=24)
"""How long a send is tried while Microsoft 365 cannot be reached or throttles."""

SETTLED_AFTER = timedelta(minutes=1)
"""When a draft that is still a draft, after it was asked to be sent, may be asked again.

Sending it twice is not possible in any case: with the first time it stops being a draft.
"""

UNDECIDED_FOR = timedelta(minutes=15)
"""How long a mail is looked for that is neither a draft any more nor seen as sent."""

KEY_PATTERN = "[A-Za-z0-9][A-Za-z0-9._~:@=+-]{0,127}"
_KEY = re.compile(KEY_PATTERN)
_NOT_SENT = "Nothing was sent."
_MAY_BE_SENT = "It may have been sent: look in Sent Items before it is sent again."


class KeyReused(ConnectorError):
    """A key names a send already, and that is another mail. HTTP: 422."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"the key {key} was used for another request to this mailbox. Give each mail a key of"
            " its own; to repeat one, repeat the whole request."
        )
        self.key = key


class NotDurable(ConnectorError):
    """A mail that cannot be kept until it is sent. HTTP: 422."""


class SendState(StrEnum):
    """Where a send stands."""

    ACCEPTED = "accepted"
    DRAFTING = "drafting"
    DRAFTED = "drafted"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be done."""
        return self in {SendState.SENT, SendState.FAILED}


@dataclass(frozen=True, slots=True)
class SendId:
    """Names one send: a mailbox, as the caller named it but in lower case, and the caller's key."""

    mailbox: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """One send.

    Args:
        mailbox: who sends, as the caller named it: address or id.
        key: the caller's, or a generated one.
        credential: as whom the mailbox is opened.
        fingerprint: of the request, see :func:`fingerprint`.
        draft_key: by which the draft is found; drawn for each item, so that a key that is used
            again after years finds no mail of then.
        accepted_at: when the caller was promised that it will be sent.
        updated_at: of this state.
        due_at: until then somebody works on it, or it is to wait; past that, it is to be gone on
            with.
        attempts: attempts begun.
        counted: whether it counts already for what recipients may get in an hour.
        asked_at: when Graph was last asked to send the draft, where it may have done so.
        draft_id: immutable id; empty before there is one.
        reason: why it failed or waits, for a person.
        content: the mail as JSON of a send request; empty where it is in a blob, or not needed any
            more.
        blob: name of the blob that has it, or had it.
        size: bytes in the blob.
        version: of the row, for the next write; empty before the first.
    """

    mailbox: str
    key: str
    fingerprint: str
    draft_key: str
    state: SendState
    accepted_at: datetime
    updated_at: datetime
    due_at: datetime
    credential: Credential = field(default_factory=Credential)
    attempts: int = 0
    counted: bool = False
    asked_at: datetime | None = None
    draft_id: str = ""
    internet_message_id: str = ""
    conversation_id: str = ""
    reason: str = ""
    content: bytes = field(default=b"", repr=False)
    blob: str = ""
    size: int = 0
    version: str = ""

    @property
    def id(self) -> SendId:
        """Its name."""
        return send_id(self.mailbox, self.key)

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has stored an attempt at it."""
        return self.state is SendState.ACCEPTED and not self.attempts

    def taken(self, state: SendState, now: datetime, until: datetime) -> OutboxItem:
        """The item while somebody works on it; nobody else does until then."""
        return replace(
            self, state=state, attempts=self.attempts + 1, updated_at=now, due_at=until, reason=""
        )

    def waiting(self, state: SendState, now: datetime, until: datetime, reason: str) -> OutboxItem:
        """The item that is to be gone on with at a time."""
        return replace(self, state=state, updated_at=now, due_at=until, reason=reason)

    def ended(self, state: SendState, now: datetime, reason: str = "") -> OutboxItem:
        """The item at its end; its content is not needed any more."""
        return replace(self, state=state, updated_at=now, due_at=now, reason=reason, content=b"")

    def failed(self, now: datetime, why: str) -> OutboxItem:
        """The item that is given up; the reason says whether the mail may be gone all the same."""
        outcome = _MAY_BE_SENT if self.state is SendState.SENDING else _NOT_SENT
        return self.ended(SendState.FAILED, now, f"{why.rstrip('.')}. {outcome}")

    def status(self) -> dict[str, Any]:
        """What a caller may know of it, as JSON."""
        sent = self.state is SendState.SENT
        known = {
            "key": self.key,
            "userId": self.mailbox,
            "state": self.state.value,
            "acceptedAt": self.accepted_at.isoformat(),
            "updatedAt": self.updated_at.isoformat(),
            "sentAt": self.updated_at.isoformat() if sent else None,
            "nextAttemptAt": None if self.state.is_final else self.due_at.isoformat(),
            "attempts": self.attempts,
            "internetMessageId": self.internet_message_id or None,
            "conversationId": self.conversation_id or None,
            "reason": self.reason or None,
        }
        return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """A message on the queue `outbox`: a send that is to be gone on with, or a new one.

    Args:
        mailbox: address or id.
        key: of the send; whoever puts a new one on the queue draws it, for queues double messages.
        request: the mail as for `POST …/send`, where another system puts it on the queue; None
            where the send is stored already.
        account: through which the mailbox is opened, for a new one; empty: as the app.
        item: the send as it was stored, which saves reading it; None where it is too large, or was
            changed since.
        is_new: whether this is the first message of the send.
    """

    mailbox: str
    key: str
    request: Mapping[str, Any] | None = field(default=None, repr=False)
    account: str = ""
    item: OutboxItem | None = field(default=None, repr=False)
    is_new: bool = False

    def encode(self) -> str:
        """The queue message: JSON in ASCII, so that characters are bytes and XML takes them all."""
        fields: dict[str, Any] = {"version": VERSION, "userId": self.mailbox, "key": self.key}
        if self.request is not None:
            fields["request"] = self.request
            fields |= {"account": self.account} if self.account else {}
        if self.is_new:
            fields["new"] = True
        if self.item is not None:
            with_item = fields | {"item": _carried(self.item)}
            message = json.dumps(with_item, separators=(",", ":"))
            if len(message) <= LARGEST_MESSAGE:
                return message
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def decode(cls, message: str | bytes) -> OutboxMessage:
        """Reads a queue message.

        Raises:
            EnvelopeError: it is none, or of a version that this one does not know.
        """
        try:
            fields = json.loads(message)
            version = fields["version"]
            mailbox, key, request = fields["userId"], fields["key"], fields.get("request")
            account = fields.get("account", "")
            item = _uncarried(fields["item"], mailbox, key) if "item" in fields else None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"a message on the queue outbox that is none ({type(error).__name__})"
            raise EnvelopeError(what) from error
        if version != VERSION:
            raise EnvelopeError(
                f"an outbox message of version {version!r}; this app reads {VERSION}"
            )
        if not isinstance(mailbox, str) or not mailbox or not isinstance(key, str):
            raise EnvelopeError("an outbox message without userId and key")
        if _KEY.fullmatch(key) is None or not (request is None or isinstance(request, dict)):
            raise EnvelopeError("an outbox message with a key or request that is none")
        if not isinstance(account, str):
            raise EnvelopeError("an outbox message with an account that is none")
        is_new = fields.get("new") is True
        return cls(
            mailbox=mailbox, key=key, request=request, account=account, item=item, is_new=is_new
        )


def send_id(mailbox: str, key: str) -> SendId:
    """The name of a send; upper and lower case of an address make no difference."""
    return SendId(mailbox.lower(), key)


def read_key(header: str | None) -> str:
    """The key in a header Idempotency-Key, with or without quotes; a new one where it is absent.

    Raises:
        ValueError: it is none; says what is allowed.
    """
    text = (header or "").strip()
    if not text:
        return str(uuid.uuid4())
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if _KEY.fullmatch(text) is None:
        raise ValueError(
            "Idempotency-Key: 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : @ = + - are allowed,"
            " the first a letter or a digit, such as a UUID"
        )
    return text


def fingerprint(request: Mapping[str, Any]) -> str:
    """Tells requests apart; the order of fields makes no difference."""
    return hashlib.sha256(msgspec.json.encode(request, order="deterministic")).hexdigest()


def _carried(item: OutboxItem) -> dict[str, Any]:
    """What a message says of a send that was stored just now."""
    return {
        "etag": item.version,
        "draftKey": item.draft_key,
        "acceptedAt": item.accepted_at.isoformat(),
        "fingerprint": item.fingerprint,
        "credential": asdict(item.credential),
        "content": item.content.decode(),
        "blob": item.blob,
        "size": item.size,
    }


def _uncarried(fields: Mapping[str, Any], mailbox: str, key: str) -> OutboxItem:
    accepted_at = datetime.fromisoformat(fields["acceptedAt"])
    return OutboxItem(
        mailbox=mailbox,
        key=key,
        credential=Credential(**fields["credential"]),
        fingerprint=fields["fingerprint"],
        draft_key=fields["draftKey"],
        state=SendState.ACCEPTED,
        accepted_at=accepted_at,
        updated_at=accepted_at,
        due_at=accepted_at,
        content=fields["content"].encode(),
        blob=fields["blob"],
        size=fields.get("size", 0),
        version=fields["etag"],
    )
