"""What the workflows of delegated accounts need from outside, as protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.domain.accounts import Account, Person
from shared.ports import Clock


class AccountTable(Protocol):
    """The accounts; of two workers that change one at once, one is told so.

    Every method raises :class:`~shared.domain.errors.StorageUnavailable`.
    """

    async def all(self) -> list[Account]:
        """Every account, by name."""
        ...

    async def read(self, name: str) -> Account | None:
        """One account; None where there is none."""
        ...

    async def write(self, account: Account) -> Account | None:
        """Stores an account, its refresh token with it, if nobody stored another since (ETag).

        Returns:
            the account with its new version, or None where somebody else was faster.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSignIn:
    """A browser was sent to Entra ID and has not come back.

    Args:
        key: digest of the state that comes back with it; the state itself is not stored.
        browser: digest of the cookie that the browser was given.
        expires_at: when it is too late to come back.
        account: the account to connect; empty where an administrator is asked to consent.
        mailbox: what the account is to serve; empty for the person's own mailbox.
        tenant: the authority that was asked.
        sealed: what the token request needs (PKCE verifier, nonce), encrypted.
        version: the storage's ETag.
    """

    key: str
    browser: str
    expires_at: datetime
    account: str = ""
    mailbox: str = ""
    tenant: str = ""
    sealed: str = field(default="", repr=False)
    version: str = ""


class PendingSignIns(Protocol):
    """Sign-ins under way. A table, for the browser may come back to another instance.

    Every method raises :class:`~shared.domain.errors.StorageUnavailable`.
    """

    async def add(self, pending: PendingSignIn) -> None:
        """Stores one."""
        ...

    async def find(self, key: str) -> PendingSignIn | None:
        """One of them; None where there is none."""
        ...

    async def take(self, pending: PendingSignIn) -> bool:
        """Removes one that was found. Of many that try at once, one is told that it has it."""
        ...

    async def purge(self, before: datetime) -> int:
        """Removes those that expired before a time; gives how many."""
        ...


class TokenVault(Protocol):
    """Encrypts what is stored and would let others in."""

    def seal(self, what: str, text: str) -> str:
        """Encrypts with the first key.

        Args:
            what: what it belongs to; without the same words it does not open.
            text: the secret.

        Raises:
            SettingsError: there is no key, or none that can be used.
        """
        ...

    def open(self, what: str, sealed: str) -> str:
        """Decrypts with whichever key it was encrypted with.

        Raises:
            SettingsError: that key is not among the keys, or it was changed.
        """
        ...

    def is_current(self, sealed: str) -> bool:
        """Whether it was encrypted with the first key."""
        ...


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that can begin.

    Args:
        url: where to send the browser.
        flow: what :meth:`SignIn.complete` wants back; a secret.
    """

    url: str
    flow: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What Entra ID gave. Secrets.

    Args:
        lifetime: seconds for which the access token is good.
        refresh_token: the newest; empty where the former stays.
    """

    access_token: str = field(repr=False)
    lifetime: float
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Look:
    """What came of opening a mailbox.

    Args:
        inbox: id of its inbox, which is the same by whatever address the mailbox is opened.
        why_not: why it does not open; empty where it does.
    """

    inbox: str = ""
    why_not: str = ""


class SignIn(Protocol):
    """Entra ID, as the app registration of delegated accounts.

    Every asynchronous method raises EntraRefused or EntraUnavailable, see
    :mod:`shared.domain.accounts`; and SettingsError where the app's own credential is unusable.
    """

    async def begin(
        self, tenant: str, scopes: Sequence[str], callback: str, state: str, user: str
    ) -> Begun:
        """Prepares the authorization code flow with PKCE.

        Args:
            tenant: id or domain; empty for that of the settings, or any.
            scopes: permissions on Graph, such as ``Mail.Send``.
            callback: where the browser is sent back to.
            state: comes back with the browser.
            user: who is expected to sign in; empty for anybody.
        """
        ...

    async def complete(
        self, tenant: str, flow: str, answer: Mapping[str, str]
    ) -> tuple[Person, Tokens]:
        """Exchanges what the browser brought back for tokens."""
        ...

    async def refresh(self, tenant: str, refresh_token: str, scopes: Sequence[str]) -> Tokens:
        """Exchanges a refresh token for an access token and a newer refresh token."""
        ...

    def consent_url(self, tenant: str, scopes: Sequence[str], callback: str, state: str) -> str:
        """Where an administrator agrees for everybody in a tenant.

        Raises:
            SettingsError: there is no app registration.
        """
        ...

    async def look_into(self, mailbox: str, access_token: str) -> Look:
        """Opens a mailbox as the person.

        Raises:
            EntraUnavailable: Graph did not say whether it opens.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPorts:
    """All that the workflows of accounts need.

    Args:
        public_url: where the app is reached, without a slash at the end; empty where not known.
    """

    clock: Clock
    accounts: AccountTable
    pending: PendingSignIns
    vault: TokenVault
    sign_in: SignIn
    public_url: str
