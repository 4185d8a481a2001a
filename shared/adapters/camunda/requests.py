"""The three calls of Camunda 8 that take a mail: their paths and bodies.

Source: Camunda 8 Orchestration Cluster REST API, "Publish message", "Correlate message", "Create
process instance". The engine refuses fields that it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared.domain.target import CamundaTarget, EngineCall, TargetMessage

_PATHS = {
    EngineCall.PUBLISH: "/v2/messages/publication",
    EngineCall.CORRELATE: "/v2/messages/correlation",
    EngineCall.START: "/v2/process-instances",
}


def address(target: CamundaTarget) -> str:
    """Where the call is posted to."""
    return target.url + _PATHS[target.call]


def variables_json(variables: Mapping[str, Any]) -> bytes:
    """Variables as they travel: UTF-8, as the engine counts them.

    Half a character, as broken mails have it, becomes a question mark: no UTF-8 holds it.
    """
    text = json.dumps(variables, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def body(target: CamundaTarget, message: TargetMessage, variables: bytes) -> bytes:
    """The body of the call.

    Args:
        target: which call.
        message: what it says.
        variables: see :func:`variables_json`.
    """
    fields: dict[str, Any]
    match target.call:
        case EngineCall.PUBLISH:
            fields = {
                "name": message.message_name,
                "correlationKey": message.correlation_key,
                "timeToLive": int(message.time_to_live.total_seconds() * 1000),
                "messageId": message.message_id,
            }
        case EngineCall.CORRELATE:
            fields = {
                "name": message.message_name,
                "correlationKey": message.correlation_key,
            }
        case EngineCall.START:
            fields = {"processDefinitionId": target.process_id}
    if target.tenant_id:
        fields["tenantId"] = target.tenant_id
    head = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace")
    return head[:-1] + b',"variables":' + variables + b"}"
