"""What belongs to a user as such: the user, and the translation of ids."""

from __future__ import annotations

from typing import Any

from localdev.graph_simulator.errors import GraphError, bad_request
from localdev.graph_simulator.exchange import Answer, json_answer, to_json
from localdev.graph_simulator.operations import Call, operation

_MOST_IDS = 1000
_ENTRY_ID_TYPES = ("entryid", "ewsid")


@operation("GET", "users/{}", "user")
def get_user(call: Call) -> Answer:
    """Read a user, with the properties that Graph gives unasked."""
    given, _, surname = call.mailbox.display_name.partition(" ")
    user: dict[str, Any] = {
        "businessPhones": [],
        "displayName": call.mailbox.display_name,
        "givenName": given,
        "jobTitle": None,
        "mail": call.mailbox.address,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": surname or None,
        "userPrincipalName": call.mailbox.address,
        "id": call.mailbox.user_id,
    }
    select = call.options().select
    if select:
        wanted = {name.lower() for name in select}
        user = {name: value for name, value in user.items() if name.lower() in wanted}
    context = f"{call.request.base_url}/v1.0/$metadata#users"
    suffix = f"({','.join(select)})" if select else ""
    return json_answer(to_json({"@odata.context": f"{context}{suffix}/$entity", **user}))


@operation("POST", "users/{}/translateexchangeids", "translateExchangeIds")
def translate_ids(call: Call) -> Answer:
    """Give each id in the other kind; an id that leads nowhere carries its own error."""
    body = {name.lower(): value for name, value in call.request.json().items()}
    source_ids = body.get("inputids")
    target = str(body.get("targetidtype", "")).lower()
    if not isinstance(source_ids, list) or not target or not body.get("sourceidtype"):
        raise bad_request("inputIds, sourceIdType and targetIdType are required.")
    if len(source_ids) > _MOST_IDS:
        raise bad_request(f"The number of ids is over the maximum of {_MOST_IDS}.")
    if target in _ENTRY_ID_TYPES:
        raise bad_request(f"The target id type '{target}' is not simulated.")
    immutable = "immutable" in target
    value = [_translated(call, str(source_id), immutable=immutable) for source_id in source_ids]
    context = call.context("/translateExchangeIds")
    return json_answer(to_json({"@odata.context": context, "value": value}))


def _translated(call: Call, source_id: str, *, immutable: bool) -> dict[str, Any]:
    try:
        message = call.mailbox.message(source_id)
    except GraphError as error:
        details = {"code": error.code, "message": error.message}
        return {"sourceId": source_id, "errorDetails": details}
    target_id = message.id if immutable else message.mutable_id
    return {"sourceId": source_id, "targetId": target_id}
