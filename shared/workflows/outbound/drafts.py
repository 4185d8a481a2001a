"""The sure way of sending: a draft with a key, its files, then its sending.

Where an answer is lost, a look at the mailbox tells what happened; nothing is done twice.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from shared.domain.errors import AnswerLost, ConnectorError, MailboxError, MailboxUnavailable
from shared.outbound_ports import Caller, Draft
from shared.telemetry import logger
from shared.workflows.outbound.parts import LARGEST_POST, Part
from shared.workflows.outbound.sending import Sending

LOOKS = (0.0, 1.0, 3.0, 6.0)
"""Seconds before each look for a mail whose sending was not answered."""


async def made(
    sending: Sending, caller: Caller, key: str, make: Callable[[], Awaitable[Draft]]
) -> Draft:
    """Makes a draft, and finds it by its key where the answer was lost.

    Raises:
        MailboxUnavailable: there is none; nothing is sent, and the same may be tried again.
    """
    try:
        return await make()
    except AnswerLost as error:
        found = await sending.operations.find_draft(caller, key)
        if found is not None:
            return found
        raise _nothing_sent(caller, error) from error


async def attach(sending: Sending, caller: Caller, draft: Draft, parts: Sequence[Part]) -> None:
    """Attaches files to a draft, one after the other: small ones at once, large ones in parts.

    Raises:
        MailboxUnavailable: it did not work; nothing is sent.
    """
    seen: Counter[tuple[str, int]] = Counter()
    for part in parts:
        if part.size < LARGEST_POST:
            whole = await part.whole()
            try:
                await sending.operations.add_attachment(caller, draft.id, whole)
            except AnswerLost as error:  # a second try could attach it twice
                raise _nothing_sent(caller, error) from error
        else:
            upload = part.upload(seen[part.name, part.size])
            await sending.operations.upload(caller, draft.id, upload, part.read)
        seen[part.name, part.size] += 1


async def dispatch(sending: Sending, caller: Caller, draft: Draft) -> Draft:
    """Sends a draft, once.

    Raises:
        AnswerLost: nobody knows whether it is sent; says how to find out.
    """
    try:
        await sending.operations.send_draft(caller, draft.id)
    except AnswerLost as error:
        if await _was_sent(sending, caller, draft):
            return replace(draft, is_draft=False)
        lost = AnswerLost(
            caller.mailbox,
            "send: no answer, and the mail is not seen in Sent Items. It may be sent or not:"
            f" look for internetMessageId {draft.internet_message_id} before it is sent again",
        )
        lost.said = error.said
        raise lost from error
    return replace(draft, is_draft=False)


async def prepared(
    sending: Sending, caller: Caller, draft: Draft, prepare: Callable[[], Awaitable[None]]
) -> None:
    """Does what a draft needs before it is sent; removes the draft where that fails."""
    try:
        await prepare()
    except ConnectorError:
        try:
            await sending.operations.discard_draft(caller, draft.id)
        except MailboxError:
            logger().warning("draft.left_behind", mailbox=caller.mailbox)
        raise


async def _was_sent(sending: Sending, caller: Caller, draft: Draft) -> bool:
    for pause in LOOKS:
        await sending.sleep(pause)
        with contextlib.suppress(MailboxUnavailable):
            found = await sending.operations.look(caller, draft.id)
            if found is not None and not found.is_draft:
                return True
    return False


def _nothing_sent(caller: Caller, error: AnswerLost) -> MailboxUnavailable:
    failed = MailboxUnavailable(caller.mailbox, f"{error.what}. Nothing is sent")
    failed.said = error.said
    return failed
