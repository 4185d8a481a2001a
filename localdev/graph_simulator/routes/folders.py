"""Mail folders: list, create, read, rename, delete."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from localdev.graph_simulator.errors import GraphError, bad_query, folder_exists
from localdev.graph_simulator.exchange import Answer, json_answer, to_json
from localdev.graph_simulator.mailbox import Folder
from localdev.graph_simulator.odata.options import Expand, Options
from localdev.graph_simulator.odata.predicates import Property, Schema, compile_predicate
from localdev.graph_simulator.odata.syntax import parse_filter
from localdev.graph_simulator.operations import Call, operation
from localdev.graph_simulator.routes.listing import DEFAULT_PAGE, next_link
from localdev.graph_simulator.routes.rendering import folder_object

_SCHEMA: Schema[Folder] = Schema(
    "Microsoft.OutlookServices.MailFolder",
    {
        "displayname": Property(str, lambda folder: folder.display_name.casefold()),
        "totalitemcount": Property(int, lambda folder: len(folder.messages)),
        "unreaditemcount": Property(int, lambda folder: len(folder.unread)),
        "ishidden": Property(bool, lambda folder: folder.hidden),
    },
    {},
)


@operation("GET", "users/{}/mailfolders", "mailFolders")
def list_folders(call: Call) -> Answer:
    """List the folders right below the root."""
    return _list(call, call.mailbox.root, "/mailFolders")


@operation("GET", "users/{}/mailfolders/{}/childfolders", "childFolders")
def list_child_folders(call: Call) -> Answer:
    """List the folders right below a folder."""
    return _list(call, call.mailbox.folder(call.keys[1]), _children_context(call))


@operation("POST", "users/{}/mailfolders", "mailFolders")
def create_folder(call: Call) -> Answer:
    """Create a folder below the root."""
    return _create(call, call.mailbox.root, "/mailFolders")


@operation("POST", "users/{}/mailfolders/{}/childfolders", "childFolders")
def create_child_folder(call: Call) -> Answer:
    """Create a folder below a folder."""
    return _create(call, call.mailbox.folder(call.keys[1]), _children_context(call))


@operation("GET", "users/{}/mailfolders/{}", "mailFolder")
def get_folder(call: Call) -> Answer:
    """Read one folder."""
    options = call.options()
    folder = call.mailbox.folder(call.keys[1])
    suffix = f"({','.join(options.select)})" if options.select else ""
    return _folder(call, folder, f"/mailFolders{suffix}", options=options)


@operation("PATCH", "users/{}/mailfolders/{}", "mailFolder")
def rename_folder(call: Call) -> Answer:
    """Give a folder another name."""
    folder = call.mailbox.folder(call.keys[1])
    name = _display_name(call)
    if folder.parent is not None and folder.parent.child(name) not in (None, folder):
        raise folder_exists()
    folder.display_name = name
    return _folder(call, folder, "/mailFolders")


@operation("DELETE", "users/{}/mailfolders/{}", "mailFolder")
def delete_folder(call: Call) -> Answer:
    """Move a folder with its messages below Deleted Items."""
    folder = call.mailbox.folder(call.keys[1])
    if folder.well_known or folder.parent is None:
        raise GraphError(
            400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted."
        )
    folder.parent.children.remove(folder)
    folder.parent = call.mailbox.well_known["deleteditems"]
    folder.parent.children.append(folder)
    return Answer(204)


def _children_context(call: Call) -> str:
    return f"/mailFolders('{quote(call.keys[1], safe='')}')/childFolders"


def _list(call: Call, parent: Folder, path: str) -> Answer:
    options = call.options()
    folders = [f for f in parent.children if options.include_hidden or not f.hidden]
    if options.filter:
        folders = list(
            filter(compile_predicate(parse_filter(options.filter).root, _SCHEMA), folders)
        )
    for order in reversed(options.order_by):
        if order.path.lower() not in _SCHEMA.properties:
            raise bad_query(f"Could not find a property named '{order.path}' to order by.")
        read = _SCHEMA.properties[order.path.lower()].read
        folders.sort(key=read, reverse=order.descending)
    top = options.top or DEFAULT_PAGE
    page = folders[options.skip : options.skip + top]
    answer: dict[str, Any] = {"@odata.context": call.context(path + _suffix(options))}
    if options.count:
        answer["@odata.count"] = len(folders)
    answer["value"] = [_expanded(folder, options) for folder in page]
    if options.skip + top < len(folders):
        answer["@odata.nextLink"] = next_link(call, options.skip + top)
    return json_answer(to_json(answer))


def _suffix(options: Options) -> str:
    names = [*options.select, *(f"{expand.name}()" for expand in options.expand)]
    return f"({','.join(names)})" if names else ""


def _expanded(folder: Folder, options: Options) -> dict[str, Any]:
    result = folder_object(folder, options.select)
    for expand in options.expand:
        if expand.name.lower() != "childfolders":
            raise bad_query(f"Could not find a property named '{expand.name}' to expand.")
        result["childFolders"] = _children(folder, expand)
    return result


def _children(folder: Folder, expand: Expand) -> list[dict[str, Any]]:
    top = expand.options.get("top", str(DEFAULT_PAGE))
    if not top.isdigit():
        raise bad_query(f"Invalid value '{top}' for $top query option found.")
    visible = [child for child in folder.children if not child.hidden]
    return [folder_object(child, expand.select) for child in visible[: int(top)]]


def _create(call: Call, parent: Folder, path: str) -> Answer:
    name = _display_name(call)
    folder = parent.create_child(name, hidden=bool(call.request.json().get("isHidden", False)))
    location = call.location(f"mailFolders('{folder.id}')")
    return _folder(call, folder, path, status=201, headers={"Location": location})


def _display_name(call: Call) -> str:
    name = call.request.json().get("displayName")
    if not isinstance(name, str) or not name.strip():
        raise GraphError(
            400, "ErrorInvalidRequest", "The request is missing the property 'DisplayName'."
        )
    return name


def _folder(
    call: Call,
    folder: Folder,
    path: str,
    *,
    options: Options | None = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Answer:
    answer = {"@odata.context": call.context(f"{path}/$entity")}
    answer.update(_expanded(folder, options) if options else folder_object(folder))
    return json_answer(to_json(answer), status, headers)
