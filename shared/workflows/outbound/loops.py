"""Keeps robots from writing to each other, and automatic answers from being led to strangers."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from shared.domain.automatic import is_automatic
from shared.domain.errors import Refusal, SendRefused
from shared.domain.mail import mail_from_graph
from shared.domain.outbound.graph_json import (
    AUTO_SUBMITTED_PROPERTY,
    addresses,
    new_message,
    senders,
)
from shared.domain.outbound.requests import ForwardRequest, ReplyRequest, SendRequest
from shared.outbound_ports import Caller, Draft, Json, MailOperations

_ORIGIN = {
    "$select": "id,from,sender,replyTo,internetMessageHeaders",
    # mail within an organisation is reported to come without headers at times
    "$expand": f"singleValueExtendedProperties($filter=id eq '{AUTO_SUBMITTED_PROPERTY}')",
}


async def answered(
    operations: MailOperations, caller: Caller, message_id: str, request: ReplyRequest
) -> tuple[str, ...]:
    """Those to whom the sender of a mail wants answers, in lower case, if the answer goes there.

    Raises:
        SendRefused: they are machines, or strangers to whom an automatic answer would be led.
        MailboxError: the mail cannot be looked at.
    """
    if request.even_if_automatic and (request.to or not request.automatic):
        return ()
    message = await operations.get_message(caller, message_id, _ORIGIN)
    mail = mail_from_graph(message)
    sender = mail["from"]["address"].lower()
    answers_to = tuple(one["address"].lower() for one in mail["replyTo"]) or (sender,)
    headers = {"auto-submitted": _submitted(message), **mail["headers"]}
    if not request.even_if_automatic and is_automatic(headers, sender):
        raise _loop()
    if request.to:
        return ()
    if not request.even_if_automatic:
        _refuse_machines(answers_to, {caller.mailbox.lower()})
    if request.automatic:
        _refuse_strangers(sender, answers_to)
    return answers_to


def refuse_draft(
    caller: Caller,
    draft: Draft,
    request: ReplyRequest | ForwardRequest,
    people: Iterable[str],
    answers_to: Iterable[str],
) -> None:
    """Refuses an answer or a forward for whom it goes to, which a draft tells.

    Args:
        caller: whose mailbox; it may be named by its id or an alias.
        draft: knows from which address it goes.
        request: what was asked for.
        people: addresses of all who would get it.
        answers_to: those that :func:`answered` has given.

    Raises:
        SendRefused: it would go to a machine, or to its own mailbox.
    """
    own = {caller.mailbox.lower(), *draft.senders}
    if isinstance(request, ReplyRequest):
        if not request.even_if_automatic:
            # whom else a person puts into his answer he knows
            _refuse_machines(people if request.automatic else answers_to, own)
    elif request.automatic:
        _refuse_itself(people, own)


def refuse_new(caller: Caller, request: SendRequest) -> None:
    """Refuses a new automatic mail to its own mailbox, as far as its address is known.

    Raises:
        SendRefused: it would come in again.
    """
    if request.automatic:
        message = new_message(request)
        _refuse_itself(addresses(message), {caller.mailbox.lower(), *senders(message)})


def _refuse_machines(people: Iterable[str], own: Collection[str]) -> None:
    if any(address in own or is_automatic({}, address) for address in people):
        raise _loop()


def _refuse_itself(people: Iterable[str], own: Collection[str]) -> None:
    if not set(own).isdisjoint(people):
        raise SendRefused(
            Refusal.LOOP,
            "an automatic mail would go to the mailbox that sends it, and might begin a loop. Send"
            " it to somebody else.",
        )


def _refuse_strangers(sender: str, answers_to: Iterable[str]) -> None:
    """Refuses what would make us send to whomever the writer of a mail names."""
    if any(_domain(address) != _domain(sender) for address in answers_to):
        raise SendRefused(
            Refusal.ELSEWHERE,
            "Reply-To of the mail leads to another domain than its sender's, where an automatic"
            " answer might not be wanted. Name in `to` who is to get it.",
        )


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _submitted(message: Json) -> str:
    """The header Auto-Submitted as Exchange keeps it, which is all that was asked for."""
    return next((one["value"] for one in message.get("singleValueExtendedProperties") or ()), "")


def _loop() -> SendRefused:
    return SendRefused(
        Refusal.LOOP,
        "the mail was sent by a machine, or its answer would go to one or to this mailbox itself,"
        " and might begin a loop. Set evenIfAutomatic where it must go: a program in which people"
        " write their answers may always do so.",
    )
