"""One attempt at one send of the outbox: from its draft to its end, or to its next attempt.

Only the draft whose id is stored is ever sent, by a write that fails if somebody else has written
since; and with being sent it stops being a draft. So of several workers one sends, and whoever
comes after a crash knows what may have happened: a draft that may be there is looked for before
another is made, a mail that may be gone is looked for before it is sent again. The first attempt at
a new send needs no look, and no write before its draft.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta

from shared.domain.errors import (
    AnswerLost,
    MailboxError,
    MailboxUnavailable,
    MailNotFound,
    SendRefused,
    SignInRefused,
)
from shared.domain.outbound.graph_json import addresses
from shared.domain.outbound.outbox import (
    GIVEN_UP_AFTER,
    SETTLED_AFTER,
    UNDECIDED_FOR,
    OutboxItem,
    OutboxMessage,
    SendState,
)
from shared.domain.settlement import growing_delay
from shared.outbound_ports import Caller, Draft
from shared.telemetry import logger
from shared.workflows.outbound.fate import fate
from shared.workflows.outbound.sending import Counted
from shared.workflows.outbox import drafting
from shared.workflows.outbox.box import Outbox

_NEARLY = timedelta(seconds=1)
"""By so much a message may come before its time: clocks differ."""


class TakenOver(Exception):
    """Somebody else has gone on with the item."""


class Attempt:
    """One attempt at one send.

    Args:
        box: the outbox.
        item: the send, as it was read.
        lease: how long others leave it alone.
        is_new: whether this is the first attempt at a send for certain.

    Attributes:
        began: whether it has stored anything.
    """

    def __init__(self, box: Outbox, item: OutboxItem, lease: timedelta, *, is_new: bool) -> None:
        self._box = box
        self._item = item
        self._lease = lease
        self._is_new = is_new
        self.began = False
        self._counted: Counted | None = None
        self._count_is_stored = False
        self._operations = box.sending.operations
        self._clock = box.sending.clock
        self._caller = Caller(item.mailbox, item.credential)

    async def take(self) -> None:
        """Goes on from the state that is stored, unless it is not yet time to."""
        if self._item.state.is_final:
            await self._tidy()
            return
        wait = self._item.due_at - self._clock.now()
        if wait > _NEARLY:
            # another worker is at it, or it waits: this may be a copy, or all that is left
            await self._put(wait)
            return
        try:
            match self._item.state:
                case SendState.ACCEPTED | SendState.DRAFTING:
                    await self._draft_and_send()
                case SendState.DRAFTED:
                    await self._send()
                case _:
                    await self._write(self._taken(SendState.SENDING))
                    await self._look_and_send()
        except TakenOver:
            if not self._count_is_stored:
                await self._take_back()  # whoever goes on counts it
            raise

    async def go_on_later(self, reason: str, delay: timedelta) -> None:
        """Waits, without an attempt; fails where it has done so long."""
        wait = self._item.due_at - self._clock.now()
        if self._item.state.is_final:
            await self._tidy()
        elif wait > _NEARLY:
            await self._put(wait)
        else:
            await self._again(self._item.state, reason, delay)

    async def _draft_and_send(self) -> None:
        """Makes the draft, or finds it, and sends it."""
        before, may_have_draft = self._item.state, self._may_have_draft()
        if self._is_new and not self._item.blob:
            # nobody else is at it but for a copy of the message: the write before sending is enough
            self._item = self._taken(SendState.DRAFTING)
        else:
            await self._write(self._taken(SendState.DRAFTING))
        try:
            draft = await self._draft(before, may_have_draft=may_have_draft)
        except SendRefused as error:
            if error.retry_after is None:
                await self._fail(error.what)
            else:
                await self._again(before, error.what, timedelta(seconds=error.retry_after))
        except (MailboxUnavailable, MailNotFound, SignInRefused) as error:
            await self._unavailable(SendState.DRAFTING, error)
        except MailboxError as error:
            await self._fail(str(error))
        else:
            if draft is not None:
                await self._go_on_with(draft)

    def _may_have_draft(self) -> bool:
        """Whether an earlier attempt may have made a draft that nobody has stored."""
        if self._item.state is SendState.DRAFTING:
            return True
        # where it was touched, somebody has stored that there is no draft
        return not self._is_new and self._item.is_untouched

    async def _draft(self, before: SendState, *, may_have_draft: bool) -> Draft | None:
        """The draft, whole; None where the attempt is over without one."""
        content = await drafting.content_of(self._box, self._item)
        if content is None:
            await self._fail("the stored mail is gone from the storage")
            return None
        mail = await drafting.prepared(self._box, content)
        if not self._item.counted:
            # whoever may have made a draft and counted it may have taken that back, too
            self._counted = await self._box.sending.count(addresses(mail.message))
            self._item = replace(self._item, counted=True)
        if may_have_draft:
            known = await drafting.found(self._box, self._caller, self._item, mail)
            if known is not None:
                return known
        try:
            draft = await self._operations.create_draft(
                self._caller, mail.message, self._item.draft_key
            )
        except AnswerLost:
            raise
        except MailboxUnavailable as error:
            # certainly not made this time: it need not be looked for because of it
            await self._unavailable(before, error)
            return None
        await drafting.attach(self._box, self._caller, draft, mail)
        return draft

    async def _go_on_with(self, draft: Draft) -> None:
        """Sends a draft that was made, or ends where a person has sent it."""
        self._item = replace(
            self._item,
            draft_id=draft.id,
            internet_message_id=draft.internet_message_id,
            conversation_id=draft.conversation_id,
        )
        if draft.is_draft:
            await self._send(is_taken=True)
        else:
            await self._end_as_sent(draft)

    async def _send(self, *, is_taken: bool = False) -> None:
        """Asks Graph to send the draft, after storing that it will be asked."""
        asked_before = self._item.asked_at
        item = self._item if is_taken else self._taken(SendState.SENDING)
        now = self._clock.now()
        await self._decide(replace(item, state=SendState.SENDING, asked_at=now, updated_at=now))
        try:
            await self._operations.send_draft(self._caller, self._item.draft_id)
        except AnswerLost as error:
            await self._look_and_send(error)
        except (MailboxUnavailable, SignInRefused) as error:
            # certainly not sent this time
            self._item = replace(self._item, asked_at=asked_before)
            state = SendState.DRAFTED if asked_before is None else SendState.SENDING
            await self._unavailable(state, error)
        except MailboxError as error:
            await self._refused(error, is_first=asked_before is None)
        else:
            await self._end_as_sent()

    async def _refused(self, error: MailboxError, *, is_first: bool) -> None:
        """Fails, unless the mail is sent already, or an earlier request may have sent it."""
        try:
            found = await self._fate()
        except MailboxError:
            found = None
        if found is not None and not found.is_draft:
            await self._end_as_sent(found)
        elif found is not None and is_first:
            self._item = replace(self._item, state=SendState.DRAFTED, asked_at=None)
            await self._fail(str(error))
        else:
            await self._again(SendState.SENDING, str(error), growing_delay(self._item.attempts - 1))

    async def _look_and_send(self, error: AnswerLost | None = None) -> None:
        """Looks what became of the draft; sends it again only where nothing did, for long enough.

        Args:
            error: where it was asked just now, why nobody knows.
        """
        try:
            found = await self._fate()
        except (MailboxUnavailable, SignInRefused) as unavailable:
            await self._unavailable(SendState.SENDING, unavailable)
            return
        except MailboxError as refused:
            await self._undecided(f"nobody can look whether it was sent: {refused}")
            return
        asked = self._asked_for()
        if found is not None and not found.is_draft:
            await self._end_as_sent(found)
        elif found is not None and asked >= SETTLED_AFTER:
            await self._send(is_taken=True)
        elif found is None and asked >= UNDECIDED_FOR:
            await self._fail("neither the draft nor the sent mail is in the mailbox")
        else:
            settles = SETTLED_AFTER - asked if found is not None else timedelta(0)
            reason = str(error) if error else "it is not seen yet whether it was sent"
            delay = max(growing_delay(self._item.attempts - 1), settles)
            await self._again(SendState.SENDING, reason, min(delay, UNDECIDED_FOR))

    async def _undecided(self, reason: str) -> None:
        """Looks again later, as long as a mail is looked for."""
        if self._asked_for() >= UNDECIDED_FOR:
            await self._fail(reason)
        else:
            delay = growing_delay(self._item.attempts - 1)
            await self._again(SendState.SENDING, reason, min(delay, UNDECIDED_FOR))

    def _asked_for(self) -> timedelta:
        """How long ago Graph was asked to send the draft."""
        return self._clock.now() - (self._item.asked_at or self._item.updated_at)

    async def _fate(self) -> Draft | None:
        item = self._item
        draft = Draft(item.draft_id, item.internet_message_id, item.conversation_id)
        return await fate(self._operations, self._caller, draft, item.draft_key)

    async def _unavailable(self, state: SendState, error: MailboxError) -> None:
        asked = error.retry_after if isinstance(error, MailboxUnavailable) else None
        delay = max(growing_delay(self._item.attempts - 1), timedelta(seconds=asked or 0))
        await self._again(state, str(error), delay)

    async def _again(self, state: SendState, reason: str, delay: timedelta) -> None:
        """Stores that it waits, then queues it once more; fails where it has been tried so long."""
        now = self._clock.now()
        self._item = replace(self._item, state=state)
        if now - self._item.accepted_at >= GIVEN_UP_AFTER:
            await self._fail(
                f"{reason}; given up after {GIVEN_UP_AFTER.total_seconds() / 3600:g} h"
            )
            return
        await self._write(self._item.waiting(state, now, now + delay, reason))
        await self._put(delay)
        logger().warning(
            "send.postponed",
            reason=reason,
            state=state.value,
            delay=delay.total_seconds(),
            attempts=self._item.attempts,
        )

    async def _end_as_sent(self, found: Draft | None = None) -> None:
        if found is not None and found.internet_message_id:
            self._item = replace(self._item, internet_message_id=found.internet_message_id)
        await self._write(self._item.ended(SendState.SENT, self._clock.now()))
        await self._tidy()

    async def _fail(self, why: str) -> None:
        """Ends it; a draft that was certainly never asked to be sent is removed."""
        item = self._item
        await self._write(item.failed(self._clock.now(), why))
        logger().error("send.failed", reason=self._item.reason)
        if item.asked_at is None:
            await self._take_back()
            if item.draft_id:
                with contextlib.suppress(MailboxError):
                    await self._operations.discard_draft(self._caller, item.draft_id)
        await self._tidy()

    async def _take_back(self) -> None:
        """Counts the mail no more, where this attempt has counted it."""
        if self._counted is not None:
            counted, self._counted = self._counted, None
            await self._box.sending.take_back(counted)

    async def _decide(self, item: OutboxItem) -> None:
        """Stores which draft is sent: the first one that is stored, whoever has made it.

        Whoever else has changed the item meanwhile, recovery or another worker, finds it changed in
        turn. Only where another draft is stored, or the end, is this one removed: nobody sends it
        any more.
        """
        while True:
            try:
                await self._write(item)
            except TakenOver:
                known = await self._box.table.read(item.id)
                if known is None or known.draft_id == item.draft_id:
                    raise
                if known.draft_id or known.state.is_final:
                    with contextlib.suppress(MailboxError):
                        await self._operations.discard_draft(self._caller, item.draft_id)
                    raise
                attempts = max(known.attempts, item.attempts)
                item = replace(item, attempts=attempts, version=known.version)
            else:
                return

    async def _tidy(self) -> None:
        """Removes what the item left beside the table. It is at its end."""
        if self._item.blob:
            await self._box.contents.remove(self._item.blob)

    def _taken(self, state: SendState) -> OutboxItem:
        now = self._clock.now()
        return self._item.taken(state, now, now + self._lease)

    async def _write(self, item: OutboxItem) -> None:
        written = await self._box.table.write(item)
        if written is None:
            raise TakenOver
        self.began = True
        self._item = written
        self._count_is_stored = written.counted

    async def _put(self, delay: timedelta) -> None:
        message = OutboxMessage(mailbox=self._item.mailbox, key=self._item.key)
        await self._box.queue.put(message, delay)
