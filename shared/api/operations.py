"""The table of operations: each with its path, parameters, model, success and what it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.api import sends
from shared.api.calls import BadRequest, Call, sent
from shared.api.models import DurableSend, Page, Resource, SentMail
from shared.domain.outbound.links import from_token
from shared.domain.outbound.odata_query import LIST, ONE, Option
from shared.domain.outbound.outbox import KEY_PATTERN
from shared.domain.outbound.requests import (
    CreateFolderRequest,
    ForwardRequest,
    MarkRequest,
    MoveRequest,
    ReplyRequest,
    SendRequest,
    SendTemplate,
)
from shared.outbound_ports import Answering
from shared.workflows.outbound import mailbox
from shared.workflows.outbound.answer import answer
from shared.workflows.outbox.enqueue import read_request

ID = "[A-Za-z0-9_=+-]{1,512}"
"""What ids of Graph and well-known names of folders are made of."""

TOKEN = "[A-Za-z0-9_-]{1,8192}"  # noqa: S105 - a pattern
PATTERNS: Mapping[str, str] = {"token": TOKEN, "key": KEY_PATTERN}
"""What other parts of paths are made of."""

PERMANENT: Mapping[str, Option] = {
    "permanent": Option(
        "Deletes for good instead of into Deleted Items.",
        {"type": "boolean", "default": False},
        lambda value: "" if value in {"true", "false"} else "true or false",
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Args:
        name: its id in the OpenAPI document.
        method: HTTP method.
        path: below the mailbox, with ids in braces.
        summary: what it does, in a few words.
        run: does it; gives what is answered.
        answers: the type of that; None: nothing.
        status: HTTP status of success.
        also: models of other successes by status; `run` says which it is.
        body: model of the request's body; None where it has none.
        forms: further models of it, for the document; `read` tells them apart.
        read: makes of the body's JSON what `run` is given, instead of the model alone; raises
            ValueError where it cannot.
        query: its parameters.
        headers: its own headers.
        needs: the Graph permission.
    """

    name: str
    method: str
    path: str
    summary: str
    run: Callable[[Call], Awaitable[object]]
    answers: Any = None
    status: int = 200
    also: Mapping[int, type] = field(default_factory=dict)
    body: Any = None
    forms: tuple[type, ...] = ()
    read: Callable[[Mapping[str, Any]], object] | None = None
    query: Mapping[str, Option] = field(default_factory=dict)
    headers: Mapping[str, Option] = field(default_factory=dict)
    needs: str = "Mail.ReadWrite"


async def _list_folders(call: Call) -> Page:
    parent = call.path.get("folderId")
    return call.page(await call.operations.list_folders(call.caller, parent, call.query))


async def _create_folder(call: Call) -> Resource:
    parent = call.path.get("folderId")
    return _plain(await mailbox.create_folder(call.operations, call.caller, parent, call.body))


async def _list_messages(call: Call) -> Page:
    folder = call.path.get("folderId")
    return call.page(await call.operations.list_messages(call.caller, folder, call.query))


async def _follow(call: Call) -> Page:
    try:
        link = from_token(call.path["token"])
    except ValueError as error:
        raise BadRequest(f"Wanted: {error}.") from error
    return call.page(await call.operations.follow(call.caller, link))


async def _get_message(call: Call) -> Resource:
    message = call.path["messageId"]
    return _plain(await call.operations.get_message(call.caller, message, call.query))


async def _mark(call: Call) -> Resource:
    message = call.path["messageId"]
    return _plain(await mailbox.mark(call.operations, call.caller, message, call.body))


async def _move(call: Call) -> Resource:
    message = call.path["messageId"]
    return _plain(await mailbox.move(call.operations, call.caller, message, call.body))


async def _delete(call: Call) -> None:
    permanent = call.query.get("permanent") == "true"
    await mailbox.delete(call.operations, call.caller, call.path["messageId"], permanent=permanent)


def _answering(how: Answering) -> Callable[[Call], Awaitable[SentMail]]:
    async def run(call: Call) -> SentMail:
        message = call.path["messageId"]
        mail = call.outgoing(call.body)
        return sent(await answer(call.sending, call.caller, how, message, mail))

    return run


def _plain(resource: Mapping[str, Any]) -> Resource:
    """A resource without the address of Graph's own description of it."""
    return {name: value for name, value in resource.items() if name != "@odata.context"}


_FOLDER = "folders/{folderId}"
_MESSAGE = "messages/{messageId}"
_SENDS = "Mail.Send; Mail.ReadWrite as well with identify, async, or more than 3 MB"
_BOTH = "Mail.ReadWrite and Mail.Send"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="listFolders",
        method="GET",
        path="folders",
        summary="Lists the folders below the root",
        run=_list_folders,
        answers=Page,
        query=LIST,
    ),
    Operation(
        name="createFolder",
        method="POST",
        path="folders",
        summary="Creates a folder below the root",
        run=_create_folder,
        answers=Resource,
        status=201,
        body=CreateFolderRequest,
    ),
    Operation(
        name="listChildFolders",
        method="GET",
        path=f"{_FOLDER}/folders",
        summary="Lists the folders below a folder (id or well-known name)",
        run=_list_folders,
        answers=Page,
        query=LIST,
    ),
    Operation(
        name="createChildFolder",
        method="POST",
        path=f"{_FOLDER}/folders",
        summary="Creates a folder below a folder",
        run=_create_folder,
        answers=Resource,
        status=201,
        body=CreateFolderRequest,
    ),
    Operation(
        name="listMessages",
        method="GET",
        path="messages",
        summary="Lists the messages of the mailbox",
        run=_list_messages,
        answers=Page,
        query=LIST,
    ),
    Operation(
        name="listMessagesOfFolder",
        method="GET",
        path=f"{_FOLDER}/messages",
        summary="Lists the messages of a folder",
        run=_list_messages,
        answers=Page,
        query=LIST,
    ),
    Operation(
        name="followNextLink",
        method="GET",
        path="next/{token}",
        summary="The rest of a list: what a nextLink leads to",
        run=_follow,
        answers=Page,
    ),
    Operation(
        name="getMessage",
        method="GET",
        path=_MESSAGE,
        summary="Gets a message",
        run=_get_message,
        answers=Resource,
        query=ONE,
    ),
    Operation(
        name="markMessage",
        method="PATCH",
        path=_MESSAGE,
        summary="Marks a message: read or unread, labels, flag",
        run=_mark,
        answers=Resource,
        body=MarkRequest,
    ),
    Operation(
        name="moveMessage",
        method="POST",
        path=f"{_MESSAGE}/move",
        summary="Moves a message into a folder; its id stays",
        run=_move,
        answers=Resource,
        body=MoveRequest,
    ),
    Operation(
        name="deleteMessage",
        method="DELETE",
        path=_MESSAGE,
        summary="Deletes a message",
        run=_delete,
        status=204,
        query=PERMANENT,
    ),
    Operation(
        name="send",
        method="POST",
        path="send",
        summary="Sends a mail, or promises to",
        run=sends.send_mail,
        answers=SentMail,
        also={200: DurableSend, 202: DurableSend},
        body=SendRequest,
        forms=(SendTemplate,),
        read=read_request,
        query=sends.QUERY,
        headers=sends.HEADERS,
        needs=_SENDS,
    ),
    Operation(
        name="getSend",
        method="GET",
        path="sends/{key}",
        summary="Tells where a durable send stands",
        run=sends.get_send,
        answers=DurableSend,
        needs="no permission for it",
    ),
    Operation(
        name="reply",
        method="POST",
        path=f"{_MESSAGE}/reply",
        summary="Answers the sender of a message, in its thread",
        run=_answering(Answering.REPLY),
        answers=SentMail,
        body=ReplyRequest,
        needs=_BOTH,
    ),
    Operation(
        name="replyAll",
        method="POST",
        path=f"{_MESSAGE}/replyAll",
        summary="Answers all whom a message names, in its thread",
        run=_answering(Answering.REPLY_ALL),
        answers=SentMail,
        body=ReplyRequest,
        needs=_BOTH,
    ),
    Operation(
        name="forward",
        method="POST",
        path=f"{_MESSAGE}/forward",
        summary="Forwards a message with what is attached to it",
        run=_answering(Answering.FORWARD),
        answers=SentMail,
        body=ForwardRequest,
        needs=_BOTH,
    ),
)
"""Every operation of the API."""
