"""Upload sessions: a file goes to Outlook part by part, and goes on where an answer was lost.

Rules of Graph: parts in order, under 4 MB, multiples of 320 KiB; their address is authorised in
itself, so they carry no Authorization, and it must get into no log.

A session is gone when its file is attached, and when Outlook has dropped it. Which of both tells an
attachment of its name that the draft did not have before; another session is begun only where the
last part was never sent, for what was sent may still be attached.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias

import httpx
from kiota_abstractions.method import Method

from shared.adapters.graph.answers import UNAVAILABLE, GraphAnswer, parsed_body
from shared.adapters.graph.client import GraphRequest
from shared.adapters.http import retry_after
from shared.domain.errors import GraphSaid, MailboxRefused, MailboxUnavailable
from shared.outbound_ports import ReadPart, Upload

Send: TypeAlias = Callable[[GraphRequest], Awaitable[GraphAnswer]]
"""Sends a request to Graph."""

Place: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]
"""A place at the gate of the mailbox."""

PART = 12 * 320 * 1024
"""Bytes of one part."""

DEADLINE = 100.0
"""Seconds that one part may take."""

TROUBLES = 5
"""Failures in a row after which the upload is given up."""

LONGEST_PAUSE = 30.0

SESSIONS = 3
"""Upload sessions that are tried for one file."""

LOOKS = (0.0, 2.0, 5.0, 10.0)
"""Seconds before each look for a file whose last part was not answered."""

_ATTACHMENTS = "/users/{user}/messages/{message}/attachments"

_CREATED = 201
_OUT_OF_STEP = 416
_MAY_BE_TAKEN = UNAVAILABLE - {429}
"""Statuses that do not say whether the part has come."""

_POSITION = re.compile(r"(\d{1,12})")


class _End(Enum):
    """How a session ends."""

    ATTACHED = auto()
    DROPPED = auto()
    """Without the file: its last part was never sent."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class File:
    """A file for a draft.

    Args:
        mailbox: address or id.
        draft_id: what it is attached to.
        upload: its description.
        read: gives its bytes.
    """

    mailbox: str
    draft_id: str
    upload: Upload
    read: ReadPart


@dataclass(frozen=True, slots=True)
class _Session:
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

    async def attach(self, file: File, send: Send, place: Place) -> None:
        """Attaches a file, in more than one session where Outlook drops one.

        Args:
            file: the file.
            send: sends what may be sent twice.
            place: where parts wait for their turn.

        Raises:
            MailboxUnavailable: it is not known to be attached; the draft should not be sent.
            MailboxRefused: Outlook does not take a part.
        """
        before = await _namesakes(file, send)
        for _ in range(SESSIONS):
            end = await self._send(await _begun(file, send), file.read, place)
            if end is _End.ATTACHED:
                return
            if end is _End.UNKNOWN:
                await self._wait_for(file, before, send)
                return
        raise MailboxUnavailable(file.mailbox, "upload: its sessions end before the file does")

    async def _wait_for(self, file: File, before: set[str], send: Send) -> None:
        for pause in LOOKS:
            await self._sleep(pause)
            if await _namesakes(file, send) - before:
                return
        raise MailboxUnavailable(file.mailbox, "upload: nobody knows whether its last part came")

    async def _send(self, session: _Session, read: ReadPart, place: Place) -> _End:
        position, troubles, last_was_sent = 0, 0, False
        while position < session.size:
            part = await read(position, min(PART, session.size - position))
            response = await self._put(session, position, part, place)
            if response is None or response.status_code in _MAY_BE_TAKEN:
                last_was_sent |= position + len(part) >= session.size
            if response is not None and response.is_success:
                if response.status_code == _CREATED:
                    return _End.ATTACHED
                following = _following(parsed_body(response.content), position + len(part))
                troubles = 0 if following > position else troubles + 1
                position = following
            else:
                troubles += 1
                self._check(session, response, troubles)
                await self._sleep(_pause(response, troubles))
                at = await self._look(session, place)
                if at is None:
                    return _End.UNKNOWN if last_was_sent else _End.DROPPED
                position = at
            if troubles >= TROUBLES:
                raise MailboxUnavailable(session.mailbox, "upload: no part gets through")
        return _End.UNKNOWN

    async def close(self) -> None:
        """Closes connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _put(
        self, session: _Session, position: int, part: bytes, place: Place
    ) -> httpx.Response | None:
        """Sends one part; None where no answer came."""
        last = position + len(part) - 1
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {position}-{last}/{session.size}",
        }
        return await self._request("PUT", session, place, content=part, headers=headers)

    async def _look(self, session: _Session, place: Place) -> int | None:
        """Where Outlook wants to go on; None where it does not know the session (any more)."""
        response = await self._request("GET", session, place)
        if response is None or not response.is_success:
            return None
        return _following(parsed_body(response.content), 0)

    async def _request(
        self, method: str, session: _Session, place: Place, **options: Any
    ) -> httpx.Response | None:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=httpx.Timeout(DEADLINE, connect=10.0))
        try:
            async with place(), asyncio.timeout(DEADLINE):
                return await self._client.request(method, session.url, **options)
        except (httpx.HTTPError, TimeoutError):
            return None

    @staticmethod
    def _check(session: _Session, response: httpx.Response | None, troubles: int) -> None:
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


async def _begun(file: File, send: Send) -> _Session:
    upload = file.upload
    item: dict[str, Any] = {"attachmentType": "file", "name": upload.name, "size": upload.size}
    if upload.content_type:
        item["contentType"] = upload.content_type
    if upload.content_id is not None:
        item |= {"isInline": True, "contentId": upload.content_id}
    request = GraphRequest(
        what="begin upload",
        method=Method.POST,
        template=f"{_ATTACHMENTS}/createUploadSession",
        path={"user": file.mailbox, "message": file.draft_id},
        body={"AttachmentItem": item},
    )
    # a session that nobody uses goes away by itself: it may be asked for again
    url = (await send(request)).body.get("uploadUrl")
    if not url:
        raise MailboxUnavailable(file.mailbox, "begin upload: Graph's answer names no address")
    return _Session(file.mailbox, str(url), upload.size)


async def _namesakes(file: File, send: Send) -> set[str]:
    """Ids of the attachments of a draft that have the name of a file."""
    request = GraphRequest(
        what="look for upload",
        template=_ATTACHMENTS,
        path={"user": file.mailbox, "message": file.draft_id},
        query={"$select": "id,name"},
    )
    found: set[str] = set()
    while True:
        body = (await send(request)).body
        found |= {
            str(one["id"]) for one in body.get("value", ()) if one.get("name") == file.upload.name
        }
        link = body.get("@odata.nextLink")
        if link is None:
            return found
        request = GraphRequest(what=request.what, link=link)
