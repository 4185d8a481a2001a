"""Puts the real parts together: one connector a process, its clients made when first needed."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from azure.identity.aio import ManagedIdentityCredential

from shared.account_ports import AccountPorts
from shared.adapters.accounts.application import Application
from shared.adapters.accounts.credential import AccountCredentials
from shared.adapters.accounts.entra import Entra
from shared.adapters.accounts.tables import TableAccounts, TablePendingSignIns
from shared.adapters.accounts.vault import KeyVault
from shared.adapters.graph.client import GraphClient
from shared.adapters.graph.credentials import build_credential
from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.adapters.health import Probe
from shared.adapters.secrets import SecretStore
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.documents import BlobDocuments
from shared.adapters.storage.envelopes import StorageEnvelopeQueue
from shared.adapters.storage.ledger import TableLedger
from shared.adapters.storage.polls import StoragePollQueue
from shared.adapters.storage.sources import TableSourceStates
from shared.adapters.storage.subscriptions import TableSubscriptions
from shared.adapters.targets import AllTargets
from shared.domain.api_access import ApiAccess
from shared.domain.document_links import DocumentLinks
from shared.domain.subscription import Credential
from shared.ports import Ports
from shared.settings import Settings
from shared.telemetry import configure_logging
from shared.telemetry.export import export_telemetry
from shared.workflows.documents import Keeping
from shared.workflows.memory_budget import MemoryBudget
from shared.workflows.poll import PollLimits
from shared.workflows.registry import Registry

if TYPE_CHECKING:
    from shared.adapters.graph.outbound import GraphMailOperations
    from shared.adapters.storage.outbox import TableOutbox
    from shared.api.dispatch import Api
    from shared.workflows.outbound.sending import Sending
    from shared.workflows.outbox.worker import OutboxWorker

MEGABYTE = 1024 * 1024


class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        return datetime.now(UTC)


class Connector:
    """What the triggers work with.

    Args:
        settings: the app settings.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._secrets = SecretStore(settings.secrets)
        self._storage = StorageClients(settings.storage)
        self._mailboxes = GraphMailboxes(self._connect)
        self._targets = AllTargets(
            self._secrets,
            settings.webhook_signing_secret,
            settings.target_timeout,
            settings.engine_variables_limit,
        )
        self._ledger = TableLedger(self._storage)
        clock, polls = SystemClock(), StoragePollQueue(self._storage)
        self.ports = Ports(
            clock=clock,
            subscriptions=TableSubscriptions(self._storage),
            sources=TableSourceStates(self._storage),
            ledger=self._ledger,
            emails=StorageEnvelopeQueue(self._storage),
            polls=polls,
            mailboxes=self._mailboxes,
            targets=self._targets,
            documents=BlobDocuments(self._storage),
            health=Probe(polls, self._mailboxes),
        )
        self._entra = Entra(
            _application(settings), settings.m365_tenant_id, settings.graph_endpoint
        )
        self.accounts = AccountPorts(
            clock=clock,
            accounts=TableAccounts(self._storage),
            pending=TablePendingSignIns(self._storage),
            vault=KeyVault(settings.account_key, settings.account_key_file),
            sign_in=self._entra,
            public_url=settings.public_url,
        )
        self._accounts = AccountCredentials(self.accounts)
        self.registry = Registry(
            self.ports.subscriptions, self.ports.sources, clock, settings.plain_http_hosts
        )
        self.keeping = Keeping(
            links=DocumentLinks(
                settings.public_url,
                settings.document_signing_secret,
                settings.document_url_lifetime,
            ),
            memory=MemoryBudget(settings.attachment_memory_mb * MEGABYTE),
            largest=settings.largest_attachment_mb * MEGABYTE,
        )
        self.poll_limits = PollLimits(
            page_size=settings.page_size,
            lease_time=settings.lease_time,
            sweep_interval=settings.sweep_interval,
            retention=settings.ledger_retention,
        )

    @cached_property
    def operations(self) -> GraphMailOperations:
        """What can be done with mailboxes beside polling them; imported when first needed."""
        from shared.adapters.graph.outbound import GraphMailOperations  # noqa: PLC0415
        from shared.adapters.graph.visitors import visitors  # noqa: PLC0415

        strangers = GraphMailboxes(visitors(self.settings.graph_endpoint))
        return GraphMailOperations(self._mailboxes, strangers)

    @cached_property
    def sending(self) -> Sending:
        """What sending needs; imported when first needed."""
        from shared.adapters.storage.send_counts import TableSendCounts  # noqa: PLC0415
        from shared.workflows.outbound.sending import Sending  # noqa: PLC0415

        return Sending(
            operations=self.operations,
            documents=self.ports.documents,
            counts=TableSendCounts(self._storage),
            clock=self.ports.clock,
            most_per_hour=self.settings.mails_per_recipient_and_hour,
            unlimited=self.settings.unlimited_recipients,
        )

    @cached_property
    def outbox(self) -> OutboxWorker:
        """Durable sends; imported when first needed."""
        from shared.adapters.storage.outbox_queue import (  # noqa: PLC0415
            BlobOutboxContents,
            StorageOutboxQueue,
        )
        from shared.workflows.outbox.box import DEADLINE, Outbox  # noqa: PLC0415
        from shared.workflows.outbox.worker import OutboxWorker  # noqa: PLC0415

        return OutboxWorker(
            Outbox(
                table=self._outbox_table,
                queue=StorageOutboxQueue(self._storage),
                contents=BlobOutboxContents(self._storage),
                accounts=self.accounts.accounts,
                sending=self.sending,
                deadline=min(DEADLINE, self.settings.lease_time),
            )
        )

    @cached_property
    def _outbox_table(self) -> TableOutbox:
        from shared.adapters.storage.outbox import TableOutbox  # noqa: PLC0415

        return TableOutbox(self._storage)

    @cached_property
    def api(self) -> Api:
        """The HTTP API over mailboxes; imported when first needed."""
        from shared.api.dispatch import Api  # noqa: PLC0415

        access = ApiAccess(
            mailboxes=self.settings.mail_api_mailboxes,
            callers=self.settings.mail_api_callers,
            authenticated=self.settings.authenticated,
        )
        return Api(
            self.sending,
            self.outbox.box,
            self.accounts.accounts,
            access,
            self.settings.public_url,
        )

    async def close(self) -> None:
        """Closes every connection."""
        if "operations" in vars(self):
            await self.operations.close()
        if "_outbox_table" in vars(self):
            await self._outbox_table.close()  # after the operations, whose ends it stores
        await self._mailboxes.close()
        await self._accounts.close()  # before the storage: a refresh under way is stored
        await self._entra.close()
        await self._targets.close()
        await self._ledger.close()
        await self._storage.close()

    async def _connect(self, credential: Credential) -> GraphClient:
        signed_in = await build_credential(
            credential, self.settings, self._secrets, self._accounts.of
        )
        return GraphClient(signed_in, self.settings.graph_endpoint)


def _application(settings: Settings) -> Application:
    """What people sign in to: an app registration of its own, or that of the mailboxes."""
    own = bool(settings.account_client_id)
    return Application(
        client_id=settings.account_client_id or settings.m365_client_id,
        secret=settings.account_client_secret if own else settings.m365_client_secret,
        certificate=(
            settings.account_client_certificate if own else settings.m365_client_certificate
        ),
        identity=lambda: ManagedIdentityCredential(
            client_id=settings.managed_identity_client_id or None
        ),
    )


@functools.cache
def connector() -> Connector:
    """The connector of this process, from its app settings.

    Functions keeps one event loop for a worker's life, so the clients are kept as long.

    Raises:
        SettingsError: the app settings cannot be used.
    """
    configure_logging()
    settings = Settings.from_environment(os.environ)
    if settings.telemetry_export:
        export_telemetry(os.environ, mailboxes=settings.telemetry_mailboxes)
    made = Connector(settings)
    _closings.append(asyncio.ensure_future(anext(closing := _closed_with_loop(made))))
    _closings.append(closing)
    return made


_closings: list[object] = []  # held here, or they would be collected and closed early


async def _closed_with_loop(made: Connector) -> AsyncGenerator[None]:
    """Closes a connector when its event loop ends, which closes the generators that it has.

    The platform tells nobody that a worker ends, but it does end the loop.
    """
    try:
        yield
    finally:
        await made.close()
