"""Sending: `sendMail` in JSON and MIME, drafts, replies."""

from __future__ import annotations

from localdev.graph_simulator.compose import (
    change_content,
    content_from_base64_mime,
    content_from_json,
    mime_from_content,
    reply_to,
)
from localdev.graph_simulator.content import Address, Content
from localdev.graph_simulator.errors import GraphError
from localdev.graph_simulator.exchange import Answer
from localdev.graph_simulator.mailbox import Mailbox
from localdev.graph_simulator.message import Message
from localdev.graph_simulator.operations import Call, operation
from localdev.graph_simulator.routes.messages import message_of, one_message

_LARGEST_BODY = 4 * 1024 * 1024


@operation("POST", "users/{}/sendmail", "sendMail")
def send_mail(call: Call) -> Answer:
    """Accept a mail for sending: 202, not yet delivered as far as the caller can tell."""
    if len(call.request.body) > _LARGEST_BODY:
        raise GraphError(413, "RequestEntityTooLarge", "The request is larger than 4 MB.")
    if call.request.headers.get("content-type", "").lower().startswith("text/plain"):
        content, mime = content_from_base64_mime(call.request.body)
        if content.from_ is None:
            mime = f"From: {call.mailbox.address}\r\n".encode() + mime
        _check_sender(call.mailbox, content)
        call.directory.send(call.mailbox, content, mime, keep_copy=True)
        return Answer(202)
    body = {name.lower(): value for name, value in call.request.json().items()}
    if not isinstance(body.get("message"), dict):
        raise GraphError(
            400, "ErrorInvalidRequest", "The request is missing the parameter 'Message'."
        )
    content = content_from_json(body["message"])
    _check_sender(call.mailbox, content)
    keep_copy = body.get("savetosentitems")
    call.directory.send(
        call.mailbox,
        content,
        mime_from_content(content),
        keep_copy=True if keep_copy is None else str(keep_copy).lower() == "true",
    )
    return Answer(202)


@operation("POST", "users/{}/messages/{}/send", "send")
def send_draft(call: Call) -> Answer:
    """Send a draft; it leaves Drafts."""
    draft = message_of(call)
    if not draft.is_draft:
        raise GraphError(400, "ErrorInvalidRequest", "Only a draft can be sent.")
    _check_sender(call.mailbox, draft.content)
    call.directory.send(call.mailbox, draft.content, draft.mime, keep_copy=True)
    call.mailbox.discard(draft)
    return Answer(202)


@operation("POST", "users/{}/messages/{}/createreply", "createReply")
def create_reply(call: Call) -> Answer:
    """Create a draft that answers a message, in the same conversation."""
    return one_message(call, _reply(call), created=True)


@operation("POST", "users/{}/messages/{}/reply", "reply")
def reply(call: Call) -> Answer:
    """Answer a message at once."""
    draft = _reply(call)
    call.directory.send(call.mailbox, draft.content, draft.mime, keep_copy=True)
    call.mailbox.discard(draft)
    return Answer(202)


def _reply(call: Call) -> Message:
    mailbox = call.mailbox
    body = call.request.json()
    content = reply_to(message_of(call).content, _own(mailbox))
    if body.get("comment"):
        content.body = f"{body['comment']}\r\n{content.body}"
    change_content(content, body.get("message") or {})
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


def _check_sender(mailbox: Mailbox, content: Content) -> None:
    """Let a mailbox send as itself only, and write its address where none is given."""
    if content.from_ is None:
        content.from_ = content.sender = _own(mailbox)
    elif content.from_.address.lower() != mailbox.address.lower():
        raise GraphError(
            403,
            "ErrorSendAsDenied",
            "The user account which was used to submit this request does not have the right to "
            "send mail on behalf of the specified sending account.",
        )


def _own(mailbox: Mailbox) -> Address:
    return Address(mailbox.display_name, mailbox.address)
