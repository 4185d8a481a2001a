"""The port `MailOperations` on Graph: as the app, or with a token that a caller has brought.

Reads and changes that may be done twice are repeated as in polling. What a second request would
double is repeated only where it certainly did not happen: the connection was not made, or Graph
throttled it (429). Any other failure without a verdict, and any success that is not the documented
one, is AnswerLost. Drafts are made and sent in batches, see :mod:`.send_batches`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, TypeAlias

from kiota_abstractions.method import Method

from shared.adapters.graph import folders
from shared.adapters.graph.answers import UNAVAILABLE, GraphAnswer, folder_not_found
from shared.adapters.graph.client import GraphRequest
from shared.adapters.graph.drafts import DRAFT_SELECT, draft_of
from shared.adapters.graph.gate import MailboxGate
from shared.adapters.graph.mailboxes import GraphMailboxes, repeated, worth_waiting
from shared.adapters.graph.send_batches import SendBatches, fits
from shared.adapters.graph.uploads import File, Uploads
from shared.adapters.graph.visitors import as_visitor
from shared.adapters.http import retry_after
from shared.domain.errors import (
    AnswerLost,
    AnswerTooLarge,
    MailboxRefused,
    MailboxUnavailable,
    MailNotFound,
    SignInRefused,
)
from shared.domain.odata import quoted
from shared.domain.outbound import links
from shared.domain.outbound.graph_json import KEY_PROPERTY, with_key
from shared.domain.outbound.links import GraphLink
from shared.outbound_ports import Answering, Caller, Draft, Json, Listing, ReadPart, Upload
from shared.ports import MailboxAddress

_MESSAGES = "/users/{user}/messages"
_MESSAGE = f"{_MESSAGES}/{{message}}"
_FOLDERS = "/users/{user}/mailFolders"
_FOLDER = f"{_FOLDERS}/{{folder}}"
_CREATE = {
    Answering.REPLY: "createReply",
    Answering.REPLY_ALL: "createReplyAll",
    Answering.FORWARD: "createForward",
}
_CREATED = 201
_ACCEPTED = 202
_NO_VERDICT = UNAVAILABLE - {429}
"""Statuses below 500 that do not say whether the request took effect; of 500 and more, all."""

_Send: TypeAlias = Callable[[Caller, GraphRequest], Awaitable[GraphAnswer]]


class GraphMailOperations:
    """Fulfils :class:`~shared.outbound_ports.MailOperations`.

    Args:
        own: connections of the app, shared with polling: four requests at once on a mailbox.
        visitors: those of callers with a token of their own, see :mod:`.visitors`.
        uploads: sends large files.
    """

    def __init__(
        self, own: GraphMailboxes, visitors: GraphMailboxes, uploads: Uploads | None = None
    ) -> None:
        self._own = own
        self._visitors = visitors
        self._uploads = uploads or Uploads()
        self._batches = SendBatches(own)

    async def close(self) -> None:
        """Ends what is under way, and closes what is not the app's own."""
        await self._batches.close()
        await self._visitors.close()
        await self._uploads.close()

    async def list_folders(
        self, caller: Caller, parent: str | None, query: Mapping[str, str]
    ) -> Listing:
        """The folders right below a folder; None: below the root."""
        template = _FOLDERS if parent is None else f"{_FOLDER}/childFolders"
        return await self._list(caller, "list folders", template, parent, query)

    async def create_folder(
        self, caller: Caller, parent: str | None, name: str, *, hidden: bool
    ) -> Json:
        """Makes a folder; gives it."""
        template = _FOLDERS if parent is None else f"{_FOLDER}/childFolders"
        body = {"displayName": name, **({"isHidden": True} if hidden else {})}
        path = _path(caller, folder=parent)
        request = _post("create folder", template, path, body)
        try:
            answer = await self._once(caller, request, _CREATED, also=frozenset({409}))
        except MailNotFound as error:
            raise folder_not_found(error, parent or "") from error
        if answer.status == 409:  # noqa: PLR2004 - Conflict
            refused = MailboxRefused(caller.mailbox, "create folder: there is one of this name")
            refused.said = answer.said
            raise refused
        return answer.body

    async def find_folder(self, caller: Caller, path: str, *, create: bool) -> str:
        """The id of a folder, from a well-known name or a path."""

        async def send(request: GraphRequest) -> GraphAnswer:
            return await self._ask(caller, request, also=frozenset({409}))

        return await folders.resolve(caller.mailbox, path, send, create=create)

    async def list_messages(
        self, caller: Caller, folder: str | None, query: Mapping[str, str]
    ) -> Listing:
        """Messages of a folder; None: of the whole mailbox."""
        template = _MESSAGES if folder is None else f"{_FOLDER}/messages"
        return await self._list(caller, "list messages", template, folder, query)

    async def follow(self, caller: Caller, link: GraphLink) -> Listing:
        """The next part of a list."""
        client = await self._connections(caller).client(_address(caller))
        address = client.address_of(caller.mailbox, link.path, link.query)
        answer = await self._ask(caller, GraphRequest(what="list the rest", link=address))
        return _listing(caller, answer)

    async def get_message(self, caller: Caller, message_id: str, query: Mapping[str, str]) -> Json:
        """One message."""
        path = _path(caller, message=message_id)
        request = GraphRequest(what="get message", template=_MESSAGE, path=path, query=query)
        return (await self._ask(caller, request)).body

    async def update_message(self, caller: Caller, message_id: str, changes: Json) -> Json:
        """Changes properties of a message; gives it."""
        path = _path(caller, message=message_id)
        request = GraphRequest(
            what="change message", method=Method.PATCH, template=_MESSAGE, path=path, body=changes
        )
        return (await self._ask(caller, request)).body

    async def move_message(self, caller: Caller, message_id: str, folder: str) -> Json:
        """Moves a message into a folder; twice does no harm, for its id stays."""
        path = _path(caller, message=message_id)
        request = _post("move", f"{_MESSAGE}/move", path, {"destinationId": folder})
        try:
            return (await self._ask(caller, request)).body
        except MailNotFound as error:
            # it may be either of both: where the message is there, it is the folder
            await self.get_message(caller, message_id, {"$select": "id"})
            raise folder_not_found(error, folder) from error

    async def purge_message(self, caller: Caller, message_id: str) -> None:
        """Deletes a message for good."""
        path = _path(caller, message=message_id)
        request = _post("permanent delete", f"{_MESSAGE}/permanentDelete", path)
        # a first try whose answer was lost has removed it
        await self._ask(caller, request, repeat=frozenset({404}))

    async def send_at_once(self, caller: Caller, message: Json, *, save: bool) -> None:
        """Sends a mail in one request."""
        body = {"message": message, **({} if save else {"saveToSentItems": False})}
        request = _post("send", "/users/{user}/sendMail", _path(caller), body)
        await self._once(caller, request, _ACCEPTED)

    async def create_draft(self, caller: Caller, message: Json, key: str) -> Draft:
        """Makes a draft that `find_draft` finds by a key."""
        request = _post("create draft", _MESSAGES, _path(caller), with_key(message, key))
        return await self._drafted(caller, request, self._together)

    async def create_answer(
        self, caller: Caller, how: Answering, message_id: str, changes: Json, key: str
    ) -> Draft:
        """Makes the draft of an answer in the thread of a message."""
        path = _path(caller, message=message_id)
        body = {"message": with_key(changes, key)}
        request = _post(f"create {how}", f"{_MESSAGE}/{_CREATE[how]}", path, body)
        return await self._drafted(caller, request)

    async def find_draft(self, caller: Caller, key: str) -> Draft | None:
        """The draft, or the mail if it was sent, that was made with a key."""
        same = f"ep/id eq {quoted(KEY_PROPERTY)} and ep/value eq {quoted(key)}"
        query = {
            "$filter": f"singleValueExtendedProperties/any(ep: {same})",
            "$select": DRAFT_SELECT,
            "$top": "10",
        }
        found = await self.list_messages(caller, None, query)
        drafts = [draft_of(one) for one in found.value]
        return min(drafts, key=lambda one: one.is_draft, default=None)

    async def look(self, caller: Caller, draft_id: str) -> Draft | None:
        """A draft, or the sent mail that it became; None where it is neither (yet)."""
        try:
            found = await self.get_message(caller, draft_id, {"$select": DRAFT_SELECT})
        except MailNotFound:
            return None
        if "id" not in found:
            raise MailboxUnavailable(caller.mailbox, "get message: Graph's answer names no id")
        return draft_of(found)

    async def update_draft(self, caller: Caller, draft_id: str, changes: Json) -> Draft:
        """Changes properties of a draft."""
        changed = await self.update_message(caller, draft_id, changes)
        return draft_of({"id": draft_id, **changed})

    async def add_attachment(self, caller: Caller, draft_id: str, attachment: Json) -> None:
        """Attaches a file of less than 3 MB, in one request."""
        path = _path(caller, message=draft_id)
        request = _post("attach", f"{_MESSAGE}/attachments", path, attachment)
        await self._once(caller, request, _CREATED)

    async def upload(self, caller: Caller, draft_id: str, upload: Upload, read: ReadPart) -> None:
        """Attaches a file of 3 to 150 MB, part by part; goes on where an answer was lost."""

        async def send(request: GraphRequest) -> GraphAnswer:
            return await self._ask(caller, request)

        file = File(caller.mailbox, draft_id, upload, read)
        await self._uploads.attach(file, send, lambda: self._place(caller))

    async def send_draft(self, caller: Caller, draft_id: str) -> None:
        """Sends a draft."""
        request = _post("send draft", f"{_MESSAGE}/send", _path(caller, message=draft_id))
        await self._once(caller, request, _ACCEPTED, send=self._together)

    async def discard_draft(self, caller: Caller, draft_id: str) -> None:
        """Removes a draft; one that is gone is no error."""
        path = _path(caller, message=draft_id)
        request = GraphRequest(
            what="discard draft", method=Method.DELETE, template=_MESSAGE, path=path
        )
        await self._ask(caller, request, also=frozenset({404}))

    async def _list(
        self,
        caller: Caller,
        what: str,
        template: str,
        folder: str | None,
        query: Mapping[str, str],
    ) -> Listing:
        path = _path(caller, folder=folder)
        request = GraphRequest(what=what, template=template, path=path, query=query)
        try:
            return _listing(caller, await self._ask(caller, request))
        except MailNotFound as error:
            if folder is None:
                raise
            raise folder_not_found(error, folder) from error

    async def _drafted(
        self, caller: Caller, request: GraphRequest, send: _Send | None = None
    ) -> Draft:
        answer = await self._once(caller, request, _CREATED, send=send)
        if "id" not in answer.body:
            raise AnswerLost(caller.mailbox, f"{request.what}: Graph's answer names no id")
        return draft_of(answer.body)

    async def _ask(
        self,
        caller: Caller,
        request: GraphRequest,
        also: frozenset[int] = frozenset(),
        repeat: frozenset[int] = frozenset(),
    ) -> GraphAnswer:
        """Sends what may be done twice, again where that helps.

        Args:
            caller: whose mailbox.
            request: what is asked for.
            also: statuses that are no errors.
            repeat: those that are none when the request is sent again.
        """
        fine = also

        async def once() -> GraphAnswer:
            nonlocal fine
            now, fine = fine, also | repeat
            answer = await self._send(caller, request)
            if answer.status not in now:
                self._check(caller, answer, request.what)
            return answer

        try:
            return await repeated(once)
        except AnswerLost as error:  # whatever it did, the same may be asked again
            raise MailboxUnavailable(caller.mailbox, error.what, error.retry_after) from error

    async def _once(
        self,
        caller: Caller,
        request: GraphRequest,
        success: int,
        also: frozenset[int] = frozenset(),
        send: _Send | None = None,
    ) -> GraphAnswer:
        """Sends what must not be done twice; again only where it certainly was not done.

        Args:
            caller: whose mailbox.
            request: what is asked for.
            success: the status that Graph documents; another may be that of a proxy.
            also: statuses that are no errors.
            send: how, if not by itself.
        """
        send = send or self._send

        async def once() -> GraphAnswer:
            try:
                answer = await send(caller, request)
            except AnswerTooLarge as error:
                raise AnswerLost(caller.mailbox, error.what) from error
            if answer.status == success or answer.status in also:
                return answer
            if answer.status < 400 or answer.status >= 500 or answer.status in _NO_VERDICT:  # noqa: PLR2004 - classes of HTTP
                raise self._lost(caller, answer, request.what)
            self._check(caller, answer, request.what)
            return answer

        return await repeated(once, _certainly_not_done)

    def _lost(self, caller: Caller, answer: GraphAnswer, what: str) -> AnswerLost:
        wait = retry_after(answer.headers)
        self._gate(caller).pause(wait or 0.0)
        said = f"{what}: Graph answered {answer.status}, which leaves it open"
        error = AnswerLost(caller.mailbox, said, wait)
        error.said = answer.said
        return error

    async def _send(self, caller: Caller, request: GraphRequest) -> GraphAnswer:
        client = await self._connections(caller).client(_address(caller))
        async with self._place(caller):
            with as_visitor(caller.bearer):
                return await client.send(caller.mailbox, request)

    async def _together(self, caller: Caller, request: GraphRequest) -> GraphAnswer:
        """Sends it as the app with others of its mailbox; with a token of a caller's, by itself."""
        if caller.bearer or not fits(request):
            return await self._send(caller, request)
        return await self._batches.ask(_address(caller), request)

    def _check(self, caller: Caller, answer: GraphAnswer, what: str) -> None:
        try:
            answer.raise_for(caller.mailbox, what)
        except MailboxUnavailable as error:
            self._gate(caller).pause(error.retry_after or 0.0)
            raise
        except SignInRefused as error:
            if not caller.bearer:
                raise
            refused = MailboxRefused(caller.mailbox, f"{what}: Graph did not take the token given")
            refused.said = error.said
            raise refused from error

    def _connections(self, caller: Caller) -> GraphMailboxes:
        return self._visitors if caller.bearer else self._own

    def _place(self, caller: Caller) -> AbstractAsyncContextManager[None]:
        gate = self._gate(caller)
        return gate.enter() if caller.bearer else gate.enter_beside_polling()

    def _gate(self, caller: Caller) -> MailboxGate:
        # Graph's limits are those of an app and a mailbox, and a token may be that of any app
        whose = hashlib.sha256(caller.bearer.encode()).hexdigest() if caller.bearer else ""
        return self._connections(caller).gate(_address(caller), whose)


def _address(caller: Caller) -> MailboxAddress:
    return MailboxAddress(caller.credential, caller.mailbox)


def _path(
    caller: Caller, *, folder: str | None = None, message: str | None = None
) -> dict[str, str]:
    named = {"user": caller.mailbox, "folder": folder, "message": message}
    return {name: value for name, value in named.items() if value is not None}


def _post(what: str, template: str, path: Mapping[str, str], body: Any = None) -> GraphRequest:
    return GraphRequest(what=what, method=Method.POST, template=template, path=path, body=body)


def _listing(caller: Caller, answer: GraphAnswer) -> Listing:
    link = answer.body.get("@odata.nextLink")
    try:
        following = links.from_graph(link) if link is not None else None
    except ValueError as error:
        what = "list: Graph's next link has a form that is not known"
        raise MailboxUnavailable(caller.mailbox, what) from error
    found = Listing(answer.body.get("value", ()), following)
    count = answer.body.get("@odata.count")
    return replace(found, count=count) if isinstance(count, int) else found


def _certainly_not_done(error: Exception) -> bool | float:
    return False if isinstance(error, AnswerLost) else worth_waiting(error)
