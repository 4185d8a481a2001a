"""What sends need from outside, and what they answer."""

from __future__ import annotations

import asyncio
import contextlib
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.errors import (
    AnswerLost,
    ConnectorError,
    Refusal,
    SendRefused,
    StorageUnavailable,
)
from shared.outbound_ports import Draft, MailOperations, SendCounts
from shared.ports import Clock, Documents
from shared.workflows.concurrency import for_each

COUNTED_AT_ONCE = 16
"""Recipients of one mail that are counted at the same time."""

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """For whom a mail was counted, and in which hour."""

    hour: datetime
    addresses: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """All that sends need.

    Args:
        operations: the mailboxes.
        documents: attachments by id.
        counts: what each recipient has got.
        clock: the time.
        most_per_hour: mails that one recipient may get in an hour, over all mailboxes; 0: any.
        unlimited: addresses that may get more: archives and journals.
        sleep: how to wait between looks at a mail whose answer was lost; tests need not.
        begins: called right before a mail is handed over: from then on it may be sent.
    """

    operations: MailOperations
    documents: Documents
    counts: SendCounts
    clock: Clock
    most_per_hour: int
    unlimited: Collection[str] = ()
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    begins: Callable[[], None] = lambda: None

    @contextlib.asynccontextmanager
    async def counted(self, recipients: Iterable[str]) -> AsyncIterator[None]:
        """Counts a mail while it is sent, and takes that back where it certainly was not.

        Raises:
            SendRefused: as `count` does.
            StorageUnavailable: likewise.
        """
        counted = await self.count(recipients)
        try:
            yield
        except AnswerLost:
            raise
        except ConnectorError:
            await self.take_back(counted)
            raise

    async def count(self, recipients: Iterable[str]) -> Counted:
        """Counts a mail for each recipient, or for none.

        Raises:
            SendRefused: one has got as many as the setting allows.
            StorageUnavailable: nobody can count, so nothing is sent.
        """
        now = self.clock.now()
        counted = Counted(now.replace(minute=0, second=0, microsecond=0), [])
        full = False

        async def one(address: str) -> None:
            nonlocal full
            if not full and await self.counts.add(address, counted.hour, self.most_per_hour):
                counted.addresses.append(address)
            else:
                full = True

        try:
            await for_each(one, self._limited(recipients), COUNTED_AT_ONCE)
        except StorageUnavailable:
            await self.take_back(counted)
            raise
        if full:
            await self.take_back(counted)
            raise SendRefused(
                Refusal.TOO_MANY,
                f"a recipient has got {self.most_per_hour} mails in this hour, and no more are sent"
                " to guard against loops. Look whether two robots write to each other; else raise"
                " the setting MAILS_PER_RECIPIENT_AND_HOUR, or name the address in"
                " UNLIMITED_RECIPIENTS.",
                (counted.hour + HOUR - now).total_seconds(),
            )
        return counted

    async def take_back(self, counted: Counted) -> None:
        """Undoes a count of a mail that is not sent; where nobody can, it counts for its hour."""
        with contextlib.suppress(StorageUnavailable):
            await for_each(
                lambda address: self.counts.take_back(address, counted.hour),
                counted.addresses,
                COUNTED_AT_ONCE,
            )

    def _limited(self, recipients: Iterable[str]) -> list[str]:
        """Those who count, each once."""
        if not self.most_per_hour:
            return []
        unlimited = set(map(_plain, self.unlimited))
        return [one for one in dict.fromkeys(map(_plain, recipients)) if one not in unlimited]


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
