"""One request and one answer, the same whether they travel alone or inside a `$batch`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from localdev.graph_simulator.errors import GraphError, bad_request, too_large

JSON_TYPE = (
    "application/json;odata.metadata=minimal;odata.streaming=true;"
    "IEEE754Compatible=false;charset=utf-8"
)
LARGEST_BODY = 4 * 1024 * 1024
_KEY_IN_PARENTHESES = re.compile(r"^(\w+)\('(.*)'\)$")
_PREFERENCE = re.compile(r'([\w.-]+)\s*=\s*"?([^",;]*)"?')
_UNREAD = object()

to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the `Prefer` header asks for.

    Attributes:
        immutable_ids: Whether ids are to stay the same when messages move.
        body_type: `text` or `html`, or None for the type the mail came in.
        page_size: The most items on a page, or None.
    """

    immutable_ids: bool = False
    body_type: str | None = None
    page_size: int | None = None

    @classmethod
    def parse(cls, header: str) -> Preferences:
        """Read a `Prefer` header; what is unknown is ignored, as the RFC says."""
        found = {name.lower(): value.strip() for name, value in _PREFERENCE.findall(header)}
        body_type = found.get("outlook.body-content-type", "").lower()
        page_size = found.get("odata.maxpagesize", "")
        return cls(
            immutable_ids=found.get("idtype", "").lower() == "immutableid",
            body_type=body_type if body_type in ("text", "html") else None,
            page_size=int(page_size) if page_size.isdigit() else None,
        )


NO_PREFERENCES = Preferences()


@dataclass(slots=True)
class Request:
    """A request below `/v1.0`.

    Attributes:
        method: The HTTP method in upper case.
        target: Path and query as they came, starting with a slash, without `/v1.0`.
        headers: Header values by lower-case name.
        body: The bytes of the body; a batch gives its inner bodies as `payload` instead.
        base_url: Scheme and host of this server, for links.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    payload: Any = field(default=_UNREAD, repr=False)
    base_url: str = ""

    @property
    def path(self) -> str:
        """The part before the question mark, still encoded."""
        return self.target.partition("?")[0]

    def segments(self) -> list[str]:
        """Return the decoded path segments; `users('x')` counts as two."""
        segments: list[str] = []
        for raw in self.path.split("/"):
            if not raw:
                continue
            segment = unquote(raw)
            match = _KEY_IN_PARENTHESES.match(segment) if segment.endswith("')") else None
            segments.extend(match.groups() if match else (segment,))
        return segments

    def query(self) -> list[tuple[str, str]]:
        """Return the decoded query as it came."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    def preferences(self) -> Preferences:
        """Return what the caller prefers."""
        header = self.headers.get("prefer")
        return Preferences.parse(header) if header else NO_PREFERENCES

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object; no body is an empty one.

        Raises:
            GraphError: 400, if it is none.
        """
        if self.payload is _UNREAD:
            try:
                self.payload = json.loads(self.body) if self.body.strip() else {}
            except ValueError:
                raise bad_request(
                    "Unable to read JSON request payload. Please ensure Content-Type header is "
                    "set and payload is of valid JSON format."
                ) from None
        if not isinstance(self.payload, dict):
            raise bad_request("Empty Payload. JSON content expected.")
        return self.payload

    def bounded_json(self) -> dict[str, Any]:
        """Return the body as a JSON object, if it is not larger than Graph takes a message.

        Raises:
            GraphError: 400 or 413.
        """
        if len(self.body) > LARGEST_BODY:
            raise too_large()
        return self.json()

    def upload_size(self) -> int:
        """Return how many bytes the request brings, for the upload limit."""
        if self.body or self.payload is _UNREAD:
            return len(self.body)
        return len(to_json(self.payload))


@dataclass(slots=True)
class Answer:
    """A response; `body` is rendered already."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Return an answer with a JSON body that is rendered already."""
    return Answer(status, text.encode("utf-8", "replace"), JSON_TYPE, headers or {})


def error_answer(error: GraphError, request_id: str, client_request_id: str, date: str) -> Answer:
    """Return an error in Graph's form.

    Args:
        error: What went wrong.
        request_id: The id of the request, repeated in the headers.
        client_request_id: The caller's own id for it, or the same.
        date: The moment in UTC, as `2025-01-15T15:55:34`.
    """
    body = {
        "error": {
            "code": error.code,
            "message": error.message,
            "innerError": {
                "date": date,
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        }
    }
    return Answer(error.status, to_json(body).encode(), "application/json", dict(error.headers))
