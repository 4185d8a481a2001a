"""Upload sessions: attachments from 3 to 150 MB, put in parts to an address that needs no token."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from localdev.graph_simulator.content import Attachment
from localdev.graph_simulator.errors import GraphError, bad_request, item_not_found
from localdev.graph_simulator.exchange import Answer, json_answer, to_json
from localdev.graph_simulator.ids import attachment_id
from localdev.graph_simulator.message import Message
from localdev.graph_simulator.metrics import Metrics

PREFIX = "/upload/"
LARGEST_ATTACHMENT = 150 * 1024 * 1024
_LARGEST_PART = 4 * 1024 * 1024
_LIFETIME = 86_400
_RANGE = re.compile(r"^bytes (\d+)-(\d+)/(\d+)$")


@dataclass(slots=True)
class UploadSession:
    """One attachment on its way to a draft."""

    message: Message
    name: str
    content_type: str
    size: int
    is_inline: bool
    content_id: str | None = None
    received: bytearray = field(default_factory=bytearray)

    def state(self) -> dict[str, object]:
        """Return what is expected next."""
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + _LIFETIME))
        return {"expirationDateTime": expires, "nextExpectedRanges": [str(len(self.received))]}


class Uploads:
    """The open upload sessions, by the token in their address."""

    def __init__(self) -> None:
        self._sessions: dict[str, UploadSession] = {}

    def open(self, session: UploadSession) -> str:
        """Open a session and return the path to put its parts to."""
        token = secrets.token_urlsafe(48)
        self._sessions[token] = session
        return f"{PREFIX}{token}"

    def state(self, path: str) -> Answer:
        """Tell what is expected next; nothing is known of a session that has come to its end.

        Raises:
            GraphError: For an unknown session.
        """
        session = self._sessions.get(path.removeprefix(PREFIX))
        if session is None:
            raise item_not_found()
        return json_answer(to_json(session.state()))

    def put(self, path: str, headers: Mapping[str, str], body: bytes, metrics: Metrics) -> Answer:
        """Take the next part; the last one makes the attachment.

        Raises:
            GraphError: For an unknown session, a token that does not belong here, or a wrong part.
        """
        metrics.uploads += 1
        metrics.uploaded_bytes += len(body)
        token = path.removeprefix(PREFIX)
        session = self._sessions.get(token)
        if session is None:
            raise item_not_found()
        if "authorization" in headers:
            raise GraphError(401, "Unauthorized", "An upload takes no Authorization header.")
        _check_part(session, headers.get("content-range", ""), body)
        session.received += body
        if len(session.received) < session.size:
            return json_answer(to_json(session.state()))
        del self._sessions[token]
        return _finished(session)


def _check_part(session: UploadSession, content_range: str, body: bytes) -> None:
    match = _RANGE.match(content_range)
    if match is None or len(body) > _LARGEST_PART:
        raise bad_request("A part needs a Content-Range and less than 4 MB.")
    start, end, total = (int(number) for number in match.groups())
    expected = len(session.received)
    if start != expected or end != start + len(body) - 1 or total != session.size:
        raise GraphError(
            416, "ErrorInvalidRange", f"The next part is expected to start at {expected}."
        )


def _finished(session: UploadSession) -> Answer:
    attachments = session.message.content.attachments
    attachments.append(
        Attachment(
            kind="file",
            name=session.name,
            content_type=session.content_type,
            content=bytes(session.received),
            is_inline=session.is_inline,
            content_id=session.content_id,
        )
    )
    session.message.touch(content_changed=True)
    own = session.message.mutable_id
    created = attachment_id(own, len(attachments) - 1)
    user = session.message.mailbox.address
    location = f"/v1.0/users('{user}')/messages('{own}')/attachments('{created}')"
    return Answer(201, headers={"Location": location})
