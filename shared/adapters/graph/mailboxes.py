"""The port `Mailboxes` on Graph: one client a credential, one gate and one batch a mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, NoReturn, TypeVar

import stamina

from shared.adapters.coalescing import Coalescer
from shared.adapters.graph import attachments, folders, operations
from shared.adapters.graph.answers import GraphAnswer, folder_not_found
from shared.adapters.graph.batch import LARGEST_BATCH, BatchItem, send_batch
from shared.adapters.graph.client import GraphClient, GraphRequest
from shared.adapters.graph.destinations import Destinations
from shared.adapters.graph.gate import LONGEST_WAIT, MailboxGate
from shared.adapters.graph.roles import mail_roles
from shared.domain.errors import (
    AnswerTooLarge,
    FolderNotFound,
    MailboxRefused,
    MailboxUnavailable,
    MailNotFound,
    SecretNotFound,
    SettingsError,
    SignInRefused,
)
from shared.domain.mail import GRAPH_EXPAND, GRAPH_SELECT
from shared.domain.subscription import Credential, Folder, Operation, PostProcess
from shared.ports import MailboxAddress, Page
from shared.telemetry.metrics import graph_answered

GATES_KEPT = 256
"""Gates after which idle ones are dropped: a worker may poll thousands of mailboxes."""

ATTEMPTS = 4
"""Tries of one request before the caller is told; it comes back later."""

T = TypeVar("T")
Connect = Callable[[Credential], Awaitable[GraphClient]]


class GraphMailboxes:
    """Mailboxes in Microsoft 365.

    Args:
        connect: makes the client of a credential.
        linger: seconds that a batch waits to fill up; what arrives together goes together.
        gate: makes the gate of a mailbox; tests give one that does not really wait.
    """

    def __init__(
        self,
        connect: Connect,
        linger: float = 0.5,
        gate: Callable[[str], MailboxGate] = MailboxGate,
    ) -> None:
        self._connect = connect
        self._new_gate = gate
        self._clients: dict[Credential, asyncio.Task[GraphClient]] = {}
        self._gates: dict[tuple[str, str], MailboxGate] = {}
        self._destinations = Destinations(self._resolve)
        # while one batch is under way the next waits at the gate, ready to go
        self._batches: Coalescer[MailboxAddress, BatchItem, GraphAnswer] = Coalescer(
            self._send_batch, limit=LARGEST_BATCH, in_flight=2, linger=linger
        )

    async def find_folder(self, address: MailboxAddress, folder: Folder) -> str:
        """The id of a folder, or its well-known name."""
        return folder.id or await self._resolve(address, folder.path, create=False)

    async def list_messages(
        self,
        address: MailboxAddress,
        folder_id: str,
        query: Mapping[str, str],
        body_format: str,
        next_link: str | None = None,
    ) -> Page:
        """One page of messages."""
        request = GraphRequest(
            what="list messages",
            template="/users/{user}/mailFolders/{folder}/messages",
            path={"user": address.mailbox, "folder": folder_id},
            query=query,
            link=next_link,
            prefer=(_body_preference(body_format),),
        )
        try:
            answer = await self._ask(address, request)
        except MailNotFound as error:
            raise folder_not_found(error, folder_id) from error
        return Page(answer.body.get("value", ()), answer.body.get("@odata.nextLink"))

    async def fetch_messages(
        self, address: MailboxAddress, mail_ids: Sequence[str], body_format: str
    ) -> list[Mapping[str, Any]]:
        """Messages by id, whole; those that are gone are left out."""
        results = await asyncio.gather(
            *(self._fetch(address, mail_id, body_format) for mail_id in mail_ids),
            return_exceptions=True,
        )
        messages: list[Mapping[str, Any]] = []
        for result in results:
            if isinstance(result, MailNotFound):
                continue
            if isinstance(result, BaseException):
                raise result
            messages.append(result)
        return messages

    async def attachment_contents(
        self, address: MailboxAddress, mail_id: str
    ) -> Mapping[str, bytes]:
        """The bytes of all file attachments of a mail by attachment id, in one request."""
        request = attachments.contents(address.mailbox, mail_id)
        answer = await self._ask(address, request)
        return attachments.decoded(address.mailbox, answer)

    def attachment_stream(
        self, address: MailboxAddress, mail_id: str, attachment_id: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes of one attachment, in pieces: of a file as it is, of an item its MIME."""
        return self._stream(address, attachments.value(address.mailbox, mail_id, attachment_id))

    def mime_stream(
        self, address: MailboxAddress, mail_id: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The whole mail as it came (MIME), in pieces."""
        return self._stream(address, attachments.mime(address.mailbox, mail_id))

    async def post_process(
        self, address: MailboxAddress, mail_id: str, actions: PostProcess, categories: Sequence[str]
    ) -> str:
        """Does the operations on one mail."""
        mailbox = address.mailbox
        marking = operations.marks(mailbox, mail_id, actions, categories)
        try:
            if marking is not None:
                await self._change(address, marking)
            if Operation.MOVE in actions.operations:
                await self._move(address, mail_id, actions)
            elif Operation.DELETE in actions.operations:
                await self._change(address, operations.move(mailbox, mail_id, "deleteditems"))
            elif Operation.FORCE_DELETE in actions.operations:
                await self._change(address, operations.permanent_delete(mailbox, mail_id))
        except MailNotFound:
            return "somebody else had removed the mail from the mailbox"
        return ""

    async def token(self, credential: Credential) -> None:
        """Gets a token, or raises why there is none."""
        await self._token(credential)

    async def mail_roles(self, credential: Credential) -> tuple[str, ...]:
        """The roles for mail that an app has by consent in Entra ID; see :mod:`.roles`."""
        mailbox, token = await self._token(credential)
        try:
            return mail_roles(token)
        except ValueError as error:
            what = "the token of Entra ID cannot be read for the app's roles"
            raise MailboxRefused(mailbox, what) from error

    async def _token(self, credential: Credential) -> tuple[str, str]:
        """Whose mailbox is spoken of in errors, and a token."""
        who = credential.client_id or "the default app"
        owner = f"account {credential.account}" if credential.account else who
        address = MailboxAddress(credential, f"of {owner}")
        client = await self.client(address)
        return address.mailbox, await client.token(address.mailbox)

    async def close(self) -> None:
        """Closes all clients."""
        await self._batches.close()
        for client in await asyncio.gather(*self._clients.values(), return_exceptions=True):
            if isinstance(client, GraphClient):
                await client.close()
        self._clients.clear()

    async def _fetch(
        self, address: MailboxAddress, mail_id: str, body_format: str
    ) -> Mapping[str, Any]:
        item = BatchItem(
            what="fetch message",
            method="GET",
            path=("users", address.mailbox, "messages", mail_id),
            query={"$select": GRAPH_SELECT, "$expand": GRAPH_EXPAND},
            prefer=(_body_preference(body_format),),
        )
        return (await self._change(address, item)).body

    async def _move(self, address: MailboxAddress, mail_id: str, actions: PostProcess) -> None:
        """Moves a mail. A 404 may mean mail or folder: a fresh look at the folder decides."""
        if actions.move_to is None:
            raise ValueError("a move without a folder; columns.py lets none through")
        path, create = actions.move_to.path, actions.create_folder
        known = await self._destinations.find(address, path, create=create)
        try:
            await self._change(address, operations.move(address.mailbox, mail_id, known))
        except MailNotFound:
            self._destinations.forget(address, path, known)
            fresh = await self._destinations.find(address, path, create=create)
            if fresh == known:
                await self._tell_apart(address, mail_id, path)
            await self._change(address, operations.move(address.mailbox, mail_id, fresh))

    async def _tell_apart(self, address: MailboxAddress, mail_id: str, path: str) -> NoReturn:
        """Raises MailNotFound where the mail is gone, else FolderNotFound: a 404 names neither."""
        path_of_mail = ("users", address.mailbox, "messages", mail_id)
        look = BatchItem(
            what="look for mail", method="GET", path=path_of_mail, query={"$select": "id"}
        )
        await self._change(address, look)
        raise FolderNotFound(
            address.mailbox, f"the folder {path!r} is not there. Create it, or correct the row."
        )

    async def _resolve(self, address: MailboxAddress, path: str, *, create: bool) -> str:
        async def send(request: GraphRequest) -> GraphAnswer:
            return await self._ask(address, request, also=frozenset({409}))

        return await folders.resolve(address.mailbox, path, send, create=create)

    async def _ask(
        self,
        address: MailboxAddress,
        request: GraphRequest,
        also: frozenset[int] = frozenset(),
    ) -> GraphAnswer:
        """Sends one request through the gate, again where that helps; `also` are no errors."""

        async def once() -> GraphAnswer:
            client = await self.client(address)
            async with self.gate(address).enter():
                answer = await client.send(address.mailbox, request)
            if answer.status not in also:
                self._check(address, answer, request.what)
            return answer

        return await repeated(once)

    @asynccontextmanager
    async def _stream(
        self, address: MailboxAddress, request: GraphRequest
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Opens a stream, again where that helps; it has a place at the gate until it is left."""

        async def once() -> tuple[AsyncExitStack, AsyncIterator[bytes]]:
            client = await self.client(address)
            async with AsyncExitStack() as opened:
                await opened.enter_async_context(self.gate(address).stream())
                stream = await opened.enter_async_context(client.stream(address.mailbox, request))
                self._check(address, stream.answer, request.what)
                return opened.pop_all(), stream.pieces

        held, pieces = await repeated(once)
        async with held:
            yield pieces

    async def _change(self, address: MailboxAddress, item: BatchItem) -> GraphAnswer:
        """Sends one request in a batch with others of its mailbox, again where that helps."""

        async def once() -> GraphAnswer:
            answer = await self._batches.submit(address, item)
            graph_answered(item.what, answer.status)
            self._check(address, answer, item.what)
            return answer

        return await repeated(once)

    async def _send_batch(
        self, address: MailboxAddress, items: Sequence[BatchItem]
    ) -> Sequence[GraphAnswer | Exception]:
        """Sends a batch; in halves where its answer is too large, so that one giant fails alone."""
        client = await self.client(address)
        gate = self.gate(address)
        try:
            async with gate.enter(len(items)):
                return await send_batch(client, address.mailbox, items)
        except MailboxUnavailable as error:
            gate.pause(error.retry_after or 0.0)
            raise
        except AnswerTooLarge as error:
            if len(items) == 1:
                return [error]
        half = len(items) // 2
        first = await self._send_batch(address, items[:half])
        return [*first, *await self._send_batch(address, items[half:])]

    def _check(self, address: MailboxAddress, answer: GraphAnswer, what: str) -> None:
        try:
            answer.raise_for(address.mailbox, what)
        except MailboxUnavailable as error:
            self.gate(address).pause(error.retry_after or 0.0)
            raise

    def gate(self, address: MailboxAddress, whose: str = "") -> MailboxGate:
        """The gate of a mailbox, for all that goes there; of each of those apart who bring a token.

        Args:
            address: the mailbox.
            whose: tells tokens apart; empty for the app's own.
        """
        # one mailbox in any case, and whatever app is named: two names may be one app
        key = (address.mailbox.lower(), whose)
        if key not in self._gates:
            if len(self._gates) >= GATES_KEPT:
                self._gates = {k: one for k, one in self._gates.items() if not one.is_idle}
            self._gates[key] = self._new_gate(address.mailbox)
        return self._gates[key]

    async def client(self, address: MailboxAddress) -> GraphClient:
        """The client of a credential, made once; one that could not be made is tried again."""
        task = self._clients.get(address.credential)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.ensure_future(self._connect(address.credential))
            self._clients[address.credential] = task
        try:
            return await asyncio.shield(task)
        except (SecretNotFound, SettingsError) as error:
            raise SignInRefused(address.mailbox, str(error)) from error


def _body_preference(body_format: str) -> str:
    return f'outlook.body-content-type="{body_format}"'


async def repeated(
    once: Callable[[], Awaitable[T]], on: Callable[[Exception], bool | float] | None = None
) -> T:
    """Awaits ``once()`` until it succeeds, as long as waiting helps and is short.

    Args:
        once: one try.
        on: as :func:`worth_waiting`, which it is where nothing else is given.
    """
    # what succeeds at once, as nearly all does, is spared the library: it costs 0.1 ms of CPU
    failed = list[Exception]()
    try:
        return await once()
    except Exception as error:  # noqa: BLE001 - raised again, as the library's first try
        failed.append(error)
    async for attempt in stamina.retry_context(
        on=on or worth_waiting, attempts=ATTEMPTS, timeout=None
    ):
        with attempt:
            if failed:
                raise failed.pop()
            return await once()
    raise AssertionError("unreachable: the last attempt raises")


def worth_waiting(error: Exception, longest: float = LONGEST_WAIT) -> bool | float:
    """Whether to try again at once, or after how many seconds; see stamina's backoff hooks.

    Args:
        error: of the last try.
        longest: seconds that are waited at the most, where Graph asks for a pause.
    """
    if not isinstance(error, MailboxUnavailable):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= longest else False
