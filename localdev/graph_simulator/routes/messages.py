"""Messages: list, read, change, move, copy, delete."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from localdev.graph_simulator.compose import (
    change_content,
    content_from_json,
    importance_from_json,
)
from localdev.graph_simulator.errors import GraphError, bad_request, item_not_found
from localdev.graph_simulator.exchange import Answer, json_answer, to_json
from localdev.graph_simulator.mailbox import Folder
from localdev.graph_simulator.message import Message
from localdev.graph_simulator.message_type import TYPE_NAME
from localdev.graph_simulator.odata.options import NO_OPTIONS
from localdev.graph_simulator.operations import Call, operation
from localdev.graph_simulator.routes.listing import Page
from localdev.graph_simulator.routes.rendering import MessageRenderer

_CONTENT = frozenset(
    [
        "subject",
        "body",
        "from",
        "sender",
        "toRecipients",
        "ccRecipients",
        "bccRecipients",
        "replyTo",
        "internetMessageHeaders",
        "internetMessageId",
    ]
)
_PROPERTIES = "singleValueExtendedProperties"
_CHANGEABLE = frozenset(
    ("isRead", "categories", "importance", "flag", "inferenceClassification", _PROPERTIES)
)
_FLAG_STATUSES = ("notFlagged", "flagged", "complete")


def message_of(call: Call) -> Message:
    """Return the message that the path names.

    Raises:
        GraphError: 400 or 404, if there is none, or none in the folder of the path.
    """
    message = call.mailbox.message(call.keys[1])
    if call.folder is not None and message.folder is not call.folder:
        raise item_not_found()
    return message


def one_message(call: Call, message: Message, *, created: bool = False) -> Answer:
    """Return a message as a whole answer."""
    renderer = MessageRenderer(call, NO_OPTIONS)
    headers = {}
    if created:
        headers["Location"] = call.location(f"messages('{call.shape.id_of(message)}')")
    context = call.context(f"{call.folder_context}/messages/$entity")
    return json_answer(renderer.object(message, context), 201 if created else 200, headers)


@operation("GET", "users/{}/messages", "messages")
def list_messages(call: Call) -> Answer:
    """List the messages of a folder, or of the whole mailbox."""
    options = call.options()
    renderer = MessageRenderer(call, options)
    page = Page(call, options)
    context = call.context(f"{call.folder_context}/messages{renderer.context_suffix}")
    parts = [f'"@odata.context":{to_json(context)}']
    if page.count is not None:
        parts.append(f'"@odata.count":{page.count}')
    parts.append(f'"value":[{",".join(map(renderer.object, page.messages))}]')
    if page.next_link is not None:
        parts.append(f'"@odata.nextLink":{to_json(page.next_link)}')
    return json_answer("{" + ",".join(parts) + "}")


@operation("GET", "users/{}/messages/$count", "messages $count")
def count_messages(call: Call) -> Answer:
    """Count messages; the answer is the bare number."""
    source = call.folder or call.mailbox
    return Answer(200, str(len(source.messages)).encode(), "text/plain")


@operation("GET", "users/{}/messages/{}", "message")
def get_message(call: Call) -> Answer:
    """Read one message."""
    options = call.options()
    renderer = MessageRenderer(call, options)
    suffix = renderer.context_suffix
    context = call.context(f"{call.folder_context}/messages{suffix}/$entity")
    return json_answer(renderer.object(message_of(call), context))


@operation("GET", "users/{}/messages/{}/$value", "message $value")
def get_mime(call: Call) -> Answer:
    """Read one message as MIME."""
    return Answer(200, message_of(call).mime, "text/plain")


@operation("POST", "users/{}/messages", "messages")
def create_draft(call: Call) -> Answer:
    """Create a draft, in Drafts or in the folder of the path."""
    source = call.request.bounded_json()
    folder = call.folder or call.mailbox.well_known["drafts"]
    message = Message(
        call.mailbox,
        folder,
        content_from_json(source),
        None,
        received=call.mailbox.now(),
        is_read=bool(source.get("isRead", True)),
        is_draft=True,
        categories=[str(category) for category in source.get("categories") or ()],
    )
    return one_message(call, call.mailbox.add(message), created=True)


@operation("PATCH", "users/{}/messages/{}", "message")
def update_message(call: Call) -> Answer:
    """Change the properties that may change: few of a mail, nearly all of a draft."""
    message = message_of(call)
    changes = call.request.bounded_json()
    _check_changes(message, changes)
    if "importance" in changes:
        message.importance = importance_from_json(changes["importance"])
    if "categories" in changes:
        message.categories = [str(category) for category in changes["categories"]]
    if "flag" in changes:
        message.flag_status = _flag_status(changes["flag"])
    if _PROPERTIES in changes:
        change_content(message.content, {_PROPERTIES: changes[_PROPERTIES]})
    content_changed = bool(_CONTENT & changes.keys())
    if message.is_draft and _PROPERTIES in changes:
        content_changed = True  # some of them are its headers
    if content_changed:
        change_content(message.content, changes)
    if changes.keys() - {"isRead"}:
        message.touch(content_changed=content_changed)
    if "isRead" in changes:
        message.set_read(is_read=changes["isRead"])
    return one_message(call, message)


def _check_changes(message: Message, changes: dict[str, Any]) -> None:
    for name in changes.keys() - _CHANGEABLE:
        if name.startswith("@odata."):
            continue
        if name not in _CONTENT:
            raise bad_request(f"The property '{name}' does not exist on type '{TYPE_NAME}'.")
        if not message.is_draft:
            raise GraphError(
                400, "ErrorInvalidPropertySet", f"Set action is invalid for property '{name}'."
            )
    if not isinstance(changes.get("isRead", True), bool):
        raise GraphError(
            400,
            "RequestBodyRead",
            f"Cannot convert the literal '{changes['isRead']}' to the expected type 'Edm.Boolean'.",
        )
    if not isinstance(changes.get("categories", []), list):
        raise GraphError(400, "RequestBodyRead", "A 'StartArray' node was expected.")


def _flag_status(flag: object) -> str:
    status = flag.get("flagStatus") if isinstance(flag, dict) else None
    if status not in _FLAG_STATUSES:
        raise GraphError(400, "RequestBodyRead", f"Requested value '{status}' was not found.")
    return str(status)


@operation("POST", "users/{}/messages/{}/move", "move")
def move_message(call: Call) -> Answer:
    """Move a message; without immutable ids it has another id from then on."""
    message, folder = message_of(call), _destination(call)
    call.mailbox.move(message, folder)
    return _moved(call, message)


@operation("POST", "users/{}/messages/{}/copy", "copy")
def copy_message(call: Call) -> Answer:
    """Copy a message into another folder."""
    message, folder = message_of(call), _destination(call)
    return _moved(call, call.mailbox.copy(message, folder))


def _moved(call: Call, message: Message) -> Answer:
    renderer = MessageRenderer(call, NO_OPTIONS)
    own = call.shape.id_of(message)
    context = call.context("/messages/$entity")
    location = call.location(f"messages('{quote(own, safe='=')}')")
    return json_answer(renderer.object(message, context), 201, {"Location": location})


def _destination(call: Call) -> Folder:
    body = {name.lower(): value for name, value in call.request.json().items()}
    destination = body.get("destinationid")
    if not isinstance(destination, str) or not destination:
        raise GraphError(
            400, "ErrorInvalidRequest", "The request is missing the parameter 'DestinationId'."
        )
    return call.mailbox.folder(destination)


@operation("DELETE", "users/{}/messages/{}", "message")
def delete_message(call: Call) -> Answer:
    """Delete a message: into Deleted Items, and from there into the recoverable items."""
    call.mailbox.delete(message_of(call))
    return Answer(204)


@operation("POST", "users/{}/messages/{}/permanentdelete", "permanentDelete")
def purge_message(call: Call) -> Answer:
    """Take a message away for good."""
    call.mailbox.purge(message_of(call))
    return Answer(204)
