"""A subscription: which mail of which mailbox goes where, and what happens to it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from shared.domain.correlation import Correlation
from shared.domain.odata import SimpleFilter
from shared.domain.schedule import Schedule
from shared.domain.target import Target


class Operation(StrEnum):
    """What can be done to a mail that was accepted. Named as in the column `postProcess`."""

    MARK_AS_READ = "markAsRead"
    CATEGORIZE = "categorize"
    MOVE = "move"
    DELETE = "delete"
    FORCE_DELETE = "forceDelete"


@dataclass(frozen=True, slots=True)
class Folder:
    """A mail folder: a well-known name or a path of display names, or an id.

    Args:
        path: ``inbox``, or ``Inquiries/Tech-Support``; below the mailbox's top folder.
        id: Graph's folder id, instead of a path.
    """

    path: str = ""
    id: str = ""

    def __str__(self) -> str:
        return self.path or f"id {self.id}"


@dataclass(frozen=True, slots=True)
class PostProcess:
    """The mailbox operations after acceptance, in the order in which they are done."""

    operations: tuple[Operation, ...]
    move_to: Folder | None = None
    create_folder: bool = False
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """How the mailbox's tenant lets the connector in. What is empty comes from the app settings.

    Args:
        tenant_id: the tenant of the mailbox.
        client_id: the app registration; without secret and certificate it is used by way of the
            managed identity (federated credential).
        secret: name of the secret that holds the client secret.
        certificate: name of the secret that holds the certificate with its key (PEM, or PFX in
            base64).
        account: name of a delegated account, instead of all of these.
    """

    tenant_id: str = ""
    client_id: str = ""
    secret: str = ""
    certificate: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Polling:
    """All that decides what is polled and how: subscriptions that agree in it share a source."""

    credential: Credential
    mailbox: str
    folder: Folder
    criteria: SimpleFilter | str
    post_process: PostProcess
    on_dead: Folder | None
    schedule: Schedule
    body_format: str

    @property
    def condition(self) -> str:
        """The OData condition of the criteria; empty for all mail."""
        return self.criteria if isinstance(self.criteria, str) else self.criteria.odata()


@dataclass(frozen=True, slots=True)
class KeptDocuments:
    """What of a mail is kept as documents.

    Args:
        attachments: the bytes of its attachments.
        mime: the whole mail as it came.
        body: its body, where the variables are too large for the target with it.
    """

    attachments: bool = True
    mime: bool = False
    body: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One valid row of the table `subscriptions`.

    Args:
        name: ``PartitionKey/RowKey``.
        retry: how long an unavailable target is tried.
        warnings: what is allowed but probably not meant.
    """

    name: str
    enabled: bool
    polling: Polling
    target: Target
    correlation: Correlation
    documents: KeptDocuments
    retry: timedelta
    deduplication_id: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvalidSubscription:
    """A row that cannot be used, with every problem that it has."""

    name: str
    problems: tuple[str, ...]


ReadSubscription: TypeAlias = Subscription | InvalidSubscription
