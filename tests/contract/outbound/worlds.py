"""Graph's adapter for sending on the simulator, and a typed client that looks at what it did."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory

from localdev.graph_simulator import (
    CLIENT_ID,
    SECRET,
    TENANT_ID,
    GraphSimulator,
    RunningSimulator,
)
from shared.adapters.graph.client import GraphClient
from shared.adapters.graph.gate import MailboxGate
from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.adapters.graph.outbound import GraphMailOperations
from shared.adapters.graph.uploads import Uploads
from shared.adapters.graph.visitors import visitors
from shared.domain.outbound.requests import ForwardRequest, ReplyRequest, SendRequest
from shared.domain.subscription import Credential
from shared.outbound_ports import Answering, Caller
from shared.workflows.outbound.answer import answer
from shared.workflows.outbound.send import send
from shared.workflows.outbound.sending import Sending, Sent
from tests.builders import MAILBOX
from tests.contract.graph_simulator.conftest import StaticToken
from tests.contract.graph_simulator.sdk import Message, UserItemRequestBuilder
from tests.contract.mailboxes.worlds import eml
from tests.fakes.clock import SettableClock
from tests.fakes.documents import FakeDocuments
from tests.fakes.send_counts import FakeSendCounts
from tests.fakes.waiting import Hourglass

ADA = "ada@contoso.example"


class OutboundWorld:
    """One support mailbox to send from; nobody really waits."""

    def __init__(self, simulator: GraphSimulator, running: RunningSimulator) -> None:
        self.simulator = simulator
        self.running = running
        self.hourglass = Hourglass()
        self.documents = FakeDocuments()
        self.mailboxes = GraphMailboxes(self._connect, gate=self._gate)
        self.operations = GraphMailOperations(
            self.mailboxes,
            GraphMailboxes(visitors(running.graph_url), gate=self._gate),
            Uploads(self.hourglass.sleep),
        )
        self.caller = Caller(MAILBOX, Credential(client_id=CLIENT_ID))
        self.sending = Sending(
            operations=self.operations,
            documents=self.documents,
            counts=FakeSendCounts(),
            clock=SettableClock(),
            most_per_hour=1000,
            sleep=self.hourglass.sleep,
        )
        self._transport = httpx.AsyncHTTPTransport()

    def visitor(self, mailbox: str = MAILBOX) -> Caller:
        """A caller with a token of its own."""
        return Caller(mailbox, bearer=self.simulator.issue_token())

    def deliver(self, subject: str = "Question", **headers: str) -> str:
        """A mail comes in."""
        return self.simulator.deliver(MAILBOX, eml(subject, headers=headers))

    async def send(
        self, caller: Caller | None = None, sender: str | None = None, **fields: Any
    ) -> Sent:
        """Sends a mail as the API would."""
        if sender is not None:
            fields["from"] = sender
        request = _asked(SendRequest, {"to": [ADA], "subject": "Hello", **fields})
        return await send(self.sending, caller or self.caller, request)

    async def reply(self, mail: str, how: Answering = Answering.REPLY, **fields: Any) -> Sent:
        """Answers a mail as the API would."""
        model = ForwardRequest if how is Answering.FORWARD else ReplyRequest
        return await answer(self.sending, self.caller, how, mail, _asked(model, fields))

    def counted(self) -> dict[str, int]:
        """Requests to Graph by operation, since the last time."""
        counted = dict(self.simulator.metrics.by_operation)
        self.simulator.metrics.reset()
        return counted

    def user(self, mailbox: str = MAILBOX) -> UserItemRequestBuilder:
        """Microsoft's typed client for a mailbox."""
        provider = BaseBearerTokenAuthenticationProvider(StaticToken(self.simulator.issue_token()))
        client = httpx.AsyncClient(transport=self._transport)
        adapter = GraphRequestAdapter(
            provider, GraphClientFactory.create_with_default_middleware(client=client)
        )
        adapter.base_url = f"{self.running.graph_url}/v1.0"
        return GraphServiceClient(request_adapter=adapter).users.by_user_id(mailbox)

    async def only(self, mailbox: str, folder: str) -> Message:
        """The only message of a folder, as Microsoft's typed client reads it."""
        page = await self.user(mailbox).mail_folders.by_mail_folder_id(folder).messages.get()
        assert page is not None
        assert page.value is not None
        [message] = page.value
        assert message.id is not None
        whole = await self.user(mailbox).messages.by_message_id(message.id).get()
        assert whole is not None
        return whole

    async def close(self) -> None:
        """Closes every connection."""
        await self.operations.close()
        await self.mailboxes.close()
        await self._transport.aclose()

    def _gate(self, mailbox: str) -> MailboxGate:
        return MailboxGate(mailbox, self.hourglass.sleep, self.hourglass.monotonic)

    async def _connect(self, credential: Credential) -> GraphClient:
        signed_in = ClientSecretCredential(
            TENANT_ID,
            credential.client_id,
            SECRET,
            authority=self.running.authority_url,
            connection_verify=str(self.running.ca_file),
            disable_instance_discovery=True,
        )
        return GraphClient(signed_in, self.running.graph_url)


def _asked(model: Any, fields: dict[str, Any]) -> Any:
    return msgspec.json.decode(msgspec.json.encode(fields), type=model)
