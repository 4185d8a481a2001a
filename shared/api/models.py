"""What the API answers; Graph's own JSON of messages and folders passes through in it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, convert

from shared.domain.outbound.mail import Model
from shared.domain.outbound.outbox import OutboxItem, SendState

Resource: TypeAlias = dict[str, Any]
"""A message or folder, as Graph has it."""

Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]


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
        message_id: id of the draft that was sent; the copy in Sent Items mostly has the same, but
            Microsoft 365 does not promise it: its internet_message_id leads there in any case. Null
            where the mail was sent in one request.
        internet_message_id: what an answer to it names in `In-Reply-To`; null likewise.
        conversation_id: the thread; null likewise.
    """

    status: Literal["sent"] = "sent"
    saved_to_sent_items: bool
    message_id: str | None
    internet_message_id: str | None
    conversation_id: str | None


class DurableSend(Model, frozen=True, kw_only=True):
    """Where a durable send stands.

    Args:
        key: the caller's, or the one that was made for it.
        user_id: the mailbox, as the caller named it.
        state: `sent` and `failed` are final.
        accepted_at: when it was promised.
        updated_at: of the state.
        sent_at: when Microsoft 365 had accepted it; absent before.
        next_attempt_at: when it is gone on with at the latest; absent at its end.
        attempts: attempts begun.
        internet_message_id: what an answer to it names in `In-Reply-To`; absent before there is a
            draft.
        conversation_id: the thread; likewise.
        reason: why it waits or has failed.
    """

    key: str
    user_id: str
    state: SendState
    accepted_at: Moment
    updated_at: Moment
    attempts: int
    sent_at: Moment | UnsetType = UNSET
    next_attempt_at: Moment | UnsetType = UNSET
    internet_message_id: str | UnsetType = UNSET
    conversation_id: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


def durable(item: OutboxItem) -> DurableSend:
    """What a caller is told of a send."""
    return convert(item.status(), DurableSend)


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
