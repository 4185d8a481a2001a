"""Sending: `sendMail` in JSON and MIME, drafts, replies."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from localdev.graph_simulator.compose import (
    change_content,
    comment_on,
    content_from_base64_mime,
    content_from_json,
    forward_of,
    mime_from_content,
    reply_to,
)
from localdev.graph_simulator.content import Address, Content
from localdev.graph_simulator.errors import GraphError, bad_request, too_large
from localdev.graph_simulator.exchange import LARGEST_BODY, Answer
from localdev.graph_simulator.message import Message
from localdev.graph_simulator.operations import Call, operation
from localdev.graph_simulator.routes.messages import message_of, one_message

_EXTRAS = ("internetMessageHeaders", "singleValueExtendedProperties")
"""What a draft that answers a mail may not take over from the request; see `Quirks`."""


@operation("POST", "users/{}/sendmail", "sendMail")
def send_mail(call: Call) -> Answer:
    """Accept a mail for sending: 202, not yet delivered as far as the caller can tell."""
    if len(call.request.body) > LARGEST_BODY:
        raise too_large()
    if call.request.headers.get("content-type", "").lower().startswith("text/plain"):
        content, mime = content_from_base64_mime(call.request.body)
        if content.from_ is None:
            mime = f"From: {_own(call).address}\r\n".encode() + mime
        _check_sender(call, content)
        call.directory.send(call.mailbox, content, lambda: mime, keep_copy=True)
        return Answer(202)
    body = {name.lower(): value for name, value in call.request.json().items()}
    if not isinstance(body.get("message"), dict):
        raise GraphError(
            400, "ErrorInvalidRequest", "The request is missing the parameter 'Message'."
        )
    # that sendMail keeps an id of the caller's choice is documented nowhere
    content = content_from_json({**body["message"], "internetMessageId": None})
    _check_sender(call, content)
    keep_copy = body.get("savetosentitems")
    call.directory.send(
        call.mailbox,
        content,
        cache(partial(mime_from_content, content)),
        keep_copy=True if keep_copy is None else str(keep_copy).lower() == "true",
    )
    return Answer(202)


@operation("POST", "users/{}/messages/{}/send", "send")
def send_draft(call: Call) -> Answer:
    """Send a draft; it leaves Drafts."""
    draft = message_of(call)
    if not draft.is_draft:
        raise GraphError(400, "ErrorInvalidRequest", "Only a draft can be sent.")
    _check_sender(call, draft.content)
    _submit(call, draft)
    return Answer(202)


@operation("POST", "users/{}/messages/{}/createreply", "createReply")
def create_reply(call: Call) -> Answer:
    """Create a draft that answers a message, in the same conversation."""
    return one_message(call, _drafted(call, reply_to), created=True)


@operation("POST", "users/{}/messages/{}/createreplyall", "createReplyAll")
def create_reply_all(call: Call) -> Answer:
    """Create a draft that answers all whom a message names."""
    return one_message(call, _drafted(call, _reply_to_all), created=True)


@operation("POST", "users/{}/messages/{}/createforward", "createForward")
def create_forward(call: Call) -> Answer:
    """Create a draft that hands a message on."""
    return one_message(call, _drafted(call, forward_of), created=True)


@operation("POST", "users/{}/messages/{}/reply", "reply")
def reply(call: Call) -> Answer:
    """Answer a message at once."""
    _submit(call, _drafted(call, reply_to))
    return Answer(202)


@operation("POST", "users/{}/messages/{}/replyall", "replyAll")
def reply_all(call: Call) -> Answer:
    """Answer all whom a message names, at once."""
    _submit(call, _drafted(call, _reply_to_all))
    return Answer(202)


@operation("POST", "users/{}/messages/{}/forward", "forward")
def forward(call: Call) -> Answer:
    """Hand a message on, at once."""
    _submit(call, _drafted(call, forward_of))
    return Answer(202)


def _reply_to_all(content: Content, sender: Address) -> Content:
    return reply_to(content, sender, everybody=True)


def _submit(call: Call, draft: Message) -> None:
    """Send a draft; it turns into the mail in Sent Items."""
    call.directory.send(call.mailbox, draft.content, lambda: draft.mime, keep_copy=False)
    call.mailbox.sent(draft, new_id=call.quirks.new_id_when_sent)


def _drafted(call: Call, compose: Callable[[Content, Address], Content]) -> Message:
    """Create the draft of an answer, with what the request puts into it."""
    mailbox = call.mailbox
    body = {name.lower(): value for name, value in call.request.bounded_json().items()}
    message = body.get("message") or {}
    if body.get("comment") and message.get("body"):
        raise bad_request("Specify either the comment or the body of the message, not both.")
    if body.get("torecipients") and message.get("toRecipients"):
        raise bad_request("Specify toRecipients once, not within the message as well.")
    content = compose(message_of(call).content, _own(call))
    if body.get("comment"):
        comment_on(content, str(body["comment"]))
    if body.get("torecipients"):
        message = {**message, "toRecipients": body["torecipients"]}
    if call.quirks.bare_answers:
        message = {name: value for name, value in message.items() if name not in _EXTRAS}
    change_content(content, message)
    draft = Message(
        mailbox,
        mailbox.well_known["drafts"],
        content,
        None,
        received=mailbox.now(),
        is_read=True,
        is_draft=True,
    )
    return mailbox.add(draft)


def _check_sender(call: Call, content: Content) -> None:
    """Let a mailbox, or a person, send as itself or as whom it may; as itself where none is given.

    https://learn.microsoft.com/graph/outlook-send-mail-from-other-user
    """
    mailbox, person = call.mailbox, call.token.person
    allowed = {person, *call.token.sends_as} if person else {mailbox.address, *mailbox.send_as}
    if content.from_ is None:
        content.from_ = content.sender = _own(call)
    elif content.from_.address.lower() not in {one.lower() for one in allowed}:
        raise GraphError(
            403,
            "ErrorSendAsDenied",
            "The user account which was used to submit this request does not have the right to "
            "send mail on behalf of the specified sending account.",
        )
    content.sender = content.from_


def _own(call: Call) -> Address:
    """The address of who sends: the person who has signed in, else the mailbox."""
    person = call.token.person
    if person and person.lower() != call.mailbox.address.lower():
        return Address("", person)
    return Address(call.mailbox.display_name, call.mailbox.address)
