"""Lists of messages: filter, order, paging by position, and the limits that Graph sets on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

from localdev.graph_simulator.errors import GraphError, bad_query, inefficient_filter
from localdev.graph_simulator.mailbox import Folder, Mailbox
from localdev.graph_simulator.message import Arrivals, Message
from localdev.graph_simulator.message_type import SCHEMA, body_text
from localdev.graph_simulator.odata.options import Options, Order
from localdev.graph_simulator.odata.predicates import Predicate, compile_predicate, requires
from localdev.graph_simulator.odata.syntax import (
    Both,
    Comparison,
    Either,
    Filter,
    Node,
    Not,
    parse_filter,
)
from localdev.graph_simulator.operations import Call

DEFAULT_PAGE = 10
LARGEST_PAGE = 1000
_RECEIVED = "receiveddatetime"
_MORE_FOLLOWS = "after-empty-page"


class Page:
    """The messages of one answer, the count of all if asked for, and the link to the next."""

    def __init__(self, call: Call, options: Options) -> None:
        top = page_size(options, call.preferences.page_size)
        matches = _matches(call, options)
        self.count: int | None = None
        if options.count:
            everything = list(matches)
            self.count, matches = len(everything), iter(everything)
        self.messages = list(islice(matches, options.skip, options.skip + top))
        more = next(matches, None) is not None
        self.next_link: str | None = None
        if self.messages and options.skip_token != _MORE_FOLLOWS and _is_empty_page(call):
            self.messages = []
            self.next_link = next_link(call, options.skip, _MORE_FOLLOWS)
        elif more:
            self.next_link = next_link(call, options.skip + top)


def page_size(options: Options, preferred: int | None = None) -> int:
    """Return how many messages a page holds.

    Raises:
        GraphError: 400, outside 1 to 1000.
    """
    top = options.top
    if top is None:
        return min(preferred or DEFAULT_PAGE, LARGEST_PAGE)
    if top > LARGEST_PAGE:
        raise bad_query(
            f"The limit of '{LARGEST_PAGE}' for Top query has been exceeded. "
            f"The value from the incoming request is '{top}'."
        )
    if top < 1:
        raise bad_query("The value of $top must be at least 1.")
    return top


def next_link(call: Call, skip: int, token: str = "") -> str:
    """Return the same request again, from another position on."""
    dropped = ("skip", "skiptoken")
    kept = [
        (name, value)
        for name, value in call.request.query()
        if name.lower().removeprefix("$") not in dropped
    ]
    kept.append(("$skip", str(skip)))
    if token:
        kept.append(("$skiptoken", token))
    return f"{call.request.base_url}/v1.0{call.request.path}?{urlencode(kept, quote_via=quote)}"


def _is_empty_page(call: Call) -> bool:
    return call.quirks.empty_pages > 0 and call.random.random() < call.quirks.empty_pages


def _matches(call: Call, options: Options) -> Iterator[Message]:
    source: Folder | Mailbox = call.folder or call.mailbox
    if options.search:
        return _searched(source, options)
    parsed = parse_filter(options.filter) if options.filter else None
    if parsed is not None and not call.quirks.lenient_order:
        _check_order(parsed, options.order_by)
    root = _with_folder_ids(parsed.root, call.mailbox) if parsed else None
    predicate = compile_predicate(root, SCHEMA) if root else None
    only_unread = root is not None and requires(root, "isRead", value=False)
    ordered = _ordered(source.unread if only_unread else source.messages, options.order_by)
    return filter(predicate, ordered) if predicate else iter(ordered)


def _check_order(parsed: Filter, order_by: tuple[Order, ...]) -> None:
    """Hold Graph's rule: what is ordered by leads the filter, in the same order."""
    wanted = [order.path.lower() for order in order_by]
    if wanted != [path.lower() for path in parsed.paths[: len(wanted)]]:
        raise inefficient_filter()


def _ordered(arrivals: Arrivals, order_by: tuple[Order, ...]) -> Iterable[Message]:
    for order in order_by:
        if order.path.lower() not in SCHEMA.properties:
            raise bad_query(f"Could not find a property named '{order.path}' to order by.")
    if not order_by:
        return arrivals.newest_first()
    if order_by[0].path.lower() == _RECEIVED:  # ties are in the order of arrival
        return arrivals.newest_first() if order_by[0].descending else arrivals
    ordered = list(arrivals.newest_first())
    for order in reversed(order_by):
        read = SCHEMA.properties[order.path.lower()].read
        ordered.sort(key=read, reverse=order.descending)
    return ordered


def _with_folder_ids(node: Node, mailbox: Mailbox) -> Node:
    """Put ids where a filter compares `parentFolderId` with a well-known name."""
    if isinstance(node, Both | Either):
        return type(node)(
            _with_folder_ids(node.left, mailbox), _with_folder_ids(node.right, mailbox)
        )
    if isinstance(node, Not):
        return Not(_with_folder_ids(node.condition, mailbox))
    if isinstance(node, Comparison) and node.path.lower() == "parentfolderid":
        known = mailbox.well_known.get(str(node.value).lower())
        if known is not None:
            return Comparison(node.path, node.operator, known.id)
    return node


def _searched(source: Folder | Mailbox, options: Options) -> Iterator[Message]:
    for other, name in ((options.filter, "$filter"), (options.order_by, "$orderBy")):
        if other:
            code = "SearchWithFilter" if name == "$filter" else "SearchWithOrderBy"
            raise GraphError(
                400, code, f"The query parameter '{name}' is not supported with '$search'."
            )
    return filter(_search(options.search), source.messages.newest_first())


def _search(source: str) -> Predicate[Message]:
    """Return whether a message has every word, or `property:word`, of a search."""
    words = source.strip('"').replace('\\"', "").casefold().split()

    def holds(message: Message, word: str) -> bool:
        name, colon, value = word.partition(":")
        places: dict[str, Any] = {
            "subject": message.content.subject,
            "from": message.content.from_,
            "to": message.content.to,
            "body": body_text(message),
        }
        if colon and name in places:
            return value in str(places[name]).casefold()
        return any(word in str(place).casefold() for place in places.values())

    return lambda message: all(holds(message, word) for word in words)
