"""The simulator's public face: state to fill and to look at, and servers to run."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Literal

from localdev.certificates import ensure_certificates
from localdev.graph_simulator.content import Attachment
from localdev.graph_simulator.directory import Directory, SentMail
from localdev.graph_simulator.engine import Engine
from localdev.graph_simulator.faults import Fault, FaultInjector, Faults, Match, status_error
from localdev.graph_simulator.identity import (
    LOCAL_CALLBACK,
    MAIL_ROLES,
    App,
    IdentityPlatform,
)
from localdev.graph_simulator.mailbox import Mailbox
from localdev.graph_simulator.message import Message
from localdev.graph_simulator.message_type import ALL_PROPERTIES, Shape, fragment
from localdev.graph_simulator.metrics import Metrics
from localdev.graph_simulator.operations import Quirks
from localdev.graph_simulator.server import GraphServer, IdentityServer, start
from localdev.graph_simulator.sign_ins import SignIns, User
from localdev.graph_simulator.throttling import Throttle, Throttling

TENANT_ID = "7a3f2c5e-0d64-4b8e-9a51-2f6c1e8b4d70"
CLIENT_ID = "c0ffee00-5a1e-4d3b-8c2f-6b7a9e1d0f42"
MANAGED_IDENTITY_ID = "5e1f0c9a-7b2d-4e66-a3d8-91c4f2b7e058"
SECRET = "simulator-secret"  # noqa: S105 -- the simulator's own, worth nothing elsewhere
IDENTITY_HEADER = "simulator-identity-header"


@dataclass(frozen=True, slots=True)
class RunningSimulator:
    """Where a running simulator listens.

    Attributes:
        graph_url: Graph over plain http; `/v1.0` is below it.
        authority_url: The identity platform over https.
        ca_file: The certificate authority to trust, as PEM.
        identity_header: What the managed identity endpoint asks for.
    """

    graph_url: str
    authority_url: str
    ca_file: Path
    identity_header: str = IDENTITY_HEADER

    @property
    def identity_endpoint(self) -> str:
        """The managed identity endpoint, as App Service names it in `IDENTITY_ENDPOINT`."""
        return f"{self.graph_url}/msi/token"

    @property
    def environment(self) -> dict[str, str]:
        """The environment that makes azure-identity in another process use this simulator."""
        return {
            "AZURE_AUTHORITY_HOST": self.authority_url,
            "SSL_CERT_FILE": str(self.ca_file),
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
            "IDENTITY_ENDPOINT": self.identity_endpoint,
            "IDENTITY_HEADER": self.identity_header,
        }


class GraphSimulator:
    """A Microsoft Graph for mail, in memory.

    Args:
        faults: Latency and faults; none by default.
        throttling: The limits per mailbox; Microsoft's by default.
        quirks: What Graph does now and then.
        secret: The client secret of the application that is registered from the start.
    """

    tenant_id = TENANT_ID
    client_id = CLIENT_ID

    def __init__(
        self,
        *,
        faults: Faults | None = None,
        throttling: Throttling | None = None,
        quirks: Quirks | None = None,
        secret: str = SECRET,
    ) -> None:
        faults = faults or Faults()
        self.secret = secret
        self.metrics = Metrics()
        self.directory = Directory()
        self.identity = IdentityPlatform()
        self.sign_ins = SignIns(self.identity)
        self._managed = App(client_id=MANAGED_IDENTITY_ID, tenant_id=TENANT_ID)
        self._engine = Engine(
            directory=self.directory,
            throttle=Throttle(throttling or Throttling(), self.metrics),
            injector=FaultInjector(faults, self.metrics),
            metrics=self.metrics,
            quirks=quirks or Quirks(),
            random=Random(faults.seed),
        )
        self.add_app(CLIENT_ID, secret=secret, federated=True)

    @property
    def faults(self) -> Faults:
        """Latency and faults; may be replaced while the simulator runs."""
        return self._engine.injector.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._engine.injector = FaultInjector(faults, self.metrics)

    @property
    def throttling(self) -> Throttling:
        """The limits per mailbox; may be replaced while the simulator runs."""
        return self._engine.throttle.limits

    @throttling.setter
    def throttling(self, throttling: Throttling) -> None:
        self._engine.throttle.limits = throttling

    @property
    def quirks(self) -> Quirks:
        """What Graph does now and then; may be replaced while the simulator runs."""
        return self._engine.quirks

    @quirks.setter
    def quirks(self, quirks: Quirks) -> None:
        self._engine.quirks = quirks

    @property
    def sent(self) -> list[SentMail]:
        """What was sent through Graph, oldest first, to simulated recipients and others."""
        return self.directory.sent

    def add_mailbox(
        self, address: str, *, display_name: str = "", rest_enabled: bool = True
    ) -> Mailbox:
        """Add a mailbox with all well-known folders."""
        return self.directory.add(address, display_name=display_name, rest_enabled=rest_enabled)

    def add_app(
        self,
        client_id: str,
        *,
        tenant_id: str = TENANT_ID,
        secret: str | None = None,
        certificate: bytes | None = None,
        federated: bool = False,
        mailboxes: Sequence[str] | None = None,
        redirect_uris: Sequence[str] = (LOCAL_CALLBACK,),
        multitenant: bool = False,
        roles: Sequence[str] | None = None,
    ) -> App:
        """Register an application; with `mailboxes` and no `roles`, it reaches no others.

        Without either, it was given `MAIL_ROLES` over every mailbox.

        The client id of `MANAGED_IDENTITY_ID` sets what the managed identity itself reaches.
        """
        scope = None if mailboxes is None else frozenset(each.lower() for each in mailboxes)
        app = App(
            client_id=client_id,
            tenant_id=tenant_id,
            secret=secret,
            certificate=certificate,
            federated=federated,
            mailboxes=scope,
            redirect_uris=tuple(redirect_uris),
            multitenant=multitenant,
            roles=tuple(roles if roles is not None else () if scope is not None else MAIL_ROLES),
        )
        self.identity.register(app)
        if client_id == MANAGED_IDENTITY_ID:
            self._managed = app
        return app

    def add_user(
        self,
        address: str,
        *,
        shared: Sequence[str] = (),
        sends_as: Sequence[str] | None = None,
        is_admin: bool = False,
        tenant_id: str = TENANT_ID,
    ) -> User:
        """Add somebody who can sign in, with a mailbox; known already, the user is changed.

        Args:
            address: The sign-in name, and the mailbox's address.
            shared: The mailboxes of others that the user may open; those not there are added.
            sends_as: Those that the user may send as; all of `shared` by default.
            is_admin: Whether the user may agree for the whole tenant.
            tenant_id: The user's tenant.
        """
        mailbox = self.add_mailbox(address)
        for other in shared:
            self.add_mailbox(other)
        user = User(
            address=address,
            oid=mailbox.user_id,
            tenant_id=tenant_id,
            shared=frozenset(each.lower() for each in shared),
            sends_as=frozenset(each.lower() for each in (shared if sends_as is None else sends_as)),
            is_admin=is_admin,
        )
        self.identity.know_tenant(tenant_id)
        self.sign_ins.add(user)
        return user

    def issue_token(self, app: App | None = None) -> str:
        """Return a token for Graph, as the token endpoint would have given it."""
        return self.identity.issue(app or App(client_id=CLIENT_ID, tenant_id=TENANT_ID)).value

    def deliver(
        self,
        address: str,
        mime: bytes,
        *,
        folder: str = "inbox",
        received: datetime | None = None,
        is_read: bool = False,
        categories: Sequence[str] = (),
    ) -> str:
        """Deliver a mail and return its immutable id.

        Args:
            address: The mailbox.
            mime: The mail, as an `.eml` file holds it.
            folder: A well-known name, or a path such as `Inquiries/Tech-Support`, which is created.
            received: When it arrived; now by default. Graph keeps whole seconds.
            is_read: Whether it was read.
            categories: Its labels.
        """
        return self.directory.deliver(
            address,
            mime,
            folder=folder,
            received=received,
            is_read=is_read,
            categories=categories,
        ).id

    def attach_reference(
        self, address: str, message_id: str, name: str, *, is_inline: bool = False
    ) -> None:
        """Attach a link to a file in the cloud, which MIME cannot bring."""
        message = self.message(address, message_id)
        message.content.attachments.append(
            Attachment(
                kind="reference", name=name, content_type="", content=b"", is_inline=is_inline
            )
        )
        message.fragments.clear()

    def message(self, address: str, message_id: str) -> Message:
        """Return one message, by either kind of id.

        Raises:
            GraphError: If it is not there.
        """
        return self.directory.mailbox(address).message(message_id)

    def messages(self, address: str, folder: str | None = None) -> list[Message]:
        """Return the messages of a folder (well-known name or path) or of all, oldest first."""
        mailbox = self.directory.mailbox(address)
        return list((mailbox.folder_at(folder) if folder else mailbox).messages)

    def prerender(self, address: str, body_type: Literal["text", "html"] | None = None) -> None:
        """Render a mailbox's mail now, so that a measurement does not measure that.

        Args:
            address: The mailbox.
            body_type: The type of body that callers will prefer.
        """
        shape = Shape(immutable_ids=True, body_type=body_type)
        for message in self.messages(address):
            for name in ALL_PROPERTIES:
                fragment(message, name, shape)

    def fail_next(
        self,
        match: Match,
        status: int | Literal["drop"],
        *,
        retry_after: float | str | None = None,
        times: int = 1,
        after_effect: bool = False,
    ) -> None:
        """Let the next requests that match fail.

        Args:
            match: An operation (`PATCH message`), a part of `METHOD /path?query`, or a predicate.
            status: What is answered, or `drop` to close the connection.
            retry_after: The value of `Retry-After`, or None for no such header.
            times: How many requests fail.
            after_effect: Whether the operation takes effect and only its answer is lost.
        """
        fault = Fault(status_error(status, retry_after), after_effect)
        self._engine.injector.fail_next(match, fault, times)

    @asynccontextmanager
    async def serve(
        self, port: int = 0, token_port: int = 0, ca_dir: Path | None = None
    ) -> AsyncIterator[RunningSimulator]:
        """Listen on loopback as long as the context is open.

        Args:
            port: Where Graph listens; 0 for any free port.
            token_port: Where the identity platform listens; 0 for any free port.
            ca_dir: Where certificates are kept for the next time; a directory that goes by default.
        """
        async with AsyncExitStack() as stack:
            if ca_dir is None:
                ca_dir = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            certificates = ensure_certificates(ca_dir)
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificates.server_certificate, certificates.server_key)
            graph = GraphServer(self._engine, self.identity, lambda: self._managed, IDENTITY_HEADER)
            runner, graph_port = await start(graph.handle, port)
            stack.push_async_callback(runner.cleanup)
            identity = IdentityServer(self.identity, self.sign_ins, self._count_token_request)
            runner, identity_port = await start(identity.handle, token_port, context)
            stack.push_async_callback(runner.cleanup)
            yield RunningSimulator(
                graph_url=f"http://127.0.0.1:{graph_port}",
                authority_url=f"https://localhost:{identity_port}",
                ca_file=certificates.ca_file,
            )

    def _count_token_request(self) -> None:
        self.metrics.token_requests += 1
