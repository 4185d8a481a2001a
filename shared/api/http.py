"""Requests and answers of the API, as it knows them: no platform's types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """What a caller has sent.

    Args:
        method: in upper case.
        url: as the platform has it; used for the address in next links.
        user: the mailbox, from the path.
        rest: what follows the mailbox in the path, unescaped.
        query: parameters, unescaped.
        headers: names in lower case.
        body: bytes.
    """

    method: str
    url: str = ""
    user: str
    rest: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """What the caller gets."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
