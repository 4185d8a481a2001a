"""Answers a mail in its thread, and forwards one: always as a draft, which Graph makes."""

from __future__ import annotations

import uuid

from shared.domain.automatic import is_automatic
from shared.domain.errors import Refusal, SendRefused
from shared.domain.mail import mail_from_graph
from shared.domain.outbound.graph_json import answer_changes, body
from shared.domain.outbound.quoting import above
from shared.domain.outbound.requests import ForwardRequest, ReplyRequest
from shared.outbound_ports import Answering, Caller, Draft
from shared.workflows.outbound import drafts
from shared.workflows.outbound.parts import Part, parts_of
from shared.workflows.outbound.send import request_size
from shared.workflows.outbound.sending import Sending, Sent

_ORIGIN = {"$select": "id,from,sender,internetMessageHeaders"}


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
    # what is forwarded stands in the mail in any case
    quote = request.quote if isinstance(request, ReplyRequest) else True
    if isinstance(request, ReplyRequest) and request.automatic and not request.even_if_automatic:
        await _refuse_loop(sending, caller, message_id)
    parts = await parts_of(request.attachments, sending.documents)
    changes = answer_changes(request, quote=quote)
    request_size({**changes, "body": request.body})
    key = str(uuid.uuid4())
    draft = await drafts.made(
        sending,
        caller,
        key,
        lambda: sending.operations.create_answer(caller, how, message_id, changes, key),
    )
    above_quote = request.body if quote else ""
    await drafts.prepared(
        sending,
        caller,
        draft,
        lambda: _complete(sending, caller, draft, request, above_quote, parts),
    )
    return Sent(await drafts.dispatch(sending, caller, draft))


async def _refuse_loop(sending: Sending, caller: Caller, message_id: str) -> None:
    origin = mail_from_graph(await sending.operations.get_message(caller, message_id, _ORIGIN))
    own = origin["from"]["address"].lower() == caller.mailbox.lower()
    if own or is_automatic(origin["headers"], origin["from"]["address"]):
        raise SendRefused(
            Refusal.LOOP,
            "the mail was sent by a machine or by this mailbox itself, and an automatic answer"
            " might begin a loop. Set evenIfAutomatic where it must go.",
        )


async def _complete(  # noqa: PLR0917 - what a draft needs
    sending: Sending,
    caller: Caller,
    draft: Draft,
    request: ReplyRequest | ForwardRequest,
    above_quote: str,
    parts: list[Part],
) -> None:
    await sending.count(draft.recipients)
    if above_quote:
        merged = above(above_quote, request.body_content_type, draft.body, draft.body_content_type)
        changes = {"body": body(*merged)}
        request_size(changes)
        await sending.operations.update_draft(caller, draft.id, changes)
    await drafts.attach(sending, caller, draft, parts)
