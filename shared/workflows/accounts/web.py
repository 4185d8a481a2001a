"""Accounts over HTTP: what each route answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.account_ports import AccountPorts
from shared.domain.accounts import (
    Account,
    AccountError,
    AccountNotFound,
    AccountRefused,
    AccountUnavailable,
    EntraRefused,
    EntraUnavailable,
    StateRefused,
)
from shared.domain.errors import ConnectorError, SettingsError, StorageUnavailable
from shared.telemetry import logger
from shared.workflows.accounts import keeping, pages, sign_in
from shared.workflows.accounts.sign_in import Consented, Cookie, Sent

_OK = 200
_FOUND = 302
_BAD_REQUEST = 400
_NOT_FOUND = 404
_CONFLICT = 409
_UNAVAILABLE = 503

_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_COOKIE_CHARACTERS = 8192


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


async def connect(query: Mapping[str, str], ports: AccountPorts) -> Reply:
    """``GET /api/accounts/connect?name=…&mailbox=…&tenant=…``: to Entra ID, or what is wrong."""
    name = query.get("name", "")
    try:
        sent = await sign_in.begin(name, query.get("mailbox", ""), query.get("tenant", ""), ports)
    except (ConnectorError, ValueError) as error:
        return _failed("This account cannot be connected", error)
    return _redirected(sent)


async def consent(query: Mapping[str, str], ports: AccountPorts) -> Reply:
    """``GET /api/accounts/consent?tenant=…``: an administrator to Entra ID."""
    try:
        sent = await sign_in.begin_consent(query.get("tenant", ""), ports)
    except (ConnectorError, ValueError) as error:
        return _failed("Consent cannot be asked for", error)
    return _redirected(sent)


async def callback(
    query: Mapping[str, str], headers: Mapping[str, str], ports: AccountPorts
) -> Reply:
    """``GET /api/accounts/callback``: a page that says connected, or what to do instead."""
    cookies = _cookies(headers.get("Cookie") or "")
    try:
        reply = _welcome(await sign_in.complete(query, cookies, ports))
    except ConnectorError as error:
        reply = _failed("Not connected", error)
    if not cookies or not ports.public_url:
        return reply
    forgotten = _set_cookie(sign_in.spent(query, ports))
    return replace(reply, headers={**reply.headers, "Set-Cookie": forgotten})


async def listed(ports: AccountPorts) -> Reply:
    """``GET /api/accounts``."""
    try:
        return _json(_OK, {"accounts": await keeping.all_accounts(ports)})
    except ConnectorError as error:
        return _json(_status(error), {"error": str(error)})


async def shown(name: str, ports: AccountPorts) -> Reply:
    """``GET /api/accounts/{name}``."""
    try:
        return _json(_OK, await keeping.one_account(name, ports))
    except ConnectorError as error:
        return _json(_status(error), {"error": str(error)})


async def disconnected(name: str, ports: AccountPorts) -> Reply:
    """``DELETE /api/accounts/{name}``."""
    try:
        account = await keeping.disconnect(name, ports)
    except ConnectorError as error:
        return _json(_status(error), {"error": str(error)})
    return _json(_OK, keeping.shown(account, ports.vault))


def _welcome(done: Account | Consented) -> Reply:
    if isinstance(done, Consented):
        title = "The permissions are granted for everybody in your organisation"
        told = ["People of it can connect their accounts now.", "You can close this page."]
        return _page(_OK, title, told)
    told = [
        f"{done.user} has signed in. The account {done.name} serves the mailbox {done.mailbox}.",
        f"Subscriptions use it with the column account: {done.name}.",
        "You can close this page.",
    ]
    return _page(_OK, "Connected", told)


def _redirected(sent: Sent) -> Reply:
    headers = {**_NO_STORE, "Location": sent.url, "Set-Cookie": _set_cookie(sent.cookie)}
    return Reply(_FOUND, headers)


def _set_cookie(cookie: Cookie) -> str:
    """Lax: it comes back with the redirect from Entra ID, and with nothing that a page loads."""
    parts = [
        f"{cookie.name}={cookie.value}",
        "Path=/",
        f"Max-Age={cookie.seconds}",
        "HttpOnly",
        "SameSite=Lax",
    ]
    return "; ".join([*parts, "Secure"] if cookie.secure else parts)


def _cookies(header: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in header[:_COOKIE_CHARACTERS].split(";"))
    return {name: value for name, _, value in pairs if name}


def _failed(title: str, error: Exception) -> Reply:
    """A page for a person; what went wrong and what to do are in the error's text."""
    paragraphs = [str(error)]
    if isinstance(error, EntraRefused):
        refusal = error.refusal
        paragraphs = [f"Entra ID refused ({refusal.named}): {refusal.why}", refusal.remedy]
        logger().warning("account.not_connected", code=refusal.named)
    elif isinstance(error, AccountError):
        logger().warning("account.not_connected", account=error.account)
    elif isinstance(error, EntraUnavailable | StorageUnavailable):
        paragraphs.append("Nothing was changed. Try again in a few minutes.")
    return _page(_status(error), title, paragraphs)


def _status(error: Exception) -> int:
    match error:
        case AccountNotFound():
            return _NOT_FOUND
        case AccountRefused():
            return _CONFLICT
        case AccountUnavailable() | EntraUnavailable() | StorageUnavailable() | SettingsError():
            return _UNAVAILABLE
        case StateRefused() | EntraRefused() | _:
            return _BAD_REQUEST


def _page(status: int, title: str, paragraphs: list[str]) -> Reply:
    return Reply(status, pages.HEADERS, pages.page(title, paragraphs))


def _json(status: int, body: Mapping[str, Any]) -> Reply:
    return Reply(status, {**_NO_STORE, "Content-Type": "application/json"}, json.dumps(body))
