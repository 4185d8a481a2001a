"""Polling one source: take its lease, list new mail, claim it in the ledger, queue it.

The list is walked oldest first, and each page is a new query that starts where the last page
ended. A next link would carry a position in a list that shrinks while earlier mail is acted upon.
A page full of one second is no step forward: then all ids of that second are listed at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain import odata
from shared.domain.errors import (
    AnswerTooLarge,
    ConnectorError,
    FolderNotFound,
    MailboxUnavailable,
    SignInRefused,
)
from shared.domain.mail import received_at
from shared.domain.schedule import Interval
from shared.domain.source import Source, SourceState
from shared.ports import MailboxAddress, Page, Ports
from shared.telemetry import bound, frames, logger, span
from shared.telemetry.metrics import poll_failed
from shared.workflows.intake import take_in, take_in_by_id

IDS_A_PAGE = 1000
SECOND = timedelta(seconds=1)
PURGE_INTERVAL = timedelta(days=1)
GRACE = timedelta(seconds=20)
"""How long the page at hand may take after a poll's time: one mailbox must not hold the timer."""

BY_ID_AFTER = 3
"""Polls that fail in a row before mail is listed by id: a single mail may spoil the whole page."""

LONGEST_PAUSE = timedelta(minutes=5)
"""The most that a source waits after failures, if Graph does not ask for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollLimits:
    """How polling behaves; from the app settings.

    Args:
        page_size: mails that one request lists.
        lease_time: how long a source is kept without a sign of life.
        sweep_interval: how often the whole folder is compared with the ledger.
        retention: how long ended deliveries are remembered after their mail was last seen.
    """

    page_size: int
    lease_time: timedelta
    sweep_interval: timedelta
    retention: timedelta


class LeaseLost(ConnectorError):
    """Another worker has taken the source: this one stops at once."""


class Lease:
    """One worker's hold on a source, and the source's state while it holds it."""

    def __init__(self, ports: Ports, state: SourceState, lease_time: timedelta) -> None:
        self.state = state
        self._ports = ports
        self._lease_time = lease_time

    async def keep(self, state: SourceState) -> None:
        """Stores the state and holds the source for longer.

        Raises:
            LeaseLost: somebody else stored a state meanwhile.
        """
        until = self._ports.clock.now() + self._lease_time
        await self._store(replace(state, lease_until=until))

    async def release(self, state: SourceState) -> None:
        """Stores the state and lets the source go."""
        await self._store(replace(state, lease_until=odata.BEGINNING))

    async def _store(self, state: SourceState) -> None:
        stored = await self._ports.sources.write(state)
        if stored is None:
            raise LeaseLost(f"source {state.id}: another worker has it now")
        self.state = stored


async def poll_source(source: Source, ports: Ports, limits: PollLimits, until: datetime) -> bool:
    """Polls one source, if it is due and free.

    Whatever goes wrong is kept in the source's state, where an operator sees it, and ends only
    this poll.

    Args:
        source: what to poll.
        ports: the world outside.
        limits: how to poll.
        until: when to stop after the page at hand; what is left is for the next poll.

    Returns:
        whether there is more to be polled at once.
    """
    with bound(source=source.id, mailbox=source.polling.mailbox):
        now, mailbox = ports.clock.now(), source.polling.mailbox
        lease: Lease | None = None
        try:
            state = await ports.sources.read(source.id)
            if not state.is_due(now):
                return False
            source = replace(source, predecessors=state.predecessors)
            lease = Lease(ports, state, limits.lease_time)
            await lease.keep(replace(state, mailbox=mailbox, subscriptions=source.subscriptions))
            names = source.subscriptions
            with span("poll", source=source.id, subscription=names, mailbox=mailbox):
                async with asyncio.timeout((until - now + GRACE).total_seconds()):
                    complete = await _Poll(source, lease, ports, limits, until).run()
            failures = lease.state.failures
            await lease.release(_succeeded(lease.state, source, now, complete=complete))
            if failures:
                logger().info("poll.recovered", failures=failures)
        except LeaseLost:
            logger().info("poll.lease_lost")
            return False
        except TimeoutError:
            slow = MailboxUnavailable(mailbox, f"not answered within {until - now + GRACE}")
            await _report_failure(lease, source, now, slow)
            return False
        except Exception as error:  # noqa: BLE001 - one source never stops another
            await _report_failure(lease, source, now, error)
            return False
        return not complete


class _Poll:
    """The poll of one source, while its lease is held."""

    def __init__(
        self, source: Source, lease: Lease, ports: Ports, limits: PollLimits, until: datetime
    ) -> None:
        self._source = source
        self._address = MailboxAddress(source.polling.credential, source.polling.mailbox)
        self._lease = lease
        self._ports = ports
        self._limits = limits
        self._until = until

    async def run(self) -> bool:
        """Lists what is new, then sweeps if that is due. Gives whether all of it was done."""
        if not self._lease.state.folder_id or self._sweep_is_due():
            # a folder that was deleted keeps its id, in Deleted Items: the path decides
            await self._find_folder()
        try:
            return await self._list_new() and await self._sweep_if_due()
        except FolderNotFound:
            # it may have been deleted for good and made anew
            await self._find_folder()
            return await self._list_new() and await self._sweep_if_due()

    async def _find_folder(self) -> None:
        self._lease.state = replace(self._lease.state, folder_id="")
        folder = self._source.polling.folder
        folder_id = await self._ports.mailboxes.find_folder(self._address, folder)
        self._lease.state = replace(self._lease.state, folder_id=folder_id)

    async def _list_new(self) -> bool:
        """Takes in what was received since the watermark, which never runs ahead of the time."""
        now = self._ports.clock.now()
        return await self._walk(
            self._lease.state.watermark,
            lambda state, position: replace(state, watermark=min(position, now)),
            by_id=self._lease.state.failures >= BY_ID_AFTER,
        )

    async def _sweep_if_due(self) -> bool:
        """Compares the whole folder with the ledger, for mail that came in behind the watermark."""
        now, state = self._ports.clock.now(), self._lease.state
        if state.swept_at == odata.BEGINNING and state.sweep_position == odata.BEGINNING:
            # a source's first poll has just listed the whole folder
            self._lease.state = replace(state, swept_at=now)
            return True
        if not self._sweep_is_due():
            return True
        complete = await self._walk(
            state.sweep_position,
            lambda state, position: replace(state, sweep_position=position),
            by_id=True,
        )
        if complete:
            self._lease.state = replace(
                self._lease.state, swept_at=now, sweep_position=odata.BEGINNING
            )
            await self._forget()
        return complete

    async def _forget(self) -> None:
        """Once a day, forgets deliveries that ended long ago.

        Only after a sweep, which has renewed the memory of mail that is still listed: of a source
        that is not swept, mail that was handled long ago may be listed again.
        """
        now, state = self._ports.clock.now(), self._lease.state
        if state.purged_at + PURGE_INTERVAL > now:
            return
        purged = await self._ports.ledger.purge(state.id, now - self._limits.retention)
        self._lease.state = replace(state, purged_at=now)
        if purged:
            logger().info("ledger.purged", deliveries=purged)

    def _sweep_is_due(self) -> bool:
        interval = self._limits.sweep_interval
        return self._lease.state.swept_at + interval <= self._ports.clock.now()

    async def _walk(
        self,
        position: datetime,
        progress: Callable[[SourceState, datetime], SourceState],
        *,
        by_id: bool,
    ) -> bool:
        """Takes in all mail from a position on, page by page; gives whether it got to the end.

        Args:
            position: a time of receipt.
            progress: puts a position that was reached into the state.
            by_id: lists ids only and fetches the mails that the ledger does not know.
        """
        link: str | None = None
        while True:
            try:
                page = await self._list(position, link, by_id=by_id)
            except AnswerTooLarge:
                if by_id:
                    raise
                by_id, link = True, None
                continue
            if by_id:
                if not await self._take_in_by_id(page):
                    return False  # the ledger knows how far it came
            else:
                await take_in(self._source, page.messages, self._ports)
            position, link = _after(position, page)
            self._lease.state = progress(self._lease.state, position)
            if link is not None and page.messages and not by_id:
                if not await self._take_in_second(position):
                    return False
                position, link = position + SECOND, None
                continue
            if page.next_link is None:
                return True
            if not await self._goes_on():
                return False

    async def _take_in_second(self, second: datetime) -> bool:
        """Takes in all mail of one second that fills a page, in one look at its ids.

        A next link would jump over mail when that before it is acted upon meanwhile. Only where the
        ids do not fit into one page either has it to be followed; the sweep finds what it misses.
        """
        condition = self._source.polling.condition
        query = odata.id_listing(second, condition, IDS_A_PAGE, before=second + SECOND)
        link: str | None = None
        while True:
            page = await self._ask(query, link)
            if not await self._take_in_by_id(page):
                return False
            link = page.next_link
            if link is None:
                return await self._goes_on()

    async def _take_in_by_id(self, page: Page) -> bool:
        retention = self._limits.retention
        return await take_in_by_id(
            self._source, page.messages, self._ports, retention, self._goes_on
        )

    async def _goes_on(self) -> bool:
        """Stores the progress and keeps the lease; gives whether there is time for more."""
        await self._lease.keep(self._lease.state)
        return self._ports.clock.now() < self._until

    async def _list(self, position: datetime, link: str | None, *, by_id: bool) -> Page:
        polling = self._source.polling
        if by_id:
            query = odata.id_listing(position, polling.condition, IDS_A_PAGE)
        else:
            query = odata.listing(position, polling.condition, self._limits.page_size)
        return await self._ask(query, link)

    async def _ask(self, query: Mapping[str, str], link: str | None) -> Page:
        return await self._ports.mailboxes.list_messages(
            self._address,
            self._lease.state.folder_id,
            query,
            self._source.polling.body_format,
            link,
        )


def _after(position: datetime, page: Page) -> tuple[datetime, str | None]:
    """Where to go on after a page: from its last mail, or by its link if that is no step forward.

    Times are whole seconds, so a page may be full of one second; or empty, yet not the last.
    """
    reached = max((received_at(message) for message in page.messages), default=position)
    if reached > position:
        return reached, None
    return position, page.next_link


def _succeeded(state: SourceState, source: Source, now: datetime, *, complete: bool) -> SourceState:
    next_poll_at = source.polling.schedule.next_after(now) if complete else now
    return replace(state, polled_at=now, next_poll_at=next_poll_at, failures=0, error="")


async def _report_failure(
    lease: Lease | None, source: Source, now: datetime, error: Exception
) -> None:
    """Keeps why a poll failed, and puts the next one off: the longer, the more failed in a row."""
    expected = isinstance(error, ConnectorError)
    reason = str(error) if expected else f"unexpected {type(error).__name__}; the log says more"
    failures = 1 if lease is None else lease.state.failures + 1
    credential = source.polling.credential
    # alerts tell by these whose sign-in it is: one person's, or an app's with all its mailboxes
    logger().warning(
        "poll.failed",
        reason=reason,
        frames=[] if expected else frames(error),
        failures=failures,
        kind="sign-in" if isinstance(error, SignInRefused) else "other",
        account=credential.account,
        app="/".join(filter(None, (credential.tenant_id, credential.client_id))) or "default",
    )
    poll_failed(source.subscriptions)
    if lease is None:
        return
    state = lease.state
    schedule = source.polling.schedule
    pause = schedule.every if isinstance(schedule, Interval) else timedelta(minutes=1)
    pause = max(pause, min(pause * (1 << min(failures - 1, 8)), LONGEST_PAUSE))
    if isinstance(error, MailboxUnavailable) and error.retry_after is not None:
        pause = max(pause, timedelta(seconds=error.retry_after))
    failed = replace(
        state, polled_at=now, next_poll_at=now + pause, failures=failures, error=reason
    )
    try:
        await lease.release(failed)
    except ConnectorError as unreported:
        # the lease ends by itself; the log above has the reason
        logger().warning("poll.failure_not_stored", reason=str(unreported))
