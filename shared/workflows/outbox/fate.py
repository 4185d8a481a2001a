"""What became of a draft that Graph was asked to send: the mailbox tells, if anybody does."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.errors import MailboxRefused
from shared.domain.odata import quoted
from shared.domain.outbound.outbox import OutboxItem
from shared.outbound_ports import Caller, Draft, MailOperations


async def fate(operations: MailOperations, caller: Caller, item: OutboxItem) -> Draft | None:
    """The draft, still a draft or sent; None where neither is seen (yet).

    By the id, which Graph documents as staying; then by the key, then by the internetMessageId, for
    a copy in Sent Items under another id.

    Raises:
        MailboxError: nobody can look now.
    """
    found = await operations.look(caller, item.draft_id)
    if found is not None:
        return found
    try:
        copy = await operations.find_draft(caller, item.draft_key)
    except MailboxRefused:
        copy = None  # a filter that Graph does not take tells nothing
    if copy is not None and not copy.is_draft:
        return replace(copy, internet_message_id=item.internet_message_id)
    if not item.internet_message_id:
        return None
    query = {
        "$filter": f"internetMessageId eq {quoted(item.internet_message_id)}",
        "$select": "id,isDraft",
        "$top": "10",
    }
    listing = await operations.list_messages(caller, None, query)
    if all(message.get("isDraft", True) for message in listing.value):
        return None
    return Draft(item.draft_id, item.internet_message_id, item.conversation_id, is_draft=False)
