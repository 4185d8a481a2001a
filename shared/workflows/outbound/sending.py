"""What sends need from outside, and what they answer."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.errors import Refusal, SendRefused
from shared.outbound_ports import Draft, MailOperations, SendCounts
from shared.ports import Clock, Documents

COUNTED_AT_ONCE = 16
"""Recipients of one mail that are counted at the same time."""

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """All that sends need.

    Args:
        operations: the mailboxes.
        documents: attachments by id.
        counts: what each recipient has got.
        clock: the time.
        most_per_hour: mails that one recipient may get in an hour, over all mailboxes; 0: any.
        sleep: how to wait between looks at a mail whose answer was lost; tests need not.
        begins: called right before a mail is handed over: from then on it may be sent.
    """

    operations: MailOperations
    documents: Documents
    counts: SendCounts
    clock: Clock
    most_per_hour: int
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    begins: Callable[[], None] = lambda: None

    async def count(self, recipients: Iterable[str]) -> None:
        """Counts a mail for each recipient.

        Raises:
            SendRefused: one has got as many as the setting allows. The others stay counted: the
                cap is there against loops, in which it makes no difference.
            StorageUnavailable: nobody can count, so nothing is sent.
        """
        if not self.most_per_hour:
            return
        now = self.clock.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        free = asyncio.Semaphore(COUNTED_AT_ONCE)

        async def one(address: str) -> bool:
            async with free:
                return await self.counts.add(address, hour, self.most_per_hour)

        unique = dict.fromkeys(map(_plain, recipients))
        if not all(await asyncio.gather(*(one(address) for address in unique))):
            raise SendRefused(
                Refusal.TOO_MANY,
                f"a recipient has got {self.most_per_hour} mails in this hour, and no more are sent"
                " to guard against loops. Look whether two robots write to each other; else raise"
                " the setting MAILS_PER_RECIPIENT_AND_HOUR.",
                (hour + HOUR - now).total_seconds(),
            )


def _plain(address: str) -> str:
    """An address as it is counted, however it is written."""
    return unicodedata.normalize("NFKC", address).casefold().rstrip(".")


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail that Microsoft 365 has accepted for delivery.

    Args:
        draft: the mail as it was sent; None where it was sent in one request, which tells nothing.
        kept: whether a copy lies in Sent Items.
    """

    draft: Draft | None = None
    kept: bool = True
