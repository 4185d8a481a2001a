"""Next links: Graph's address of the rest of a list, as a token that leads nowhere else.

A token holds only what stands behind the mailbox in Graph's address. Host and mailbox are put in
front of it anew each time, from our settings and from the caller's own path, so a forged token
reaches what its maker may list anyway, and nothing else; and its parameters are those that lists
take. So it needs no signature.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from shared.domain.outbound.odata_query import check_rest

LONGEST_TOKEN = 8192

_KEY = r"(?:/[A-Za-z0-9_=+-]+|\('[A-Za-z0-9_=+-]+'\))"
_FOLDERS = rf"/mailFolders(?:{_KEY}/childFolders)*"
_PATH = re.compile(
    rf"(?:/messages|/mailFolders{_KEY}(?:/childFolders{_KEY})*/messages|{_FOLDERS})",
    re.IGNORECASE,
)
_MAILBOX = re.compile(r"/[^/]+/users(?:/[^/]+|\('[^/]+'\))(/.*)", re.IGNORECASE)
_QUERY = re.compile(r"[A-Za-z0-9$%&'()*+,;=:@/?!~._\-]*")


@dataclass(frozen=True, slots=True)
class GraphLink:
    """Where the rest of a list is, below a mailbox.

    Args:
        path: such as ``/messages`` or ``/mailFolders/{id}/childFolders``.
        query: as Graph gave it.
    """

    path: str
    query: str

    @property
    def token(self) -> str:
        """The link as text that stands in an address as it is."""
        return urlsafe_b64encode(f"{self.path}?{self.query}".encode()).decode().rstrip("=")


def from_graph(address: str) -> GraphLink:
    """The link in an answer of Graph.

    Raises:
        ValueError: it is no address of a list of messages or folders.
    """
    parts = urlsplit(address)
    below = _MAILBOX.fullmatch(parts.path)
    return _checked(below[1] if below else "", parts.query)


def from_token(token: str) -> GraphLink:
    """The link in a token that a caller gave.

    Raises:
        ValueError: it is no token of ours.
    """
    if len(token) > LONGEST_TOKEN:
        raise ValueError("a token from a nextLink")
    try:
        text = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except ValueError:
        raise ValueError("a token from a nextLink") from None
    path, _, query = text.partition("?")
    return _checked(path, query)


def _checked(path: str, query: str) -> GraphLink:
    plain = unquote(path)
    if _PATH.fullmatch(plain) is None or _QUERY.fullmatch(query) is None:
        raise ValueError("a token from a nextLink")
    parameters = parse_qsl(query, keep_blank_values=True)
    if len({name.lower() for name, _ in parameters}) != len(parameters):
        raise ValueError("a token from a nextLink")
    try:
        check_rest(dict(parameters))
    except ValueError:
        raise ValueError("a token from a nextLink") from None
    return GraphLink(plain, query)
