"""Post-processing as Graph requests: which ones an operation needs, in which order.

Every one of them may be repeated without harm, for an answer can get lost. That is why `delete`
is a move to Deleted Items: a repeated DELETE would remove the mail from there for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.adapters.graph.batch import BatchItem
from shared.domain.subscription import Operation, PostProcess


def marks(
    mailbox: str, mail_id: str, actions: PostProcess, categories: Sequence[str]
) -> BatchItem | None:
    """Marking as read and categorizing, in one request; None where neither is wanted.

    Args:
        mailbox: address or id of the mailbox.
        mail_id: the mail's immutable id.
        actions: what is wanted.
        categories: those that the mail has and keeps.
    """
    change: dict[str, Any] = {}
    if Operation.MARK_AS_READ in actions.operations:
        change["isRead"] = True
    if Operation.CATEGORIZE in actions.operations:
        change["categories"] = list(dict.fromkeys((*categories, *actions.categories)))
    if not change:
        return None
    path = ("users", mailbox, "messages", mail_id)
    return BatchItem(what="mark", method="PATCH", path=path, body=change)


def move(mailbox: str, mail_id: str, folder_id: str) -> BatchItem:
    """Moving to a folder; the immutable id stays."""
    path = ("users", mailbox, "messages", mail_id, "move")
    return BatchItem(what="move", method="POST", path=path, body={"destinationId": folder_id})


def permanent_delete(mailbox: str, mail_id: str) -> BatchItem:
    """Deleting for good."""
    path = ("users", mailbox, "messages", mail_id, "permanentDelete")
    # within a batch every POST needs a body, or the whole batch is refused
    return BatchItem(what="permanent delete", method="POST", path=path, body={})
