"""The sure way of sending: a draft with a key, its files, then its sending.

Where an answer is lost, a look at the mailbox tells what happened; nothing is done twice. A draft
that is not sent is removed, whatever ends the work on it, unless its sending has begun.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace

from shared.domain.errors import AnswerLost, MailboxError, MailboxUnavailable, MailNotFound
from shared.outbound_ports import Caller, Draft
from shared.telemetry import logger
from shared.workflows.outbound.fate import fate
from shared.workflows.outbound.parts import LARGEST_POST, Part
from shared.workflows.outbound.sending import Sending

LOOKS = (0.0, 1.0, 3.0, 6.0)
"""Seconds before each look for a mail whose sending was not answered."""

REMOVALS = 3
"""Tries to remove a draft."""

LONGEST_PAUSE = 300.0
"""Seconds that Graph may ask to wait before a removal."""

WAITED_FOR = 5.0
"""Seconds that a removal is waited for; then it goes on by itself."""

_removals: set[asyncio.Task[None]] = set()  # held here, or they would be collected


async def made(
    sending: Sending, caller: Caller, key: str, make: Callable[[], Awaitable[Draft]]
) -> Draft:
    """Makes a draft, and finds it by its key where the answer was lost.

    Raises:
        MailboxUnavailable: there is none; nothing is sent, and the same may be tried again.
    """
    making = asyncio.ensure_future(_made(sending, caller, key, make))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        await _in_any_case(_remove_when_made(sending, caller, making))
        raise


async def attach(sending: Sending, caller: Caller, draft: Draft, parts: Sequence[Part]) -> None:
    """Attaches files to a draft, one after the other: small ones at once, large ones in parts.

    Raises:
        MailboxUnavailable: it did not work; nothing is sent.
    """
    for part in parts:
        if part.size < LARGEST_POST:
            whole = await part.whole()
            try:
                await sending.operations.add_attachment(caller, draft.id, whole)
            except AnswerLost as error:  # a second try could attach it twice
                raise _nothing_sent(caller, error) from error
        else:
            await sending.operations.upload(caller, draft.id, part.upload(), part.read)


async def dispatch(sending: Sending, caller: Caller, draft: Draft, key: str) -> Draft:
    """Sends a draft, once.

    Args:
        sending: what sends need.
        caller: whose mailbox.
        draft: the mail.
        key: with which the draft was made.

    Raises:
        AnswerLost: nobody knows whether it is sent; says how to find out.
        MailboxError: it is not sent, and removed.
    """
    sending.begins()
    try:
        await sending.operations.send_draft(caller, draft.id)
    except AnswerLost as error:
        sent = await _seen_sent(sending, caller, draft, key)
        if sent is not None:
            return sent
        lost = AnswerLost(
            caller.mailbox,
            "send: no answer, and the mail is not seen in Sent Items. It may be sent or not:"
            f" look for internetMessageId {draft.internet_message_id} before it is sent again",
        )
        lost.said = error.said
        raise lost from error
    except MailboxError as error:
        await _in_any_case(_remove(sending, caller, draft, key))
        if isinstance(error, MailNotFound):
            # Graph does not see yet what it has made just now, or a person has taken it away
            raise _nothing_sent(caller, error) from error
        raise
    return replace(draft, is_draft=False)


async def prepared(
    sending: Sending, caller: Caller, draft: Draft, prepare: Callable[[], Awaitable[None]]
) -> None:
    """Does what a draft needs before it is sent; removes the draft where that fails.

    Raises:
        MailboxUnavailable: it failed, maybe with a lost answer; nothing is sent.
    """
    try:
        await prepare()
    except AnswerLost as error:
        await _in_any_case(_remove(sending, caller, draft))
        raise _nothing_sent(caller, error) from error
    except (Exception, asyncio.CancelledError):
        await _in_any_case(_remove(sending, caller, draft))
        raise


async def _made(
    sending: Sending, caller: Caller, key: str, make: Callable[[], Awaitable[Draft]]
) -> Draft:
    try:
        return await make()
    except AnswerLost as error:
        with contextlib.suppress(MailboxError):
            found = await sending.operations.find_draft(caller, key)
            if found is not None:
                return found
        raise _nothing_sent(caller, error) from error


async def _in_any_case(work: Coroutine[None, None, None]) -> None:
    """Does something to its end, even if the caller is cut off meanwhile."""
    task = asyncio.ensure_future(work)
    _removals.add(task)
    task.add_done_callback(_removals.discard)
    await asyncio.wait({task}, timeout=WAITED_FOR)


async def _remove_when_made(
    sending: Sending, caller: Caller, making: asyncio.Future[Draft]
) -> None:
    with contextlib.suppress(Exception, asyncio.CancelledError):
        await _remove(sending, caller, await making)


async def _remove(sending: Sending, caller: Caller, draft: Draft, asked_by: str = "") -> None:
    """Removes a draft.

    Args:
        sending: what sends need.
        caller: whose mailbox.
        draft: the draft.
        asked_by: its key, where it was asked to be sent: it goes only if it still is a draft, for
            a person may have sent it.
    """
    for _ in range(REMOVALS):
        pause = 1.0
        try:
            found = await _seen(sending, caller, draft, asked_by) if asked_by else draft
            if found is not None and found.is_draft:
                await sending.operations.discard_draft(caller, found.id)
            if found is not None:
                return
        except MailboxUnavailable as error:
            pause = error.retry_after or pause
            if pause > LONGEST_PAUSE:
                break
        except Exception:  # noqa: BLE001 - what is told is the failure before it
            break
        await sending.sleep(pause)
    logger().warning("draft.left_behind", mailbox=caller.mailbox)


async def _seen(sending: Sending, caller: Caller, draft: Draft, key: str) -> Draft | None:
    """A draft, or what it became, by its id or its key; None where Graph shows neither (yet)."""
    found = await sending.operations.look(caller, draft.id)
    return found or await sending.operations.find_draft(caller, key)


async def _seen_sent(sending: Sending, caller: Caller, draft: Draft, key: str) -> Draft | None:
    """The mail that a draft has become; None where it is not seen."""
    for pause in LOOKS:
        await sending.sleep(pause)
        with contextlib.suppress(MailboxError):  # a refusal to look is no verdict on the mail
            found = await fate(sending.operations, caller, draft, key)
            if found is not None and not found.is_draft:
                return replace(draft, id=found.id, is_draft=False)
    return None


def _nothing_sent(caller: Caller, error: AnswerLost | MailNotFound) -> MailboxUnavailable:
    wait = error.retry_after if isinstance(error, AnswerLost) else None
    failed = MailboxUnavailable(caller.mailbox, f"{error.what}. Nothing is sent", wait)
    failed.said = error.said
    return failed
