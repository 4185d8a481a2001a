"""The `$filter` of a source: simple criteria turned into OData, or the user's own OData, checked.

Graph's rule (facts of the Outlook mail API): each `$orderby` property stands first in `$filter`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.mail import GRAPH_EXPAND, GRAPH_SELECT

BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
"""Before any mail: where a source without a watermark starts."""

_QUOTED = re.compile(r"'(?:[^']|'')*'")
_HINT = "leave it out of the filter and write it as an activationCondition"
_REFUSED_BY_GRAPH = (
    (
        re.compile(r"\bendswith\s*\(\s*(from|sender)/emailAddress/", re.IGNORECASE),
        f"Graph refuses endswith on addresses (ErrorInvalidUrlQueryFilter): {_HINT}",
    ),
    (
        re.compile(r"\b(to|cc|bcc)Recipients/(any|all)\s*\(", re.IGNORECASE),
        f"Graph refuses conditions on recipients (ErrorInvalidUrlQueryFilter): {_HINT}",
    ),
    (
        re.compile(r"\bcontains\s*\(\s*body(/content)?\s*,", re.IGNORECASE),
        f"Graph refuses contains(body, …) and misses matches of contains(body/content, …): {_HINT}",
    ),
    (
        re.compile(r"\$(search|orderby|select|top|skip|expand|count|filter)\b", re.IGNORECASE),
        "only the expression of $filter is wanted here, without other query options",
    ),
)


@dataclass(frozen=True, slots=True)
class SimpleFilter:
    """The criteria of Camunda's simple filter; blank ones do not count."""

    only_unread: bool = True
    subject_contains: str = ""
    from_address: str = ""

    def odata(self) -> str:
        """The OData condition; empty where nothing is asked for."""
        conditions = []
        if self.only_unread:
            conditions.append("isRead eq false")
        if self.subject_contains.strip():
            conditions.append(f"contains(subject, {quoted(self.subject_contains)})")
        if self.from_address.strip():
            conditions.append(f"from/emailAddress/address eq {quoted(self.from_address.strip())}")
        return " and ".join(conditions)


def quoted(text: str) -> str:
    """An OData string literal: in quotes, quotes within doubled."""
    return "'" + text.replace("'", "''") + "'"


def checked_filter(text: str) -> str:
    """A user's own filter, unchanged.

    Raises:
        ValueError: quotes or parentheses do not match, or Graph is known to refuse it.
    """
    outside = _QUOTED.sub("''", text)
    if "'" in outside.replace("''", ""):
        raise ValueError("an OData filter whose quotes match (a quote within a text is doubled)")
    depth = 0
    for character in outside:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            break
    if depth != 0:
        raise ValueError("an OData filter whose parentheses match")
    for pattern, why in _REFUSED_BY_GRAPH:
        if pattern.search(outside):
            raise ValueError(f"an OData filter that Graph can answer. {why}")
    return text


def since(moment: datetime, condition: str) -> str:
    """The whole `$filter`: mail received at or after ``moment`` that meets ``condition``."""
    received = f"receivedDateTime ge {_stamp(moment)}"
    return f"{received} and ({condition})" if condition else received


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def listing(moment: datetime, condition: str, top: int) -> dict[str, str]:
    """Query options that list whole mails, oldest first."""
    return {
        "$filter": since(moment, condition),
        "$orderby": "receivedDateTime asc",
        "$select": GRAPH_SELECT,
        "$expand": GRAPH_EXPAND,
        "$top": str(top),
    }


def id_listing(
    moment: datetime, condition: str, top: int, before: datetime | None = None
) -> dict[str, str]:
    """Query options that list ids and times only, oldest first; up to ``before`` if that is given.

    Graph's times have no fractions of a second.
    """
    if before is not None:
        end = f"receivedDateTime lt {_stamp(before)}"
        condition = f"{end} and ({condition})" if condition else end
    return {
        "$filter": since(moment, condition),
        "$orderby": "receivedDateTime asc",
        "$select": "id,receivedDateTime",
        "$top": str(top),
    }
