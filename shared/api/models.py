"""What the API answers; Graph's own JSON of messages and folders passes through in it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import UNSET, UnsetType

from shared.domain.outbound.mail import Model

Resource: TypeAlias = dict[str, Any]
"""A message or folder, as Graph has it."""


class Page(Model, frozen=True, kw_only=True):
    """A part of a list.

    Args:
        value: messages or folders, as Graph has them.
        count: how many there are in all, if that was asked for.
        next_link: address of the rest, in this API; absent at the end. A page may be empty and not
            the last.
    """

    value: list[Resource]
    count: int | UnsetType = UNSET
    next_link: str | UnsetType = UNSET


class SentMail(Model, frozen=True, kw_only=True):
    """A mail that Microsoft 365 has accepted for delivery.

    Args:
        status: always `sent`.
        saved_to_sent_items: whether a copy lies there.
        message_id: id of the copy in Sent Items; null where the mail was sent in one request.
        internet_message_id: what an answer to it names in `In-Reply-To`; null likewise.
        conversation_id: the thread; null likewise.
    """

    status: Literal["sent"] = "sent"
    saved_to_sent_items: bool
    message_id: str | None
    internet_message_id: str | None
    conversation_id: str | None


class Problem(Model, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457).

    Args:
        title: the sort of problem.
        status: HTTP status.
        detail: what happened.
        code: the connector's or Graph's code, for programs.
        action: what to do.
        graph_message: Graph's own words, where they cannot hold anything of a mail.
        request_id: by which Microsoft's support finds the request.
        type: always `about:blank`: title and code say it.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    action: str = ""
    graph_message: str = ""
    request_id: str = ""
