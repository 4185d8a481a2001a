"""The columns that say what accepts the mail: they depend on each other, and are read as one."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from shared.domain import values
from shared.domain.target import (
    CamundaTarget,
    ClientCredentials,
    EngineAuth,
    EngineCall,
    Target,
    TargetAuth,
    WebhookTarget,
)

SAAS_TOKEN_URL = "https://login.cloud.camunda.io/oauth/token"  # noqa: S105 - an address
SAAS_AUDIENCE = "zeebe.camunda.io"

_ONLY_CAMUNDA = ("targetMode", "processDefinitionId", "targetTenantId")
_MEANINGLESS: Mapping[EngineCall, Collection[str]] = {
    EngineCall.PUBLISH: ("processDefinitionId",),
    EngineCall.CORRELATE: ("processDefinitionId", "messageTtl", "messageIdExpression"),
    EngineCall.START: ("messageName", "correlationKeyExpression", "messageTtl"),
}
"""Columns that a call has no place for: none of them is read and then ignored."""

_WEBHOOK_AUTH = (
    "a reference {{secrets.NAME}} to the signing secret, or a JSON object of references with"
    " signing and one of bearer, basic"
)
_ENGINE_AUTH = (
    'a JSON object: {"basic": "{{secrets.NAME}}"} with a secret user:password; or'
    ' {"clientId": "…", "clientSecret": "{{secrets.NAME}}"} with tokenUrl and audience where the'
    " cluster is not Camunda's SaaS, and scope where the identity provider wants one"
)
_HIDDEN = "a value that is not shown"
_ENGINE_URL = "the address of a cluster, without ? and #"


def read_target(
    fields: Mapping[str, Any], given: Collection[str], plain_http_hosts: Collection[str]
) -> tuple[Target | None, list[str]]:
    """The target that a row's columns name, or everything that is wrong with them.

    Args:
        fields: the columns as read one by one.
        given: the columns that have a value.
        plain_http_hosts: hosts that may be called without TLS.
    """
    problems = _plain_http("targetUrl", fields["targetUrl"], plain_http_hosts)
    if fields["target"] == "camunda":
        target, found = _camunda(fields, given, plain_http_hosts)
        return target, problems + found
    problems += [
        f"column {column}: only target camunda has it."
        for column in _ONLY_CAMUNDA
        if column in given
    ]
    try:
        auth = _webhook_auth(fields["targetAuth"])
    except ValueError as error:
        return None, [*problems, f"column targetAuth: {_HIDDEN}; allowed: {error}."]
    return WebhookTarget(fields["targetUrl"] or "", auth), problems


def _camunda(
    fields: Mapping[str, Any], given: Collection[str], plain_http_hosts: Collection[str]
) -> tuple[Target | None, list[str]]:
    call = EngineCall(fields["targetMode"])
    problems = [
        f"column {column}: means nothing with targetMode {call}; leave it out."
        for column in _MEANINGLESS[call]
        if column in given
    ]
    needed = "processDefinitionId" if call is EngineCall.START else "messageName"
    if needed not in given:
        problems.append(f"column {needed}: missing; targetMode {call} needs it.")
    url: str = fields["targetUrl"] or ""
    if "?" in url or "#" in url:
        # what is added to it for a call would end up there
        problems.append(f"column targetUrl: {_HIDDEN}; allowed: {_ENGINE_URL}.")
    try:
        auth = _engine_auth(fields["targetAuth"])
    except ValueError as error:
        return None, [*problems, f"column targetAuth: {_HIDDEN}; allowed: {error}."]
    if auth.oidc is not None:
        problems += _plain_http("targetAuth (tokenUrl)", auth.oidc.token_url, plain_http_hosts)
    target = CamundaTarget(
        url=url.rstrip("/").removesuffix("/v2").rstrip("/"),
        call=call,
        process_id=fields["processDefinitionId"],
        tenant_id=fields["targetTenantId"],
        auth=auth,
    )
    return target, problems


def _plain_http(column: str, address: str | None, allowed: Collection[str]) -> list[str]:
    if not address or urlsplit(address).scheme != "http":
        return []
    host = urlsplit(address).hostname
    allowance = "allowed: https, or a host that the app setting PLAIN_HTTP_HOSTS names."
    return [] if host in allowed else [f"column {column}: plain http to {host}; {allowance}"]


def _webhook_auth(value: str) -> TargetAuth:
    word = value.strip()
    if not word:
        return TargetAuth()
    if not word.startswith("{") or word.startswith("{{"):
        try:
            return TargetAuth(signing=values.secret_reference(word))
        except ValueError:
            raise ValueError(_WEBHOOK_AUTH) from None
    try:
        fields = json.loads(word)
        auth = TargetAuth(**{name: values.secret_reference(ref) for name, ref in fields.items()})
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError(_WEBHOOK_AUTH) from None
    if auth.bearer and auth.basic:
        raise ValueError("bearer or basic, not both")
    return auth


def _engine_auth(value: str) -> EngineAuth:
    if not value.strip():
        return EngineAuth()
    try:
        fields = json.loads(value)
        if "basic" in fields:
            [reference] = fields.values()
            return EngineAuth(basic=values.secret_reference(reference))
        return EngineAuth(oidc=_client_credentials(**fields))
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError(_ENGINE_AUTH) from None


def _client_credentials(
    *,
    clientId: str,  # noqa: N803 - spelled as in the column
    clientSecret: str,  # noqa: N803 - the same
    tokenUrl: str = "",  # noqa: N803 - the same
    audience: str = "",
    scope: str = "",
) -> ClientCredentials:
    if not all(isinstance(one, str) for one in (clientId, tokenUrl, audience, scope)):
        raise TypeError("texts only")
    return ClientCredentials(
        token_url=values.url(tokenUrl or SAAS_TOKEN_URL),
        client_id=values.text(clientId),
        secret=values.secret_reference(clientSecret),
        audience=audience if tokenUrl else audience or SAAS_AUDIENCE,
        scope=scope,
    )
