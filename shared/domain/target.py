"""What accepts mail: the two kinds of target, and the message that each of them is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class TargetAuth:
    """Names of the secrets that a webhook wants. Empty: not used.

    Args:
        signing: secret of the Standard Webhooks signature; empty means that of the app settings.
        bearer: secret sent as ``Authorization: Bearer``.
        basic: secret ``user:password`` sent as ``Authorization: Basic``.
    """

    signing: str = ""
    bearer: str = ""
    basic: str = ""


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """An HTTP endpoint that takes mail as signed JSON."""

    url: str
    auth: TargetAuth = field(default_factory=TargetAuth)


class EngineCall(StrEnum):
    """What the engine is asked for. Named as in the column `targetMode`."""

    PUBLISH = "publish"
    CORRELATE = "correlate"
    START = "start"


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OpenID Connect client credentials.

    Args:
        token_url: where tokens are given out.
        client_id: the client.
        secret: name of the secret that holds the client secret.
        audience: what the token is for; empty where the identity provider wants none.
        scope: likewise.
    """

    token_url: str
    client_id: str
    secret: str
    audience: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class EngineAuth:
    """How the engine lets the connector in; nothing set: without a sign-in.

    Args:
        basic: name of the secret ``user:password``.
        oidc: client credentials.
    """

    basic: str = ""
    oidc: ClientCredentials | None = None


@dataclass(frozen=True, slots=True)
class CamundaTarget:
    """A Camunda 8 cluster, through its REST API.

    Args:
        url: address of the cluster, without ``/v2`` and without a slash at the end.
        process_id: BPMN process id that :attr:`EngineCall.START` starts.
        tenant_id: tenant within the engine; empty for the default one.
    """

    url: str
    call: EngineCall = EngineCall.PUBLISH
    process_id: str = ""
    tenant_id: str = ""
    auth: EngineAuth = field(default_factory=EngineAuth)


Target: TypeAlias = WebhookTarget | CamundaTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetMessage:
    """What a target is given.

    Args:
        message_id: the identity of the message, the same at every attempt.
        message_name: what the target knows such messages by; may be empty for a webhook.
        correlation_key: which process waits for it; empty where none is meant.
        time_to_live: how long the target should keep the message for a process that comes later.
        subscription: name of the subscription.
        variables: JSON.
        traceparent: W3C trace context.
    """

    message_id: str
    message_name: str
    correlation_key: str
    time_to_live: timedelta
    subscription: str
    variables: Mapping[str, Any]
    traceparent: str
