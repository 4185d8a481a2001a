"""Messages, folders and attachments as the JSON of an answer, joined from rendered pieces."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any
from urllib.parse import quote

from localdev.graph_simulator.content import Attachment
from localdev.graph_simulator.errors import bad_query, bad_request, unknown_property
from localdev.graph_simulator.exchange import to_json
from localdev.graph_simulator.ids import attachment_id
from localdev.graph_simulator.mailbox import Folder
from localdev.graph_simulator.message import Message
from localdev.graph_simulator.message_type import (
    ALL_PROPERTIES,
    DEFAULT_PROPERTIES,
    TYPE_NAME,
    fragment,
    timestamp,
)
from localdev.graph_simulator.odata.options import Expand, Options
from localdev.graph_simulator.operations import Call

_MESSAGE_PROPERTIES = {name.lower(): name for name in ALL_PROPERTIES}
_SIZE_PROPERTY = "Long 0xe08"
_NAMED = re.compile(r"'([^']*)'")
_ATTACHMENT_PROPERTIES = ("id", "lastModifiedDateTime", "name", "contentType", "size", "isInline")
_FOLDER_PROPERTIES = (
    "id",
    "displayName",
    "parentFolderId",
    "childFolderCount",
    "unreadItemCount",
    "totalItemCount",
    "sizeInBytes",
    "isHidden",
)


class MessageRenderer:
    """Renders messages as one request wants them.

    Raises:
        GraphError: 400, for properties that do not exist.
    """

    def __init__(self, call: Call, options: Options) -> None:
        self._call = call
        self._shape = call.shape
        self._names = _selected(options.select)
        self._expand = options.expand
        for expand in options.expand:
            self._check(expand)
        selection = [*options.select, *(f"{expand.name}()" for expand in options.expand)]
        self.context_suffix = f"({','.join(selection)})" if selection else ""

    def object(self, message: Message, context: str = "") -> str:
        """Return one message, with its context if it is the whole answer."""
        parts = [f'"@odata.context":{to_json(context)}'] if context else []
        parts.append(f'"@odata.etag":"W/\\"{message.change_key}\\""')
        parts.append(f'"id":"{self._shape.id_of(message)}"')
        parts += [part for name in self._names if (part := fragment(message, name, self._shape))]
        parts += [self._expanded(message, expand) for expand in self._expand]
        return "{" + ",".join(parts) + "}"

    def _check(self, expand: Expand) -> None:
        if expand.name.lower() == "attachments":
            attachment_names(expand.select)
        elif expand.name.lower() == "singlevalueextendedproperties":
            if "filter" not in expand.options:
                raise bad_request("The expand needs a $filter that names extended properties.")
        else:
            raise bad_query(
                f"Could not find a property named '{expand.name}' on type '{TYPE_NAME}'."
            )

    def _expanded(self, message: Message, expand: Expand) -> str:
        if expand.name.lower() != "attachments":
            value = _extended(message, expand.options["filter"])
            return f'"singleValueExtendedProperties":{to_json(value)}'
        names = attachment_names(expand.select)
        objects = [
            to_json(attachment_object(self._call, message, index, names))
            for index in range(len(message.content.attachments))
        ]
        own = quote(self._shape.id_of(message), safe="")
        context = self._call.context(f"/messages('{own}')/attachments")
        return f'"attachments@odata.context":{to_json(context)},"attachments":[{",".join(objects)}]'


def _extended(message: Message, condition: str) -> list[dict[str, str]]:
    """Return the extended properties that a filter names, as far as a message has them."""
    named = _NAMED.findall(condition)
    found = [
        {"id": name, "value": value}
        for name, value in message.content.properties.items()
        if name in named
    ]
    if any(name.lower().removeprefix("long 0x").lstrip("0") == "e08" for name in named):
        found.append({"id": _SIZE_PROPERTY, "value": str(message.size)})
    return found


def _selected(select: tuple[str, ...]) -> tuple[str, ...]:
    if not select or "*" in select:
        return DEFAULT_PROPERTIES
    wanted = set()
    for name in select:
        canonical = _MESSAGE_PROPERTIES.get(name.lower())
        if canonical is None and name.lower() not in ("id", "attachments"):
            raise unknown_property(name, TYPE_NAME)
        wanted.add(canonical)
    return tuple(name for name in ALL_PROPERTIES if name in wanted)


def attachment_names(select: tuple[str, ...]) -> tuple[str, ...]:
    """Return the properties of a `$select` over attachments; none means all.

    Raises:
        GraphError: 400, for what the base type lacks, `contentBytes` and `contentId` among it.
    """
    known = {name.lower(): name for name in _ATTACHMENT_PROPERTIES}
    for name in select:
        if name.lower() not in known:
            raise unknown_property(name, "microsoft.graph.attachment")
    return tuple(known[name.lower()] for name in select)


def attachment_object(
    call: Call, message: Message, index: int, names: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return one attachment; with `names`, no more than those and what is always there."""
    attachment = message.content.attachments[index]
    is_file = attachment.kind == "file"
    result: dict[str, Any] = {"@odata.type": f"#microsoft.graph.{attachment.kind}Attachment"}
    if is_file:
        result["@odata.mediaContentType"] = attachment.content_type
    values: dict[str, Any] = {
        "id": attachment_id(call.shape.id_of(message), index),
        "lastModifiedDateTime": timestamp(message.modified),
        "name": attachment.name,
        "contentType": attachment.content_type if is_file else None,
        "size": attachment.size,
        "isInline": attachment.is_inline,
    }
    result.update((name, value) for name, value in values.items() if _wanted(name, names))
    if is_file and not names:
        result.update(_file_properties(attachment))
    return result


def _wanted(name: str, names: tuple[str, ...]) -> bool:
    return not names or name == "id" or name in names


def _file_properties(attachment: Attachment) -> dict[str, Any]:
    return {
        "contentId": attachment.content_id,
        "contentLocation": attachment.content_location,
        "contentBytes": b64encode(attachment.content).decode(),
    }


def folder_object(folder: Folder, select: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return one folder; with `select`, no more than its id and those properties.

    Raises:
        GraphError: 400, for properties that do not exist.
    """
    values: dict[str, Any] = {
        "id": folder.id,
        "displayName": folder.display_name,
        "parentFolderId": folder.parent.id if folder.parent else None,
        "childFolderCount": sum(not child.hidden for child in folder.children),
        "unreadItemCount": len(folder.unread),
        "totalItemCount": len(folder.messages),
        "sizeInBytes": folder.size,
        "isHidden": folder.hidden,
    }
    if not select:
        return values
    known = {name.lower(): name for name in _FOLDER_PROPERTIES}
    for name in select:
        if name.lower() not in known:
            raise unknown_property(name, "Microsoft.OutlookServices.MailFolder")
    wanted = {"id", *(known[name.lower()] for name in select)}
    return {name: value for name, value in values.items() if name in wanted}
