"""Folders by path: Graph knows children only, so a path is walked name by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from kiota_abstractions.method import Method

from shared.adapters.graph.answers import GraphAnswer, folder_not_found
from shared.adapters.graph.client import GraphRequest
from shared.domain.errors import FolderNotFound, MailNotFound
from shared.domain.odata import quoted

WELL_KNOWN = frozenset(
    {
        "archive",
        "clutter",
        "conflicts",
        "conversationhistory",
        "deleteditems",
        "drafts",
        "inbox",
        "junkemail",
        "localfailures",
        "msgfolderroot",
        "outbox",
        "recoverableitemsdeletions",
        "scheduled",
        "searchfolders",
        "sentitems",
        "serverfailures",
        "syncissues",
    }
)
"""Names that stand where an id stands, in every language of a mailbox."""

_CHILDREN = "/users/{user}/mailFolders/{folder}/childFolders"

Send = Callable[[GraphRequest], Awaitable[GraphAnswer]]


async def resolve(mailbox: str, path: str, send: Send, *, create: bool = False) -> str:
    """The id of the folder at a path, or its well-known name, which needs no request.

    Args:
        mailbox: address or id of the mailbox.
        path: display names parted by ``/``; the first may be a well-known name.
        send: sends a request to the mailbox.
        create: makes what is missing.

    Raises:
        FolderNotFound: a part of the path is not there; names it.
    """
    names = path.split("/")
    if names[0].lower() in WELL_KNOWN:
        folder, names = names[0].lower(), names[1:]
    else:
        folder = "msgfolderroot"
    for depth, name in enumerate(names):
        child = await _child(mailbox, folder, name, send)
        if child is None and create:
            child = await _create(mailbox, folder, name, send)
        if child is None:
            above = "/".join(path.split("/")[: -(len(names) - depth)]) or "the mailbox"
            raise FolderNotFound(
                mailbox,
                f"there is no folder {name!r} in {above} (path {path!r}). Create it, or correct"
                " the row.",
            )
        folder = child
    return folder


async def _child(mailbox: str, parent: str, name: str, send: Send) -> str | None:
    request = GraphRequest(
        what="find folder",
        template=_CHILDREN,
        path={"user": mailbox, "folder": parent},
        query={
            "$filter": f"displayName eq {quoted(name)}",
            "$select": "id,displayName",
            "$top": "100",
            "includeHiddenFolders": "true",
        },
    )
    while True:
        answer = await send(request)
        try:
            answer.raise_for(mailbox, request.what)
        except MailNotFound as error:
            raise folder_not_found(error, parent) from error
        for folder in answer.body.get("value", ()):
            if folder.get("displayName", "").casefold() == name.casefold():
                return str(folder["id"])
        link = answer.body.get("@odata.nextLink")
        if link is None:
            return None
        request = GraphRequest(what=request.what, link=link)


async def _create(mailbox: str, parent: str, name: str, send: Send) -> str | None:
    request = GraphRequest(
        what="create folder",
        method=Method.POST,
        template=_CHILDREN,
        path={"user": mailbox, "folder": parent},
        body={"displayName": name},
    )
    answer = await send(request)
    if answer.status == 409:  # noqa: PLR2004 - Conflict: another worker made it just now
        return await _child(mailbox, parent, name, send)
    answer.raise_for(mailbox, request.what)
    return str(answer.body["id"])
