"""Attachments: list, read, read raw, and add to a draft."""

from __future__ import annotations

from urllib.parse import quote

from localdev.graph_simulator.compose import attachment_from_json
from localdev.graph_simulator.errors import (
    GraphError,
    bad_request,
    item_not_found,
    malformed_id,
)
from localdev.graph_simulator.exchange import Answer, json_answer, to_json
from localdev.graph_simulator.ids import Origin, attachment_id
from localdev.graph_simulator.message import Message
from localdev.graph_simulator.operations import Call, operation
from localdev.graph_simulator.routes.messages import message_of
from localdev.graph_simulator.routes.rendering import attachment_names, attachment_object
from localdev.graph_simulator.uploads import LARGEST_ATTACHMENT, UploadSession

_LARGEST_POST = 3 * 1024 * 1024


@operation("GET", "users/{}/messages/{}/attachments", "attachments")
def list_attachments(call: Call) -> Answer:
    """List all attachments, with all their bytes unless a `$select` leaves them out."""
    options = call.options()
    message = message_of(call)
    names = attachment_names(options.select)
    suffix = f"({','.join(options.select)})" if options.select else ""
    value = [
        attachment_object(call, message, index, names)
        for index in range(len(message.content.attachments))
    ]
    context = call.context(f"{_path(call)}{suffix}")
    return json_answer(to_json({"@odata.context": context, "value": value}))


@operation("GET", "users/{}/messages/{}/attachments/{}", "attachment")
def get_attachment(call: Call) -> Answer:
    """Read one attachment."""
    names = attachment_names(call.options().select)
    message = message_of(call)
    index = _index(call, message)
    context = call.context(f"{_path(call)}/$entity")
    found = attachment_object(call, message, index, names)
    return json_answer(to_json({"@odata.context": context, **found}))


@operation("GET", "users/{}/messages/{}/attachments/{}/$value", "attachment $value")
def get_attachment_bytes(call: Call) -> Answer:
    """Read an attachment raw: a file's bytes, an item's MIME; a reference has neither."""
    message = message_of(call)
    attachment = message.content.attachments[_index(call, message)]
    if attachment.kind == "reference":
        raise GraphError(
            405,
            "ErrorInvalidRequest",
            "The raw content of a reference attachment cannot be read.",
        )
    content_type = "text/plain" if attachment.kind == "item" else attachment.content_type
    return Answer(200, attachment.content, content_type)


@operation("POST", "users/{}/messages/{}/attachments", "attachments")
def add_attachment(call: Call) -> Answer:
    """Add an attachment of less than 3 MB to a draft."""
    message = message_of(call)
    attachment = attachment_from_json(call.request.json())
    if len(attachment.content) > _LARGEST_POST:
        raise GraphError(
            413, "ErrorAttachmentSizeLimitExceeded", "The attachment is too large for one POST."
        )
    message.content.attachments.append(attachment)
    message.touch(content_changed=True)
    index = len(message.content.attachments) - 1
    found = attachment_object(call, message, index)
    location = call.location(f"messages('{call.keys[1]}')/attachments('{found['id']}')")
    context = call.context(f"{_path(call)}/$entity")
    body = to_json({"@odata.context": context, **found})
    return json_answer(body, 201, {"Location": location})


@operation("POST", "users/{}/messages/{}/attachments/{}", "attachments createUploadSession")
def create_upload_session(call: Call) -> Answer:
    """Open an upload session for a file of up to 150 MB."""
    message = message_of(call)
    if call.keys[2].lower() != "createuploadsession":
        raise bad_request(f"Resource not found for the segment '{call.keys[2]}'.")
    item = call.request.json().get("AttachmentItem")
    size = item.get("size") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(size, int) or not item.get("name"):
        raise bad_request("AttachmentItem needs attachmentType, name and size.")
    if not 0 < size <= LARGEST_ATTACHMENT:
        raise GraphError(
            413, "ErrorAttachmentSizeLimitExceeded", "The attachment is larger than 150 MB."
        )
    session = UploadSession(
        message,
        str(item["name"]),
        str(item.get("contentType") or "application/octet-stream"),
        size,
        is_inline=bool(item.get("isInline")),
        content_id=item.get("contentId"),
    )
    answer = {
        "@odata.context": f"{call.request.base_url}/v1.0/$metadata#microsoft.graph.uploadSession",
        "uploadUrl": f"{call.request.base_url}{call.directory.uploads.open(session)}",
        **session.state(),
    }
    return json_answer(to_json(answer), 201)


def _path(call: Call) -> str:
    return f"{call.folder_context}/messages('{quote(call.keys[1], safe='')}')/attachments"


def _index(call: Call, message: Message) -> int:
    wanted = call.keys[2]
    for index in range(len(message.content.attachments)):
        if wanted in (attachment_id(message.id, index), attachment_id(message.mutable_id, index)):
            return index
    if call.mailbox.ids.origin(wanted) is Origin.MALFORMED:
        raise malformed_id()
    raise item_not_found()
