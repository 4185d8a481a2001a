"""Serves folders and messages, and does with a message what a person could do."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from shared.domain.outbound.requests import CreateFolderRequest, MarkRequest, MoveRequest
from shared.outbound_ports import Caller, Json, MailOperations

_DELETED_ITEMS = "deleteditems"


async def create_folder(
    operations: MailOperations, caller: Caller, parent: str | None, request: CreateFolderRequest
) -> Json:
    """Makes a folder below another, or below the root; gives it."""
    return await operations.create_folder(
        caller, parent, request.display_name, hidden=request.is_hidden
    )


async def mark(
    operations: MailOperations, caller: Caller, message_id: str, request: MarkRequest
) -> Json:
    """Marks a mail as read or unread, labels or flags it; gives it."""
    changes: dict[str, Any] = {}
    if request.is_read is not UNSET:
        changes["isRead"] = request.is_read
    if request.categories is not UNSET:
        changes["categories"] = list(dict.fromkeys(request.categories))
    if request.flag is not UNSET:
        changes["flag"] = {"flagStatus": request.flag}
    return await operations.update_message(caller, message_id, changes)


async def move(
    operations: MailOperations, caller: Caller, message_id: str, request: MoveRequest
) -> Json:
    """Moves a mail, by default into a folder that is there; gives it. Its id stays."""
    folder = request.folder_id
    if folder is None:
        path, create = request.folder or "", request.create_folder
        folder = await operations.find_folder(caller, path, create=create)
    return await operations.move_message(caller, message_id, folder)


async def delete(
    operations: MailOperations, caller: Caller, message_id: str, *, permanent: bool
) -> None:
    """Deletes a mail: into Deleted Items, or for good.

    Into Deleted Items it is moved, for that may be repeated: a second DELETE would remove it.
    """
    if permanent:
        await operations.purge_message(caller, message_id)
    else:
        await operations.move_message(caller, message_id, _DELETED_ITEMS)
