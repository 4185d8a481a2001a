"""Every error the connector raises on purpose.

Each says what happened, where, and what to do. None carries a secret, a token, a body or a subject.

::

    ConnectorError
    ├── MailboxError              about one mailbox: what Microsoft Graph or Entra ID answered
    │   ├── MailboxUnavailable    throttled, overloaded, not reached: the same again later
    │   │   └── AnswerLost        it may have had its effect, or not: look before it is repeated
    │   ├── MailboxRefused        wrong secret, no permission, no such mailbox: a person must act
    │   │   └── SignInRefused     the app gets no token, or one that Graph does not take
    │   ├── FolderNotFound        the folder that a subscription names is not there
    │   ├── MailNotFound          the mail was deleted or moved away by somebody else
    │   └── AnswerTooLarge        more bytes than one answer may have: ask for fewer mails
    ├── SendRefused               a mail that the connector itself does not send, and why
    ├── KeyReused                 a key names another durable send (domain/outbound/outbox.py)
    ├── NotDurable                a mail that cannot be kept until it is sent (the same)
    ├── StorageUnavailable        tables, queues or blobs: not reached, overloaded, or refused
    ├── DeliveryNotFound          a delivery that is to change is not in the ledger
    ├── ExpressionFailed          an expression of a row has no usable value for a mail
    ├── SecretNotFound            a {{secrets.NAME}} that no store knows
    ├── EnvelopeError             a queue message that is not one of our envelopes
    └── SettingsError             app settings that cannot be used, all of them at once
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class ConnectorError(Exception):
    """The root of all errors that the connector raises on purpose."""


@dataclass(frozen=True, slots=True)
class GraphSaid:
    """What Graph's answer said of a failure.

    Args:
        status: HTTP status.
        code: Graph's error code; empty where there is none.
        message: Graph's text. It may hold what the mail or the request holds: for no log.
        request_id: by which Microsoft's support finds the request.
    """

    status: int
    code: str = ""
    message: str = field(default="", repr=False)
    request_id: str = ""


class MailboxError(ConnectorError):
    """Something about one mailbox.

    Args:
        mailbox: the mailbox as the subscription names it.
        what: what happened and what to do, in one or two sentences.

    Attributes:
        said: Graph's answer; None where there was none.
    """

    said: GraphSaid | None = None

    def __init__(self, mailbox: str, what: str) -> None:
        super().__init__(f"mailbox {mailbox}: {what}")
        self.mailbox = mailbox
        self.what = what


class MailboxUnavailable(MailboxError):
    """The mailbox cannot be used now; the same request may succeed later.

    Args:
        mailbox: the mailbox as the subscription names it.
        what: what happened.
        retry_after: seconds that Graph asked to wait, or None where it asked nothing.
    """

    def __init__(self, mailbox: str, what: str, retry_after: float | None = None) -> None:
        super().__init__(mailbox, what)
        self.retry_after = retry_after


class AnswerLost(MailboxUnavailable):
    """A request went out and no usable answer came: nobody knows whether it took effect."""


class MailboxRefused(MailboxError):
    """Waiting does not help: a permission, a secret or an address is wrong."""


class SignInRefused(MailboxRefused):
    """The app itself is not let in: nothing that it asks for can succeed, whatever it is."""


class FolderNotFound(MailboxError):
    """The folder that a subscription names is not in the mailbox."""


class MailNotFound(MailboxError):
    """The mail is not in the mailbox any more."""


class AnswerTooLarge(MailboxError):
    """An answer had more bytes than the connector reads at once."""


class Refusal(StrEnum):
    """Why the connector does not send a mail."""

    LOOP = "mailLoop"
    ELSEWHERE = "replyToElsewhere"
    TOO_MANY = "tooManyMailsToRecipient"
    TOO_LARGE = "mailTooLarge"
    NO_DOCUMENT = "documentNotFound"
    NO_COPY = "copyCannotBeLeftOut"


class SendRefused(ConnectorError):
    """The connector does not send a mail; Microsoft 365 was not asked to, or not to the end.

    Args:
        why: the reason.
        what: what happened and what to do; names no recipient, subject or body.
        retry_after: seconds after which it may go, where waiting helps.
    """

    def __init__(self, why: Refusal, what: str, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.why = why
        self.what = what
        self.retry_after = retry_after


class StorageUnavailable(ConnectorError):
    """A table, queue or blob container did not do what it was asked.

    Args:
        what: which part of the storage, what happened, and what to do.
        status: the HTTP status of the answer; 0 where there was none.
        code: the storage's own error code; empty where it gave none.
    """

    def __init__(self, what: str, status: int = 0, code: str = "") -> None:
        super().__init__(f"storage: {what}")
        self.what = what
        self.status = status
        self.code = code

    @property
    def retryable(self) -> bool:
        """Whether the same may succeed later. Nobody knows whether this time it took effect."""
        return self.status in {0, 408, 429} or self.status >= 500  # noqa: PLR2004 - server errors


class DeliveryNotFound(ConnectorError):
    """A delivery that is to change is not in the ledger.

    Args:
        source: the source that found the mail.
        mail: the mail's key.
    """

    def __init__(self, source: str, mail: str) -> None:
        super().__init__(
            f"mail {mail} of source {source} is not in the ledger. It was forgotten or deleted"
            " while somebody worked on it; the next sweep takes the mail in again."
        )
        self.source = source
        self.mail = mail


class ExpressionFailed(ConnectorError):
    """An expression of a row has no usable value for a mail: row or mail must change.

    Args:
        column: where the expression stands.
        what: what is wrong with its value; never the value itself.
    """

    def __init__(self, column: str, what: str) -> None:
        super().__init__(f"{column}: {what}")
        self.column = column
        self.what = what


class SecretNotFound(ConnectorError):
    """A secret is referred to that no store knows."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"secret {name!r} is not known. Add the app setting SECRETS__{name}"
            f" (in Azure best as a Key Vault reference)."
        )
        self.name = name


class EnvelopeError(ConnectorError):
    """A queue message is not an envelope that this version can read."""


class SettingsError(ConnectorError):
    """App settings that cannot be used.

    Args:
        problems: one sentence a setting.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("app settings: " + " ".join(problems))
        self.problems = tuple(problems)
