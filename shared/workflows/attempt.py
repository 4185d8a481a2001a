"""One attempt at a delivery: hand the mail over, settle what came of it, act in the mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

from shared.domain.delivery import Delivery, State
from shared.domain.envelope import INLINE_BYTES, Envelope
from shared.domain.errors import AnswerTooLarge, MailboxError, MailboxUnavailable, MailNotFound
from shared.domain.mail import Mail, completed, mail_from_graph
from shared.domain.settlement import (
    DeadLetter,
    PostProcessNow,
    Retry,
    accepted,
    growing_delay,
    settle,
)
from shared.domain.subscription import (
    Operation,
    Polling,
    PostProcess,
    ReadSubscription,
    Subscription,
)
from shared.ports import MailboxAddress, Ports
from shared.telemetry import annotate, logger, span
from shared.telemetry.metrics import delivery_saved
from shared.workflows.documents import Keeping
from shared.workflows.hand_over import hand_over, judge

LARGE_ATTACHMENTS = 16 * 1024 * 1024
"""Bytes of attachments from which a mail has :data:`LONG_DEADLINE`."""

LONG_DEADLINE = timedelta(minutes=20)

PAUSED_DELAY = timedelta(minutes=1)
"""How long a delivery waits whose subscription is switched off or invalid."""

REMOVED_AFTER = timedelta(hours=24)
"""Age of a delivery at which a row that is missing counts as removed: it may be on its way back."""

LARGE_AT_ONCE = 4
"""Mails held at once that did not travel inline: each may have many megabytes."""

ROOM_PATIENCE = timedelta(minutes=1)
"""How long a mail waits for room in memory before it goes back to the queue."""

_large_mails = asyncio.Semaphore(LARGE_AT_ONCE)


class Attempt:
    """One attempt at one delivery; :meth:`take` runs it.

    Args:
        envelope: the queue message.
        delivery: what the ledger says of it.
        subscriptions: all rows as they are now, by name.
        ports: the world outside.
        keeping: how documents are kept.
        time: the deadline, which a mail with large attachments may move.
    """

    def __init__(  # noqa: PLR0917 - what one attempt needs
        self,
        envelope: Envelope,
        delivery: Delivery,
        subscriptions: Mapping[str, ReadSubscription],
        ports: Ports,
        keeping: Keeping,
        time: asyncio.Timeout,
    ) -> None:
        self._keeping = keeping
        self._time = time
        self._envelope = envelope
        self._delivery = self._saved = delivery
        self._subscriptions = subscriptions
        self._ports = ports
        self._mail: Mail | None = completed(envelope.mail) if envelope.mail else None
        self._categories: Sequence[str] | None = None

    async def take(self) -> None:
        """Delivers what is not accepted yet, then post-processes, unless something forbids it."""
        wanted = left = self._delivery.subscriptions
        if self._ports.clock.now() - self._delivery.claimed_at >= REMOVED_AFTER:
            left = tuple(name for name in wanted if name in self._subscriptions)
        if not left:
            await self._end_as_dead(f"{', '.join(wanted)}: the subscription was removed")
            return
        # one that was removed gets no mail any more; the others still do
        self._delivery = replace(self._delivery, subscriptions=left)
        active = {
            name: one
            for name in left
            if isinstance(one := self._subscriptions.get(name), Subscription) and one.enabled
        }
        if not active:
            await self._pause(left)
            return
        try:
            if self._delivery.state is State.CLAIMED and not await self._deliver_in_turn(active):
                return
            await self._post_process(active)
        except MailNotFound as error:
            await self._end_as_dead(str(error))
        except AnswerTooLarge as error:
            await self._end_as_dead(str(error), active)
        except MailboxError as error:
            await self._mailbox_failed(error, active)

    async def _deliver_in_turn(self, members: Mapping[str, Subscription]) -> bool:
        """Delivers; a mail that may be large waits until there is room for it in memory."""
        if self._mail is not None:
            return await self._deliver(members)
        async with AsyncExitStack() as room:
            try:
                async with asyncio.timeout(ROOM_PATIENCE.total_seconds()):
                    await room.enter_async_context(_large_mails)
            except TimeoutError:
                await self._again(PAUSED_DELAY, "waited for room in memory", counts=False)
                return False
            mail = await self._whole_mail(members)
            if len(mail["body"]) < INLINE_BYTES:
                await room.aclose()  # it is small after all, as most that are recovered
            delivered = await self._deliver(members)
            self._mail = None
        return delivered

    async def _deliver(self, members: Mapping[str, Subscription]) -> bool:
        """Hands the mail to every target that has not accepted it. Gives whether all have now.

        Those whose subscription is switched off or invalid keep nobody waiting but the mail's end.
        """
        waiting = [name for name in self._delivery.waiting if name in members]
        paused = [name for name in self._delivery.waiting if name not in members]
        if paused and not waiting:
            await self._pause(paused)
            return False
        mail = await self._whole_mail(members)
        self._categories = mail["categories"]
        judged = await judge(mail, {name: members[name] for name in waiting}, self._delivery)
        nobody = not (judged.matched or judged.failed or paused or self._delivery.accepted_by)
        if nobody:
            await self._end_as_unmatched(judged.unmatched, members)
            return False
        if not await self._allow_time(mail):
            return False
        longest = max((one.retry for one in judged.matched.values()), default=timedelta(0))
        outcomes = {
            **judged.failed,
            **await hand_over(
                mail,
                judged.matched,
                self._delivery,
                self._envelope.traceparent,
                self._ports,
                self._keeping,
                patient=self._tried_for() < longest / 2,
            ),
        }
        now = self._ports.clock.now()
        self._delivery = self._delivery.without(judged.unmatched).with_acceptances(
            accepted(outcomes), now
        )
        settlement = settle(
            outcomes,
            {name: members[name].retry for name in outcomes},
            self._delivery.attempts,
            self._tried_for(),
        )
        if paused and not isinstance(settlement, Retry):
            await self._pause(paused)
            return False
        match settlement:
            case PostProcessNow():
                # what follows may take as long again
                self._envelope = replace(self._envelope, first_tried_at=None)
                self._delivery = replace(self._delivery, due_at=now, reason="")
                await self._save(self._delivery)
                return True
            case Retry(delay, reason, counts):
                await self._again(delay, reason, counts=counts)
            case DeadLetter(reason):
                await self._end_as_dead(reason, members)
        return False

    def _tried_for(self) -> timedelta:
        now = self._ports.clock.now()
        return now - (self._envelope.first_tried_at or now)

    async def _allow_time(self, mail: Mail) -> bool:
        """Gives a mail with large attachments more time, and tells recovery so.

        Returns:
            False where a copy of the envelope has brought the delivery further meanwhile.
        """
        size = sum(attachment["size"] for attachment in mail["attachments"])
        if size < LARGE_ATTACHMENTS:
            return True
        if await self._somebody_was_faster():
            return False
        self._time.reschedule(asyncio.get_running_loop().time() + LONG_DEADLINE.total_seconds())
        until = self._ports.clock.now() + LONG_DEADLINE
        await self._ports.ledger.save(replace(self._delivery, due_at=until))
        return True

    async def _whole_mail(self, members: Mapping[str, Subscription]) -> Mail:
        """The mail: from the envelope, its blob, or the mailbox.

        Raises:
            MailNotFound: it is nowhere.
        """
        if self._mail is None:
            kept = await self._ports.emails.mail_of(self._envelope)
            self._mail = completed(kept) if kept else None
        if self._mail is None:
            polling = _polling(members)
            fetched = await self._ports.mailboxes.fetch_messages(
                self._address(polling), [self._delivery.mail_id], polling.body_format
            )
            if not fetched:
                raise MailNotFound(
                    self._delivery.mailbox,
                    "the mail was removed from the mailbox before it was delivered",
                )
            self._mail = mail_from_graph(fetched[0])
        return self._mail

    async def _end_as_unmatched(
        self, why: Mapping[str, str], members: Mapping[str, Subscription]
    ) -> None:
        """Ends the delivery of a mail that activates nothing; acts on the mail if that is asked."""
        reason = "; ".join(f"{name}: {one}" for name, one in sorted(why.items()))
        if any(members[name].correlation.consume_unmatched for name in why):
            note = await self._act(members)
            reason = "; ".join(filter(None, (reason, "post-processed all the same", note)))
        now = self._ports.clock.now()
        await self._save(self._delivery.ended(State.UNMATCHED, now, reason))
        logger().info("delivery.unmatched", reason=reason)
        await self._ports.emails.discard(self._envelope)

    async def _post_process(self, members: Mapping[str, Subscription]) -> None:
        """Acts on the mail in the mailbox, now that its acceptance is recorded."""
        with span("post-process"):
            note = await self._act(members)
        now = self._ports.clock.now()
        done = self._delivery.ended(State.DONE, now, note)
        await self._save(done)
        age, attempts = (now - done.received_at).total_seconds(), done.attempts + 1
        logger().info("delivery.done", subscriptions=done.accepted_by, attempts=attempts, age=age)
        await self._ports.emails.discard(self._envelope)

    async def _act(self, members: Mapping[str, Subscription]) -> str:
        """Does the mailbox operations; gives a note for a person, mostly empty."""
        polling = _polling(members)
        actions = polling.post_process
        try:
            categories: Sequence[str] = ()
            if Operation.CATEGORIZE in actions.operations:
                if self._categories is None:
                    self._categories = (await self._whole_mail(members))["categories"]
                categories = self._categories
            return await self._ports.mailboxes.post_process(
                self._address(polling), self._delivery.mail_id, actions, categories
            )
        except MailNotFound:
            return "somebody else had removed the mail from the mailbox"

    async def _mailbox_failed(
        self, error: MailboxError, members: Mapping[str, Subscription]
    ) -> None:
        """Tries again later: a throttled mailbox recovers, and a permission can be corrected."""
        longest = max(subscription.retry for subscription in members.values())
        if self._tried_for() >= longest:
            accepted = self._delivery.state is State.ACCEPTED
            what = "accepted, but not post-processed" if accepted else "not delivered"
            await self._end_as_dead(f"{what}: {error}; given up after {longest}", members)
            return
        asked = error.retry_after if isinstance(error, MailboxUnavailable) else None
        delay = max(growing_delay(self._delivery.attempts), timedelta(seconds=asked or 0))
        await self._again(delay, str(error))

    async def _pause(self, names: Sequence[str]) -> None:
        """Waits for a person; that does not count as trying."""
        self._envelope = replace(self._envelope, first_tried_at=None)
        reason = f"{', '.join(sorted(names))}: disabled, invalid or removed"
        await self._again(PAUSED_DELAY, reason, counts=False)

    async def _again(self, delay: timedelta, reason: str, *, counts: bool = True) -> None:
        """Queues the envelope once more, then records that."""
        if await self._somebody_was_faster():
            return
        now = self._ports.clock.now()
        envelope = self._envelope
        if counts:
            envelope = replace(envelope, first_tried_at=envelope.first_tried_at or now)
        await self._ports.emails.put(envelope, delay)
        postponed = self._delivery.postponed(now + delay, now, reason, counts=counts)
        await self._save(postponed)
        annotate(outcome="postponed")
        logger().warning(
            "delivery.postponed",
            reason=reason,
            delay=delay.total_seconds(),
            attempts=postponed.attempts,
        )

    async def _end_as_dead(
        self, reason: str, members: Mapping[str, Subscription] | None = None
    ) -> None:
        """Moves the mail aside where that is asked for, then records the dead letter.

        In this order, for a crash between the two repeats both.
        """
        if await self._somebody_was_faster():
            return
        polling = _polling(members) if members else None
        if polling is not None and polling.on_dead is not None:
            aside = PostProcess((Operation.MOVE,), polling.on_dead, create_folder=True)
            try:
                await self._ports.mailboxes.post_process(
                    self._address(polling), self._delivery.mail_id, aside, ()
                )
            except MailboxError as error:
                reason = f"{reason}; nor could it be moved aside: {error}"
        now = self._ports.clock.now()
        await self._save(self._delivery.ended(State.DEAD, now, reason))
        logger().error("delivery.dead", reason=reason)
        await self._ports.emails.discard(self._envelope)

    async def _somebody_was_faster(self) -> bool:
        """Whether a copy of the envelope has brought the delivery further; this one is dropped."""
        known = await self._ports.ledger.read(self._delivery.key)
        if known is not None and known.state is self._delivery.state:
            return False
        if known is None or known.state.is_final:
            await self._ports.emails.discard(self._envelope)
        return True

    async def _save(self, delivery: Delivery) -> None:
        """Records how far the delivery has come."""
        await self._ports.ledger.save(delivery)
        delivery_saved(self._saved, delivery)
        # of the rest the names are those that the mail was claimed for
        self._saved = replace(self._saved, accepted_by=delivery.accepted_by)
        annotate(outcome=delivery.state)

    def _address(self, polling: Polling) -> MailboxAddress:
        return MailboxAddress(polling.credential, self._delivery.mailbox)


def _polling(members: Mapping[str, Subscription]) -> Polling:
    """What the subscriptions of one source agree in."""
    return members[min(members)].polling
