"""Upload sessions: a file goes to Outlook part by part, and goes on where an answer was lost.

Rules of Graph: parts in order, under 4 MB, multiples of 320 KiB; their address is authorised in
itself, so they carry no Authorization, and it must get into no log.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from shared.adapters.graph.answers import UNAVAILABLE, parsed_body
from shared.adapters.graph.gate import MailboxGate
from shared.adapters.http import retry_after
from shared.domain.errors import GraphSaid, MailboxRefused, MailboxUnavailable
from shared.outbound_ports import ReadPart

PART = 12 * 320 * 1024
"""Bytes of one part."""

DEADLINE = 100.0
"""Seconds that one part may take."""

TROUBLES = 5
"""Failures in a row after which the upload is given up."""

LONGEST_PAUSE = 30.0

_CREATED = 201
_OUT_OF_STEP = 416
_POSITION = re.compile(r"(\d{1,12})")


@dataclass(frozen=True, slots=True)
class Session:
    """Where the parts of one file go.

    Args:
        mailbox: named in errors.
        url: opaque.
        size: bytes of the file.
    """

    mailbox: str
    url: str
    size: int


class Uploads:
    """Sends parts.

    Args:
        sleep: how to wait; tests need not.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._client: httpx.AsyncClient | None = None

    async def send(self, session: Session, read: ReadPart, gate: MailboxGate) -> bool:
        """Sends all parts; gives whether Outlook said that the file is attached.

        False means that the session is gone: with the file attached, or without.

        Raises:
            MailboxUnavailable: given up after troubles in a row.
            MailboxRefused: Outlook does not take a part.
        """
        position, troubles = 0, 0
        while position < session.size:
            part = await read(position, min(PART, session.size - position))
            response = await self._put(session, position, part, gate)
            if response is not None and response.is_success:
                if response.status_code == _CREATED:
                    return True
                following = _following(parsed_body(response.content), position + len(part))
                troubles = 0 if following > position else troubles + 1
                position = following
            else:
                troubles += 1
                self._check(session, response, troubles)
                await self._sleep(_pause(response, troubles))
                at = await self._look(session, gate)
                if at is None:
                    return False
                position = at
            if troubles >= TROUBLES:
                raise MailboxUnavailable(session.mailbox, "upload: no part gets through")
        return False

    async def close(self) -> None:
        """Closes connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _put(
        self, session: Session, position: int, part: bytes, gate: MailboxGate
    ) -> httpx.Response | None:
        """Sends one part; None where no answer came."""
        last = position + len(part) - 1
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {position}-{last}/{session.size}",
        }
        return await self._request("PUT", session, gate, content=part, headers=headers)

    async def _look(self, session: Session, gate: MailboxGate) -> int | None:
        """Where Outlook wants to go on; None where it does not know the session (any more)."""
        response = await self._request("GET", session, gate)
        if response is None or not response.is_success:
            return None
        return _following(parsed_body(response.content), 0)

    async def _request(
        self, method: str, session: Session, gate: MailboxGate, **options: Any
    ) -> httpx.Response | None:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=httpx.Timeout(DEADLINE, connect=10.0))
        try:
            async with gate.enter(), asyncio.timeout(DEADLINE):
                return await self._client.request(method, session.url, **options)
        except (httpx.HTTPError, TimeoutError):
            return None

    @staticmethod
    def _check(session: Session, response: httpx.Response | None, troubles: int) -> None:
        """Raises where going on is of no use."""
        if response is None:
            if troubles >= TROUBLES:
                raise MailboxUnavailable(session.mailbox, "upload: no answer")
            return
        status = response.status_code
        if status in UNAVAILABLE:
            wait = retry_after(response.headers)
            if troubles >= TROUBLES or (wait or 0.0) > LONGEST_PAUSE:
                raise MailboxUnavailable(session.mailbox, f"upload: answered {status}", wait)
        elif status not in {_OUT_OF_STEP, 404, 410}:
            error = MailboxRefused(session.mailbox, f"upload: answered {status}")
            error.said = GraphSaid(status)
            raise error


def _following(state: Mapping[str, Any], otherwise: int) -> int:
    """The first byte that is still wanted: Outlook writes ``2097152``, and ``0-`` at first."""
    ranges = state.get("nextExpectedRanges") or state.get("NextExpectedRanges") or ()
    found = _POSITION.match(str(ranges[0])) if ranges else None
    return int(found[1]) if found else otherwise


def _pause(response: httpx.Response | None, troubles: int) -> float:
    asked = retry_after(response.headers) if response is not None else None
    return asked if asked is not None else min(0.5 * 2.0**troubles, LONGEST_PAUSE)
