"""What became of a draft that Graph was asked to send: the mailbox tells, if anybody does."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.errors import MailboxRefused
from shared.domain.odata import quoted
from shared.outbound_ports import Caller, Draft, MailOperations


async def fate(operations: MailOperations, caller: Caller, draft: Draft, key: str) -> Draft | None:
    """The draft, still a draft or sent; None where neither is seen (yet).

    By the id, which one page of Graph's documentation says stays and another that it does not; then
    by the key, then by the internetMessageId, for a copy in Sent Items under another id.

    Args:
        operations: the mailboxes.
        caller: whose mailbox.
        draft: as it was made.
        key: with which it was made.

    Raises:
        MailboxError: nobody can look now.
    """
    found = await operations.look(caller, draft.id)
    if found is not None:
        return found
    try:
        copy = await operations.find_draft(caller, key)
    except MailboxRefused:
        copy = None  # a filter that Graph does not take tells nothing
    if copy is not None and not copy.is_draft:
        return replace(draft, id=copy.id, is_draft=False)
    if not draft.internet_message_id:
        return None
    query = {
        "$filter": f"internetMessageId eq {quoted(draft.internet_message_id)}",
        "$select": "id,isDraft",
        "$top": "10",
    }
    listing = await operations.list_messages(caller, None, query)
    sent = [one for one in listing.value if not one.get("isDraft", True)]
    return replace(draft, id=str(sent[0]["id"]), is_draft=False) if sent else None
