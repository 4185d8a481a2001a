"""Answers a mail in its thread, and forwards one: always as a draft, which Graph makes."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import AsyncExitStack
from typing import Any

from shared.domain.outbound.graph_json import addresses, answer_changes, body, marks, recipients
from shared.domain.outbound.quoting import above
from shared.domain.outbound.requests import ForwardRequest, ReplyRequest
from shared.outbound_ports import Answering, Caller, Draft
from shared.workflows.outbound import drafts, loops
from shared.workflows.outbound.parts import parts_of
from shared.workflows.outbound.send import request_size
from shared.workflows.outbound.sending import Sending, Sent


async def answer(
    sending: Sending,
    caller: Caller,
    how: Answering,
    message_id: str,
    request: ReplyRequest | ForwardRequest,
) -> Sent:
    """Answers or forwards a mail.

    Raises:
        SendRefused: the connector does not send it.
        AnswerLost: nobody knows whether it is sent.
        MailNotFound: there is no such mail.
        MailboxError: it is not sent.
        StorageUnavailable: it is not sent.
    """
    answers_to: tuple[str, ...] = ()
    if isinstance(request, ReplyRequest):
        answers_to = await loops.answered(sending.operations, caller, message_id, request)
    parts = await parts_of(request.attachments, sending.documents)
    first = _first(how, request)
    request_size({**first, "body": request.body})
    key = str(uuid.uuid4())
    draft = await drafts.made(
        sending,
        caller,
        key,
        lambda: sending.operations.create_answer(caller, how, message_id, first, key),
    )
    async with AsyncExitStack() as counting:

        async def complete() -> None:
            rest = await _rest(how, request, draft)
            people = tuple(dict.fromkeys((*draft.recipients, *addresses(rest))))
            loops.refuse_draft(caller, draft, request, people, answers_to)
            await counting.enter_async_context(sending.counted(people))
            if rest:
                request_size(rest)
                await sending.operations.update_draft(caller, draft.id, rest)
            await drafts.attach(sending, caller, draft, parts)

        await drafts.prepared(sending, caller, draft, complete)
        return Sent(await drafts.dispatch(sending, caller, draft, key))


def _quotes(request: ReplyRequest | ForwardRequest) -> bool:
    """Whether the mail stands below; what is forwarded does in any case."""
    return request.quotes if isinstance(request, ReplyRequest) else True


def _first(how: Answering, request: ReplyRequest | ForwardRequest) -> dict[str, Any]:
    """With what the draft is made."""
    changes = answer_changes(request, quote=_quotes(request))
    if how is Answering.REPLY_ALL:
        changes.pop("ccRecipients", None)  # they would stand instead of those that Graph finds
    return changes


async def _rest(
    how: Answering, request: ReplyRequest | ForwardRequest, draft: Draft
) -> dict[str, Any]:
    """What changes on the draft once it is there; empty where nothing does."""
    changes: dict[str, Any] = {}
    if how is Answering.REPLY_ALL:
        more = [
            one
            for one in recipients(request.cc)
            if one["emailAddress"]["address"].lower() not in draft.recipients
        ]
        if more:
            changes["ccRecipients"] = [*draft.cc, *more]
    if request.body and _quotes(request):
        # beside the event loop: what is quoted may be made to take a second
        whole = await asyncio.to_thread(
            above, request.body, request.body_content_type, draft.body, draft.body_content_type
        )
        changes["body"] = body(*whole)
    return changes | marks() if request.automatic else changes
