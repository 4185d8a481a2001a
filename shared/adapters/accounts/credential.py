"""The credential of one account: an access token, and a refresh before it ends.

A rotated refresh token is stored before the access token that came with it is used.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential

from shared.account_ports import AccountPorts, Tokens
from shared.domain.accounts import (
    Account,
    AccountRefused,
    AccountUnavailable,
    EntraRefused,
    EntraUnavailable,
    Refusal,
    State,
    check_usable,
    connect_again,
)
from shared.domain.errors import (
    MailboxUnavailable,
    SettingsError,
    SignInRefused,
    StorageUnavailable,
)
from shared.telemetry import logger

AHEAD = timedelta(minutes=5)
"""A token is refreshed so long before its end; of a short-lived one, at half of its life."""

LOOK_EVERY = timedelta(minutes=1)
"""How long a disconnected account may still be used by a worker that has a token."""

ATTEMPTS = 5
"""Tries to refresh, and to store, where other workers do the same."""

PATIENCE = (0.2, 0.5, 1.0, 2.0)
"""Seconds to wait for a worker that used the same refresh token to store what it got for it."""


@dataclass(frozen=True, slots=True)
class _Token:
    """An access token.

    Args:
        refresh_at: when a newer one is wanted.
        signed_in_at: the sign-in that it comes from.
    """

    value: str = field(repr=False)
    expires_at: datetime
    refresh_at: datetime
    signed_in_at: datetime


class AccountCredential(AsyncTokenCredential):
    """Tokens of one account. Keep one a process: it refreshes for all that use it.

    ``get_token`` raises the connector's own errors, which say what to do with the account.

    Args:
        name: the account.
        ports: what it needs.
        sleep: waits some seconds; tests give one that does not.
    """

    def __init__(
        self,
        name: str,
        ports: AccountPorts,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._ports = ports
        self._sleep = sleep
        self._token: _Token | None = None
        self._unsaved: tuple[Account, Account, _Token] | None = None
        self._mailbox = ""
        self._checked_at = datetime.min.replace(tzinfo=UTC)
        self._task: asyncio.Task[_Token] | None = None

    async def get_token(
        self, *scopes: str, claims: str | None = None, **options: Any
    ) -> AccessToken:
        """A token that is good for some minutes at least.

        Args:
            scopes: of no account: its permissions are those that the person signed in for.
            claims: a challenge; a newer token is the answer to it.
            options: of no account.

        Raises:
            MailboxError: there is none; names the account and says what to do.
        """
        del scopes, options
        now, token = self._ports.clock.now(), self._token
        is_due = token is None or now >= token.refresh_at
        if token is None or is_due or claims is not None or now >= self._checked_at + LOOK_EVERY:
            try:
                token = await self._shared(renew=claims is not None)
            except MailboxUnavailable as error:
                token = self._still_good(error)
        return AccessToken(token.value, int(token.expires_at.timestamp()))

    async def settle(self) -> None:
        """Waits for a refresh under way, so that what it brings is stored."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Nothing: others of this process may use it."""

    async def __aexit__(self, *_: object) -> None:
        """As :meth:`close`."""

    def _still_good(self, error: MailboxUnavailable) -> _Token:
        """The token that there is, where it has time left to try again."""
        token = self._token
        if token is None or token.expires_at <= self._ports.clock.now():
            raise error
        return token

    async def _shared(self, *, renew: bool) -> _Token:
        """One at a time, and none is given up half way: what it got would be lost."""
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._mapped(renew=renew))
            self._task.add_done_callback(_looked_at)
        return await asyncio.shield(self._task)

    async def _mapped(self, *, renew: bool) -> _Token:
        """The token, or the error of a mailbox: that is what those who use it know."""
        try:
            return await self._current(renew=renew)
        except AccountRefused as error:
            self._token = None
            raise SignInRefused(self._where, str(error)) from error
        except SettingsError as error:
            text = f"account {self._name}: {' '.join(error.problems)}"
            raise SignInRefused(self._where, text) from error
        except (AccountUnavailable, EntraUnavailable, StorageUnavailable) as error:
            text = f"account {self._name}: no token now ({error})"
            raise MailboxUnavailable(self._where, text) from error

    @property
    def _where(self) -> str:
        return self._mailbox or f"of account {self._name}"

    async def _current(self, *, renew: bool) -> _Token:
        """The token that there is, if the account still stands; else a new one."""
        now = self._ports.clock.now()
        self._checked_at = now
        if self._unsaved is not None:
            return await self._saved(*self._unsaved)
        account = check_usable(await self._read(), self._name)
        token = self._token
        is_good = token is not None and token.signed_in_at == account.signed_in_at
        if token is not None and is_good and not renew and now < token.refresh_at:
            return token
        return await self._refreshed(account)

    async def _read(self) -> Account | None:
        account = await self._ports.accounts.read(self._name)
        self._mailbox = account.mailbox if account is not None else ""
        return account

    async def _refreshed(self, account: Account) -> _Token:
        for _ in range(ATTEMPTS):
            refresh_token = self._ports.vault.open(self._name, account.sealed)
            try:
                tokens = await self._ports.sign_in.refresh(
                    account.tenant, refresh_token, account.scopes
                )
            except EntraRefused as error:
                newer = await self._newer(account) if error.refusal.ends_sign_in else None
                if newer is None:
                    await self._report(account, error.refusal)
                    raise self._explained(account, error.refusal) from error
                account = check_usable(newer, self._name)
            else:
                return await self._saved(*self._received(account, tokens))
        raise AccountUnavailable(self._name, "other workers refresh it all the time.")

    async def _newer(self, account: Account) -> Account | None:
        """The account with a token that another worker got for the one that was refused here."""
        for pause in (0.0, *PATIENCE):
            await self._sleep(pause)
            current = await self._read()
            if current is None or current.sealed != account.sealed:
                return current
        return None

    def _received(self, account: Account, tokens: Tokens) -> tuple[Account, Account, _Token]:
        now = self._ports.clock.now()
        lifetime = timedelta(seconds=tokens.lifetime)
        token = _Token(
            tokens.access_token,
            now + lifetime,
            now + lifetime - min(AHEAD, lifetime / 2),
            account.signed_in_at,
        )
        sealed = (
            self._ports.vault.seal(self._name, tokens.refresh_token)
            if tokens.refresh_token
            else account.sealed
        )
        renewed = replace(account, sealed=sealed, state=State.CONNECTED, refreshed_at=now, error="")
        return account, renewed, token

    async def _saved(self, used: Account, renewed: Account, token: _Token) -> _Token:
        """Stores the refresh token; only then the access token may be used.

        Args:
            used: the account with the refresh token that was used.
            renewed: the account with the one that came for it.
            token: the access token that came with it.
        """
        self._unsaved = used, renewed, token
        await self._put(used, renewed)
        self._unsaved = None
        self._token = token
        return token

    async def _put(self, used: Account, renewed: Account) -> None:
        version = used.version
        for _ in range(ATTEMPTS):
            if await self._ports.accounts.write(replace(renewed, version=version)) is not None:
                return
            current = await self._read()
            if current is None or not current.is_kept:
                self._unsaved = None
                check_usable(current, self._name)
            if current is None or current.signed_in_at != used.signed_in_at:
                self._unsaved = None
                raise AccountUnavailable(self._name, "somebody has just signed in anew.")
            is_theirs = current.sealed not in {used.sealed, renewed.sealed}
            if current.sealed == renewed.sealed or (
                is_theirs and current.refreshed_at >= renewed.refreshed_at
            ):
                return
            version = current.version
        raise AccountUnavailable(self._name, "other workers change it all the time.")

    async def _report(self, account: Account, refusal: Refusal) -> None:
        """Lets people see it, and other workers ask no more where asking is in vain."""
        state = State.NEEDS_SIGN_IN if refusal.ends_sign_in else account.state
        if (state, str(refusal)) == (account.state, account.error):
            return
        logger().warning("account.refused", account=self._name, code=refusal.named, state=state)
        # somebody who was faster knows more; without storage the next try says it again
        with contextlib.suppress(StorageUnavailable):
            await self._ports.accounts.write(replace(account, state=state, error=str(refusal)))

    def _explained(self, account: Account, refusal: Refusal) -> AccountRefused:
        if not refusal.ends_sign_in:
            return AccountRefused(self._name, str(refusal))
        return AccountRefused(
            self._name, f"{account.user} must sign in again: {refusal} {connect_again(self._name)}"
        )


class AccountCredentials:
    """One credential for each account, as long as the process lives.

    Args:
        ports: what they need.
    """

    def __init__(self, ports: AccountPorts) -> None:
        self._ports = ports
        self._known: dict[str, AccountCredential] = {}

    def of(self, name: str) -> AccountCredential:
        """The credential of an account, whether or not there is such an account now."""
        if name not in self._known:
            self._known[name] = AccountCredential(name, self._ports)
        return self._known[name]

    async def close(self) -> None:
        """Lets refreshes under way come to their end."""
        for credential in self._known.values():
            await credential.settle()


def _looked_at(task: asyncio.Task[_Token]) -> None:
    """Takes note of an error that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
