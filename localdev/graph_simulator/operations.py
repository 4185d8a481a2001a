"""What handlers are given, and the table that leads a request to its handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from localdev.graph_simulator.directory import Directory
from localdev.graph_simulator.errors import GraphError, bad_request
from localdev.graph_simulator.exchange import Answer, Preferences, Request
from localdev.graph_simulator.identity import AccessToken
from localdev.graph_simulator.mailbox import Folder, Mailbox
from localdev.graph_simulator.message_type import Shape
from localdev.graph_simulator.odata.options import Options, parse_options


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """Things that Graph does now and then, or does otherwise than its documentation says.

    Attributes:
        empty_pages: Share of list answers that are empty although more follows.
        shuffled_batches: Whether the answers of a `$batch` come in any order.
        lenient_order: Whether an `$orderby` that `$filter` does not lead with is taken. The
            documentation says it is an error; recorded traffic shows that filters of nothing but
            `isRead` and `parentFolderId` pass.
        new_id_when_sent: Whether the copy of a draft in Sent Items has an immutable id of its own.
            Of two pages of the documentation one says so, and the other that the draft's id stays.
        bare_answers: Whether `createReply` and its like leave out headers and extended properties
            of the message that they are given, which no page says that they take.
    """

    empty_pages: float = 0.0
    shuffled_batches: bool = True
    lenient_order: bool = False
    new_id_when_sent: bool = False
    bare_answers: bool = False


class Call:
    """One operation to carry out: the request, what its path names, and the state it acts on."""

    def __init__(
        self,
        request: Request,
        resolved: Resolved,
        *,
        directory: Directory,
        mailbox: Mailbox,
        token: AccessToken,
        quirks: Quirks,
        random: Random,
    ) -> None:
        self.request = request
        self.keys = resolved.keys
        self.directory = directory
        self.mailbox = mailbox
        self.token = token
        self.quirks = quirks
        self.random = random
        self._folder = resolved.folder
        self.preferences: Preferences = request.preferences()
        self.shape = Shape(self.preferences.immutable_ids, self.preferences.body_type)

    def options(self) -> Options:
        """Return the query options."""
        return parse_options(self.request.query())

    @property
    def folder(self) -> Folder | None:
        """The folder that the path goes through, or None."""
        return None if self._folder is None else self.mailbox.folder(self._folder)

    def context(self, path: str) -> str:
        """Return the `@odata.context` for a path below the user."""
        user = quote(self.keys[0], safe="")
        return f"{self.request.base_url}/v1.0/$metadata#users('{user}'){path}"

    def location(self, path: str) -> str:
        """Return the address of what was created."""
        return f"{self.request.base_url}/v1.0/users('{self.keys[0]}')/{path}"

    @property
    def folder_context(self) -> str:
        """The part of a context that names the folder of the path."""
        return "" if self._folder is None else f"/mailFolders('{quote(self._folder, safe='')}')"


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """A handler and the name under which its requests are counted."""

    name: str
    handler: Handler


@dataclass(frozen=True, slots=True)
class Resolved:
    """An operation found for a request, with the keys of its path; the first is the user."""

    operation: Operation
    keys: list[str]
    folder: str | None


_TABLE: dict[str, dict[str, Operation]] = {}
_FOLDERS = "mailfolders"
_CHILDREN = "childfolders"


def operation(method: str, pattern: str, name: str) -> Callable[[Handler], Handler]:
    """Register a handler for a method and a path pattern with `{}` for each key."""

    def register(handler: Handler) -> Handler:
        _TABLE.setdefault(pattern.lower(), {})[method] = Operation(f"{method} {name}", handler)
        return handler

    return register


def resolve(request: Request) -> Resolved:
    """Find the operation that a request asks for.

    Messages below a folder lead to the same handlers as those without; the folder is kept in
    `Resolved.folder`.

    Raises:
        GraphError: 400 or 405, if there is none.
    """
    segments = request.segments()
    if segments and segments[0].lower() == "me":
        raise bad_request("/me request is only valid with delegated authentication flow.")
    segments, folder = _without_folders(segments)
    shape, keys = [], []
    for place, segment in enumerate(segments):
        if place % 2 and not segment.startswith("$"):
            keys.append(segment)
            shape.append("{}")
        else:
            shape.append(segment.lower())
    methods = _TABLE.get("/".join(shape))
    if methods is None:
        last = segments[-1] if segments else ""
        raise bad_request(f"Resource not found for the segment '{last}'.")
    found = methods.get(request.method)
    if found is None:
        raise GraphError(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        )
    return Resolved(found, keys, folder)


def _without_folders(segments: list[str]) -> tuple[list[str], str | None]:
    """Shorten a path through folders: to the last of them, and past it where messages follow.

    Raises:
        GraphError: 400, for MIME below a folder, which Graph does not find there.
    """
    match segments:
        case [users, user, collection, _, children, inner, *rest] if (
            collection.lower() == _FOLDERS and children.lower() == _CHILDREN
        ):
            return _without_folders([users, user, collection, inner, *rest])
        case [users, user, collection, folder, messages, *rest] if (
            collection.lower() == _FOLDERS and messages.lower() == "messages"
        ):
            if [each.lower() for each in rest[1:]] == ["$value"]:
                raise bad_request("Resource not found for the segment '$value'.")
            return [users, user, messages, *rest], folder
        case _:
            return segments, None
