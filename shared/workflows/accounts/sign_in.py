"""A person signs in: the browser is sent to Entra ID, and comes back with a code.

The browser is known again by a cookie, so that nobody completes what somebody else began.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from shared.account_ports import AccountPorts, PendingSignIn, Tokens
from shared.domain.accounts import (
    OWN_SCOPES,
    SHARED_SCOPES,
    Account,
    AccountNotFound,
    AccountRefused,
    AccountUnavailable,
    EntraRefused,
    Person,
    State,
    StateRefused,
    account_name,
    check_not_ended,
    check_only_one,
    check_same_person,
    mailbox_address,
    tenant_name,
)
from shared.domain.errors import SettingsError
from shared.telemetry import logger

CALLBACK = "/api/accounts/callback"
"""Path of the reply URL below the public one; registered with the app."""

PATIENCE = timedelta(minutes=10)
"""How long a person may take at Entra ID."""

ATTEMPTS = 5
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_STATE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Cookie:
    """What the browser is given, to be known again. Its path is `/`, as `__Host-` wants it.

    Args:
        secure: whether it goes over TLS only.
        seconds: how long it is kept; 0 to forget it now.
    """

    name: str
    value: str
    secure: bool
    seconds: int


@dataclass(frozen=True, slots=True)
class Sent:
    """Where to send the browser, and what to give it."""

    url: str
    cookie: Cookie


@dataclass(frozen=True, slots=True)
class Consented:
    """An administrator has agreed for a tenant."""

    tenant: str


async def begin(name: str, mailbox: str, tenant: str, ports: AccountPorts) -> Sent:
    """Begins to connect an account; one that is connected is signed in to again.

    Args:
        name: of the account.
        mailbox: what it is to serve; empty for the mailbox of the person who signs in.
        tenant: of that person; empty for that of the settings, or any.
        ports: what is needed.

    Raises:
        ValueError: one of them cannot be used; says what is allowed.
        AccountRefused: the mailbox has another account, or the account another mailbox.
        SettingsError: the app is not set up for accounts.
        ConnectorError: Entra ID or the storage did not answer.
    """
    name, mailbox, tenant = account_name(name), mailbox_address(mailbox), tenant_name(tenant)
    known = await ports.accounts.read(name)
    if known is not None and known.is_kept:
        if mailbox and mailbox.lower() != known.mailbox.lower():
            what = f"it serves {known.mailbox}. Disconnect it first, or take another name."
            raise AccountRefused(name, what)
        return await _send(known, ports)
    if mailbox:
        check_only_one(mailbox, name, await ports.accounts.all())
    # only after the sign-in it is known whether a mailbox is the person's own
    scopes = (*OWN_SCOPES, *SHARED_SCOPES) if mailbox else OWN_SCOPES
    return await _send(Account(name=name, mailbox=mailbox, tenant=tenant, scopes=scopes), ports)


async def reauthenticate(name: str, ports: AccountPorts) -> Sent:
    """Begins to sign in to an account again, as the same person.

    Raises:
        AccountNotFound: there is none of this name.
        ConnectorError: as :func:`begin`.
    """
    known = await ports.accounts.read(name)
    if known is None or not known.is_kept:
        raise AccountNotFound(name)
    return await _send(known, ports)


async def begin_consent(tenant: str, ports: AccountPorts) -> Sent:
    """Sends an administrator to agree for everybody in a tenant.

    Raises:
        ValueError: it cannot be the name of a tenant.
        ConnectorError: as :func:`begin`.
    """
    state, pending, cookie = _pending(
        Account(name="", mailbox="", tenant=tenant_name(tenant)), ports
    )
    scopes = (*OWN_SCOPES, *SHARED_SCOPES)
    url = ports.sign_in.consent_url(tenant, scopes, _callback(ports), state)
    await _keep(pending, ports)
    return Sent(url, cookie)


async def complete(
    answer: Mapping[str, str], cookies: Mapping[str, str], ports: AccountPorts
) -> Account | Consented:
    """Takes a browser in that comes back from Entra ID.

    Args:
        answer: the query of the callback.
        cookies: what the browser sent.
        ports: what is needed.

    Raises:
        StateRefused: it was not sent there so.
        EntraRefused: the sign-in, or the consent, was refused.
        AccountRefused: another person, a mailbox that has an account, or one that does not open.
        ConnectorError: Entra ID or the storage did not answer.
    """
    pending = await _taken(answer, cookies, ports)
    if not pending.account:
        return _consented(answer, pending)
    flow = ports.vault.open(_owner(pending.key), pending.sealed)
    person, tokens = await ports.sign_in.complete(pending.tenant, flow, answer)
    if not tokens.refresh_token:
        what = "Entra ID gave no refresh token. Add the permission offline_access to the app."
        raise AccountRefused(pending.account, what)
    return await _connected(pending, person, tokens, ports)


def spent(answer: Mapping[str, str], ports: AccountPorts) -> Cookie:
    """The cookie of a callback, to be forgotten: it is good for one sign-in."""
    return _cookie(_digest(answer.get("state", "")), "", 0, ports)


async def _send(account: Account, ports: AccountPorts) -> Sent:
    state, pending, cookie = _pending(account, ports)
    begun = await ports.sign_in.begin(
        account.tenant, account.scopes, _callback(ports), state, account.user
    )
    sealed = ports.vault.seal(_owner(pending.key), begun.flow)
    await _keep(replace(pending, sealed=sealed), ports)
    return Sent(begun.url, cookie)


def _pending(account: Account, ports: AccountPorts) -> tuple[str, PendingSignIn, Cookie]:
    state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    key = _digest(state)
    pending = PendingSignIn(
        key=key,
        browser=_digest(browser),
        expires_at=ports.clock.now() + PATIENCE,
        account=account.name,
        mailbox=account.mailbox,
        tenant=account.tenant,
    )
    return state, pending, _cookie(key, browser, int(PATIENCE.total_seconds()), ports)


def _cookie(key: str, value: str, seconds: int, ports: AccountPorts) -> Cookie:
    return Cookie(_cookie_name(key, ports), value, _is_secure(ports), seconds)


async def _keep(pending: PendingSignIn, ports: AccountPorts) -> None:
    await ports.pending.purge(ports.clock.now())
    await ports.pending.add(pending)


async def _taken(
    answer: Mapping[str, str], cookies: Mapping[str, str], ports: AccountPorts
) -> PendingSignIn:
    """The sign-in under way that a callback belongs to; nobody else is given it from now on."""
    state = answer.get("state", "")
    if not state or len(state) > _STATE_CHARACTERS:
        raise StateRefused
    key = _digest(state)
    pending = await ports.pending.find(key)
    if pending is None or not hmac.compare_digest(
        pending.browser, _digest(cookies.get(_cookie_name(key, ports), ""))
    ):
        raise StateRefused
    in_time = ports.clock.now() < pending.expires_at
    if not await ports.pending.take(pending) or not in_time:
        raise StateRefused
    return pending


def _consented(answer: Mapping[str, str], pending: PendingSignIn) -> Consented:
    if answer.get("error") or answer.get("admin_consent", "").lower() != "true":
        raise EntraRefused(
            answer.get("error", "access_denied"), answer.get("error_description", "")
        )
    tenant = answer.get("tenant", "") or pending.tenant
    logger().info("account.consented")
    return Consented(tenant)


async def _connected(
    pending: PendingSignIn, person: Person, tokens: Tokens, ports: AccountPorts
) -> Account:
    """Stores what the person signed in for, unless a rule forbids it."""
    await _allowed(pending, person, ports)
    inbox = await _inbox(pending, person, tokens, ports)
    for _ in range(ATTEMPTS):
        known = await _allowed(pending, person, ports, inbox)
        signed_in = replace(_signed_in(known, pending, person, tokens, ports), inbox=inbox)
        written = await ports.accounts.write(signed_in)
        if written is not None:
            if not known.is_kept:
                await _check_still_only_one(written, ports)
            logger().info("account.connected", account=written.name, mailbox=written.mailbox)
            return written
    raise AccountUnavailable(pending.account, "others change it all the time. Connect again.")


async def _allowed(
    pending: PendingSignIn, person: Person, ports: AccountPorts, inbox: str = ""
) -> Account:
    """The account as it is now, where this person may connect it."""
    name, mailbox = pending.account, pending.mailbox or person.user
    known = await ports.accounts.read(name) or Account(name=name, mailbox=mailbox)
    check_not_ended(known, pending.expires_at - PATIENCE)
    check_same_person(known, person)
    if not known.is_kept:
        check_only_one(mailbox, name, await ports.accounts.all(), inbox)
    elif known.mailbox.lower() != mailbox.lower():
        raise AccountRefused(name, f"it serves {known.mailbox} already. Take another name.")
    return known


async def _inbox(
    pending: PendingSignIn, person: Person, tokens: Tokens, ports: AccountPorts
) -> str:
    """The id of the mailbox's inbox, which the person can open."""
    mailbox = pending.mailbox or person.user
    look = await ports.sign_in.look_into(mailbox, tokens.access_token)
    if look.why_not:
        raise AccountRefused(
            pending.account,
            f"{person.user} cannot open the mailbox {mailbox} ({look.why_not}). Is the address"
            " right, and has it a mailbox in Exchange Online? For a shared mailbox, give the"
            " person full access in the Exchange admin center; that takes up to an hour.",
        )
    return look.inbox


def _signed_in(
    known: Account, pending: PendingSignIn, person: Person, tokens: Tokens, ports: AccountPorts
) -> Account:
    now = ports.clock.now()
    asked = (*OWN_SCOPES, *SHARED_SCOPES) if pending.mailbox else OWN_SCOPES
    return replace(
        known,
        mailbox=known.mailbox if known.is_kept else pending.mailbox or person.user,
        state=State.CONNECTED,
        tenant=person.tenant,
        user=person.user,
        user_id=person.user_id,
        scopes=known.scopes if known.is_kept else asked,
        signed_in_at=now,
        refreshed_at=now,
        error="",
        sealed=ports.vault.seal(known.name, tokens.refresh_token),
    )


async def _check_still_only_one(written: Account, ports: AccountPorts) -> None:
    """Two may have connected the same mailbox at once: the one who sees the other steps back."""
    try:
        everyone = await ports.accounts.all()
        check_only_one(written.mailbox, written.name, everyone, written.inbox)
    except AccountRefused:
        await ports.accounts.write(forgotten(written, ports.clock.now()))
        raise


def forgotten(account: Account, now: datetime) -> Account:
    """The account without what belongs to the person."""
    return Account(
        name=account.name, mailbox=account.mailbox, disconnected_at=now, version=account.version
    )


def _callback(ports: AccountPorts) -> str:
    address = urlsplit(ports.public_url)
    if not address.scheme:
        raise SettingsError(["PUBLIC_URL is missing: Entra ID sends the browser back to it."])
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        raise SettingsError(["PUBLIC_URL: people sign in over https only, but on loopback."])
    return f"{ports.public_url}{CALLBACK}"


def _owner(key: str) -> str:
    return f"sign-in {key}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _cookie_name(key: str, ports: AccountPorts) -> str:
    """One for each sign-in, so that a browser may have several under way.

    With `__Host-`, no other host of the same domain can set it.
    """
    return f"{'__Host-' if _is_secure(ports) else ''}sign-in-{key[:16]}"


def _is_secure(ports: AccountPorts) -> bool:
    return urlsplit(ports.public_url).scheme == "https"
