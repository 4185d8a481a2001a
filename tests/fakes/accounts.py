"""Accounts without storage and without Entra ID, in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from shared.account_ports import AccountPorts, Begun, Look, PendingSignIn, Tokens
from shared.domain.accounts import Account, EntraRefused, EntraUnavailable, Person
from shared.domain.errors import SettingsError, StorageUnavailable
from tests.fakes.clock import SettableClock

PUBLIC_URL = "https://mail.contoso.example"
ADA = Person("ada@contoso.example", "oid-ada", "tenant-1")
BOB = Person("bob@contoso.example", "oid-bob", "tenant-1")

_versions = count(1)


class FakeAccountTable:
    """Fulfils :class:`~shared.account_ports.AccountTable`.

    Args:
        rows: the accounts by name, shared by tables that stand for workers on one storage.

    Attributes:
        unavailable: whether writes fail.
        reads: how often one was read.
    """

    def __init__(self, rows: dict[str, Account] | None = None) -> None:
        self.rows = {} if rows is None else rows
        self.unavailable = False
        self.reads = 0

    async def all(self) -> list[Account]:
        """Every account, by name."""
        return [self.rows[name] for name in sorted(self.rows)]

    async def read(self, name: str) -> Account | None:
        """One account; None where there is none."""
        self.reads += 1
        return self.rows.get(name)

    async def write(self, account: Account) -> Account | None:
        """Stores an account if nobody stored another since it was read."""
        if self.unavailable:
            raise StorageUnavailable("table accounts: answered 503", 503)
        known = self.rows.get(account.name)
        if account.version != (known.version if known else ""):
            return None
        self.rows[account.name] = replace(account, version=f"v{next(_versions)}")
        return self.rows[account.name]


class FakePendingSignIns:
    """Fulfils :class:`~shared.account_ports.PendingSignIns`.

    Args:
        rows: those under way by key, shared by those that stand for workers on one storage.
    """

    def __init__(self, rows: dict[str, PendingSignIn] | None = None) -> None:
        self.rows = {} if rows is None else rows

    async def add(self, pending: PendingSignIn) -> None:
        """Stores one."""
        self.rows[pending.key] = replace(pending, version=f"v{next(_versions)}")

    async def find(self, key: str) -> PendingSignIn | None:
        """One of them; None where there is none."""
        return self.rows.get(key)

    async def take(self, pending: PendingSignIn) -> bool:
        """Removes one that was found."""
        if self.rows.get(pending.key) != pending:
            return False
        del self.rows[pending.key]
        return True

    async def purge(self, before: datetime) -> int:
        """Removes those that expired before a time; gives how many."""
        old = [key for key, one in self.rows.items() if one.expires_at < before]
        for key in old:
            del self.rows[key]
        return len(old)


class FakeVault:
    """Fulfils :class:`~shared.account_ports.TokenVault`; no secret is safe with it."""

    def __init__(self, key: str = "k1") -> None:
        self.key = key

    def seal(self, what: str, text: str) -> str:
        """Marks the text."""
        return f"{self.key}|{what}|{text}"

    def open(self, what: str, sealed: str) -> str:
        """The text, where it was sealed for the same."""
        _, owner, text = sealed.split("|", 2)
        if owner != what:
            raise SettingsError(["a stored sign-in was changed."])
        return text

    def is_current(self, sealed: str) -> bool:
        """Whether it was sealed with the present key."""
        return sealed.startswith(f"{self.key}|")


@dataclass
class FakeSignIn:
    """Fulfils :class:`~shared.account_ports.SignIn`.

    Attributes:
        person: who signs in next.
        lifetime: seconds that access tokens are good.
        refused: what the next refreshes raise, one after the other.
        closed: mailboxes that nobody may open.
        aliases: other addresses of mailboxes.
        good: the refresh tokens that are taken; each once if `one_use`.
        asked: who was expected to sign in, at each begin.
        refreshes: the refresh tokens that were exchanged, in order.
    """

    person: Person = ADA
    lifetime: float = 3600.0
    one_use: bool = False
    refused: list[EntraRefused | EntraUnavailable] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    good: set[str] = field(default_factory=set)
    asked: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    refreshes: list[str] = field(default_factory=list)
    issued: int = 0

    async def begin(
        self, tenant: str, scopes: Sequence[str], callback: str, state: str, user: str
    ) -> Begun:
        """Prepares a sign-in."""
        self.asked.append((tenant, user, tuple(scopes)))
        flow = json.dumps({"state": state, "callback": callback, "verifier": "secret-verifier"})
        return Begun(f"https://entra.example/authorize?state={state}", flow)

    async def complete(
        self, tenant: str, flow: str, answer: Mapping[str, str]
    ) -> tuple[Person, Tokens]:
        """Exchanges a code."""
        del tenant
        if "error" in answer:
            raise EntraRefused(answer["error"], answer.get("error_description", ""))
        assert json.loads(flow)["state"] == answer["state"]
        return self.person, self.tokens()

    async def refresh(self, tenant: str, refresh_token: str, scopes: Sequence[str]) -> Tokens:
        """Exchanges a refresh token."""
        del tenant, scopes
        if self.refused:
            raise self.refused.pop(0)
        if refresh_token not in self.good:
            raise EntraRefused("invalid_grant", "AADSTS70000: malformed.")
        if self.one_use:
            self.good.remove(refresh_token)
        self.refreshes.append(refresh_token)
        return self.tokens()

    def consent_url(self, tenant: str, scopes: Sequence[str], callback: str, state: str) -> str:
        """Where an administrator agrees."""
        return f"https://entra.example/{tenant}/adminconsent?state={state}&to={callback}&{scopes}"

    async def look_into(self, mailbox: str, access_token: str) -> Look:
        """Opens a mailbox."""
        del access_token
        if mailbox in self.closed:
            return Look(why_not="Graph answered 403 ErrorAccessDenied")
        return Look(f"inbox of {self.aliases.get(mailbox, mailbox)}")

    def tokens(self) -> Tokens:
        """The next tokens."""
        self.issued += 1
        self.good.add(f"refresh-{self.issued}")
        return Tokens(f"access-{self.issued}", self.lifetime, f"refresh-{self.issued}")


@dataclass
class AccountWorld:
    """Fakes, and the ports of any number of workers on them."""

    clock: SettableClock = field(default_factory=SettableClock)
    accounts: dict[str, Account] = field(default_factory=dict)
    pending: dict[str, PendingSignIn] = field(default_factory=dict)
    vault: FakeVault = field(default_factory=FakeVault)
    sign_in: FakeSignIn = field(default_factory=FakeSignIn)

    def ports(self, public_url: str = PUBLIC_URL) -> AccountPorts:
        """The ports of one more worker."""
        return AccountPorts(
            clock=self.clock,
            accounts=FakeAccountTable(self.accounts),
            pending=FakePendingSignIns(self.pending),
            vault=self.vault,
            sign_in=self.sign_in,
            public_url=public_url,
        )
