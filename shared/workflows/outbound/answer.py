"""Answers a mail in its thread, and forwards one: always as a draft, which Graph makes."""

from __future__ import annotations

import uuid
from contextlib import AsyncExitStack

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
    is_guarded = (
        isinstance(request, ReplyRequest) and request.automatic and not request.even_if_automatic
    )
    sender = await _person(sending, caller, message_id) if is_guarded else None
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

    async with AsyncExitStack() as counting:

        async def complete() -> None:
            if sender is not None:
                _refuse_loop(caller, draft, sender)
            await counting.enter_async_context(sending.counted(draft.recipients))
            await _complete(sending, caller, draft, request, above_quote, parts)

        await drafts.prepared(sending, caller, draft, complete)
        return Sent(await drafts.dispatch(sending, caller, draft, key))


async def _person(sending: Sending, caller: Caller, message_id: str) -> str:
    """The address of the person who wrote a mail.

    Raises:
        SendRefused: it was none.
    """
    origin = mail_from_graph(await sending.operations.get_message(caller, message_id, _ORIGIN))
    address = str(origin["from"]["address"])
    if address.lower() == caller.mailbox.lower() or is_automatic(origin["headers"], address):
        raise _loop()
    return address


def _refuse_loop(caller: Caller, draft: Draft, sender: str) -> None:
    """Looks at those whom an answer would reach: Reply-To may lead to a machine, or back here.

    The mailbox may be named by its id or by an alias: the draft knows from which address it goes.
    """
    own = {caller.mailbox.lower(), *draft.senders}
    for address in (sender.lower(), *draft.recipients):
        if address in own or is_automatic({}, address):
            raise _loop()


def _loop() -> SendRefused:
    return SendRefused(
        Refusal.LOOP,
        "the mail was sent by a machine or by this mailbox itself, or its answer would go to one"
        " of both, and an automatic answer might begin a loop. Set evenIfAutomatic where it must"
        " go.",
    )


async def _complete(  # noqa: PLR0917 - what a draft needs
    sending: Sending,
    caller: Caller,
    draft: Draft,
    request: ReplyRequest | ForwardRequest,
    above_quote: str,
    parts: list[Part],
) -> None:
    if above_quote:
        merged = above(above_quote, request.body_content_type, draft.body, draft.body_content_type)
        changes = {"body": body(*merged)}
        request_size(changes)
        await sending.operations.update_draft(caller, draft.id, changes)
    await drafts.attach(sending, caller, draft, parts)
