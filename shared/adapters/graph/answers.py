"""What Graph and Entra ID answer, and the errors of ours that it becomes; mapped only here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.http import retry_after
from shared.domain.errors import (
    FolderNotFound,
    GraphSaid,
    MailboxError,
    MailboxRefused,
    MailboxUnavailable,
    MailNotFound,
    SignInRefused,
)

UNAVAILABLE = frozenset({408, 409, 412, 423, 425, 429, 500, 502, 503, 504, 509})
"""Statuses after which the same request may succeed; 409 and 412 are edits that met."""

_FOR_NOW = frozenset({302, 303, 307})
"""Redirections that say that they may end."""

_HINTS = {
    "ErrorInvalidUser": "there is no such mailbox in this tenant; check userId",
    "Request_ResourceNotFound": "there is no such user in this tenant; check userId",
    "ResourceNotFound": "there is no such user in this tenant; check userId",
    "MailboxNotEnabledForRESTAPI": (
        "the user has no Exchange Online mailbox that Graph can reach: assign a licence with"
        " Exchange Online, or check that the mailbox is not on premises, inactive or soft-deleted"
    ),
    "MailboxNotSupportedForRESTAPI": "this kind of mailbox cannot be reached by Graph",
    "ErrorAccessDenied": (
        "the app may not do this. Grant the application permission Mail.ReadWrite, or, with RBAC"
        " for Applications, put the mailbox into the scope; it takes effect within two hours"
    ),
    "Authorization_RequestDenied": "the app lacks the application permission Mail.ReadWrite",
    "InvalidAuthenticationToken": (
        "Graph did not take the token: check that GRAPH_ENDPOINT is the endpoint of the tenant's"
        " cloud"
    ),
    "InefficientFilter": "Graph cannot answer this filter with this order; simplify the filter",
    "ErrorInvalidUrlQueryFilter": "Graph does not understand the filter; check the column filter",
    "ErrorQuotaExceeded": "the mailbox is full",
}
_AADSTS = {
    "7000215": "the client secret is wrong: set its value (not its id) anew",
    "7000222": "the client secret has expired: make a new one, or use a managed identity",
    "700016": "the app registration is not known in this tenant: check clientId and tenantId",
    "700027": "the certificate is not registered with the app, or has expired",
    "700211": "no federated credential of the app matches the managed identity: check its issuer",
    "700213": "no federated credential of the app matches the managed identity: check its subject",
    "70021": "no federated credential of the app matches the managed identity",
    "90002": "there is no such tenant: check tenantId",
    "900023": "tenantId is neither an id nor a domain of a tenant",
    "65001": "an administrator has to consent to the app's permissions",
    "7000229": "the app has no service principal in this tenant: an administrator has to consent",
    "53003": "a Conditional Access policy blocks the app",
    "7000112": "the app is disabled in this tenant",
}
_CODE = re.compile(r"AADSTS(\d+)")


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    """One answer of Graph, of its own or out of a `$batch`.

    Args:
        body: parsed JSON; empty where there is none.
    """

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def code(self) -> str:
        """Graph's error code; empty where the answer has none."""
        error = self.body.get("error")
        return str(error.get("code") or "") if isinstance(error, Mapping) else ""

    @property
    def said(self) -> GraphSaid:
        """What the answer says of a failure."""
        error = self.body.get("error")
        message = str(error.get("message") or "") if isinstance(error, Mapping) else ""
        request_id = next((v for n, v in self.headers.items() if n.lower() == "request-id"), "")
        return GraphSaid(self.status, self.code, message, request_id)

    def raise_for(self, mailbox: str, what: str) -> None:
        """Raises the error that the answer stands for, if it stands for one.

        Args:
            mailbox: the mailbox that was asked.
            what: what was asked for, such as ``list messages``.
        """
        if self.status >= 300:  # noqa: PLR2004 - redirections are not followed
            error = self._error(mailbox, what)
            error.said = self.said
            raise error

    def _error(self, mailbox: str, what: str) -> MailboxError:
        said = f"{what}: Graph answered {self.status} {self.code}".rstrip()
        if self.status in UNAVAILABLE:
            return MailboxUnavailable(mailbox, said, retry_after(self.headers))
        if self.status < 400:  # noqa: PLR2004 - HTTP's border between redirection and failure
            return _redirected(mailbox, said, self.status)
        hint = _HINTS.get(self.code, "")
        if self.status == 404 and not hint:  # noqa: PLR2004 - Not Found
            return MailNotFound(mailbox, said)
        refused = SignInRefused if self.status == 401 else MailboxRefused  # noqa: PLR2004 - Unauthorized
        return refused(mailbox, f"{said}: {hint}" if hint else said)


def _redirected(mailbox: str, said: str, status: int) -> MailboxError:
    """No answer of Graph's to what we ask: a proxy in between, or a wrong endpoint."""
    what = f"{said}, a redirection: check GRAPH_ENDPOINT, and proxies on the way"
    if status in _FOR_NOW:
        return MailboxUnavailable(mailbox, what)
    return MailboxRefused(mailbox, what)


def folder_not_found(error: MailNotFound, folder: str) -> FolderNotFound:
    """The same answer, where it was a folder that was asked for."""
    found = FolderNotFound(error.mailbox, f"the folder {folder!r} is not there ({error.what})")
    found.said = error.said
    return found


def parsed_body(content: bytes) -> Mapping[str, Any]:
    """JSON of an answer; empty where it is none, as with a gateway's HTML page."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def sign_in_error(mailbox: str, message: str) -> MailboxError:
    """The error for a token that Entra ID refused. Its message is searched, never repeated."""
    found = _CODE.search(message)
    if found is None:
        return SignInRefused(
            mailbox,
            "no token from Entra ID. Is there a managed identity, or are tenantId, clientId and"
            " clientSecret set?",
        )
    hint = _AADSTS.get(found[1], "see the code at https://login.microsoftonline.com/error")
    return SignInRefused(mailbox, f"no token from Entra ID, AADSTS{found[1]}: {hint}")
