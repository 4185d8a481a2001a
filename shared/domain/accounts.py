"""Delegated accounts: a person has signed in, and the connector acts for that person.

::

    ConnectorError
    ├── AccountError              about one account
    │   ├── AccountRefused        the account cannot be used as it is: a person must act
    │   │   └── AccountNotFound   there is no such account
    │   └── AccountUnavailable    Entra ID or the storage did not answer: the same again later
    ├── EntraError                what Entra ID answered to a sign-in or a refresh
    │   ├── EntraRefused          no, with a reason that has a remedy
    │   └── EntraUnavailable      no answer, or one that says later
    └── StateRefused              somebody came back from Entra ID who was not sent there so
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from shared.domain.errors import ConnectorError

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""Names of accounts: they stand in table keys, addresses and columns."""

_ROUTES = {"connect", "callback", "consent"}
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_MAILBOX = re.compile(r"[^\s/\\?#%@]+@[A-Za-z0-9.-]+")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

OWN_SCOPES = ("Mail.ReadWrite", "Mail.Send")
"""Permissions for the mailbox of the person who signs in."""

SHARED_SCOPES = ("Mail.ReadWrite.Shared", "Mail.Send.Shared")
"""Permissions for mailboxes that others have given that person access to."""


class State(StrEnum):
    """What an account can be used for. Stored, and shown to people."""

    CONNECTED = "connected"
    NEEDS_SIGN_IN = "needs sign-in"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person's sign-in, for one mailbox.

    Args:
        name: what subscriptions call it.
        mailbox: address of the mailbox that it serves: the person's own, or a shared one.
        tenant: id of the person's tenant.
        user: the person's sign-in name (``preferred_username``).
        user_id: the person's object id (``oid``), which no renaming changes.
        scopes: the permissions that were asked for, without their resource.
        signed_in_at: when the person last signed in.
        refreshed_at: when Entra ID last gave a refresh token.
        inbox: id of the mailbox's inbox, by which the mailbox is known under another address; empty
            where an earlier version has stored the account.
        disconnected_at: when it was last disconnected.
        error: why it cannot be used, for a person; empty where it can.
        sealed: the refresh token, encrypted; empty where there is none.
        version: the storage's ETag; empty where the account was never stored.
    """

    name: str
    mailbox: str
    state: State = State.DISCONNECTED
    tenant: str = ""
    user: str = ""
    user_id: str = ""
    scopes: tuple[str, ...] = ()
    signed_in_at: datetime = _NEVER
    refreshed_at: datetime = _NEVER
    inbox: str = ""
    disconnected_at: datetime = _NEVER
    error: str = ""
    sealed: str = field(default="", repr=False)
    version: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether it belongs to somebody: connected, or waiting for that person."""
        return self.state is not State.DISCONNECTED

    @property
    def is_shared(self) -> bool:
        """Whether it serves another mailbox than the person's own."""
        return self.mailbox.lower() != self.user.lower()


@dataclass(frozen=True, slots=True)
class Person:
    """Who has signed in, as the id token says it.

    Args:
        user: sign-in name (``preferred_username``).
        user_id: object id (``oid``).
        tenant: tenant id (``tid``).
    """

    user: str
    user_id: str
    tenant: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why Entra ID refused, in words for the person who can do something about it.

    Args:
        code: the number after ``AADSTS``; empty where there was none.
        error: OAuth's code.
        why: what it means.
        remedy: what to do.
    """

    code: str
    error: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.named}: {self.why} {self.remedy}"

    @property
    def named(self) -> str:
        """The number, or OAuth's code where there is none: what one searches for."""
        return f"AADSTS{self.code}" if self.code else self.error

    @property
    def ends_sign_in(self) -> bool:
        """Whether what the person signed in for is over, so that only a new sign-in helps.

        A wrong secret of the app, or a policy against it, leaves refresh tokens as good as before.
        """
        return self.error in _SIGN_IN_ERRORS and self.code not in _POLICIES


_CODE = re.compile(r"AADSTS(\d{4,9})\b")
_WORD = re.compile(r"[a-z_]{1,40}")
_SIGN_IN_ERRORS = {"invalid_grant", "interaction_required", "consent_required", "login_required"}
_POLICIES = {
    *("53000", "53001", "53002", "53003", "53009", "53011"),
    *("530032", "530034", "530035"),
}
"""Refusals that an administrator ends; those that ask the person to register (53004, 53010) do not
belong to them."""

_CONNECT = "Open the connect address again"
_ADMIN = (
    "An administrator of your organisation opens /api/accounts/consent once, which agrees for"
    " everybody; then connect again."
)
_SIGN_IN = "Signing in again helps."
_REGISTRATION = "Correct the app registration or the app settings; see docs/accounts.md."

# numbers: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_AADSTS: Mapping[str, tuple[str, str]] = {
    "65001": (
        "nobody has agreed yet to what the app asks for: neither the person nor an administrator.",
        f"{_CONNECT} and accept what is asked for. Where your organisation does not let you: "
        + _ADMIN,
    ),
    "65004": (
        "the person declined on the page that asks for permissions. Nothing was connected.",
        f"{_CONNECT} and choose Accept; or an administrator agrees for all: /api/accounts/consent.",
    ),
    "90094": ("your organisation lets only administrators agree to what the app asks for.", _ADMIN),
    "50020": (
        "the person belongs to another tenant than the one that was asked for.",
        f"{_CONNECT} with the right tenant=, or sign in as somebody of that tenant.",
    ),
    "50194": (
        "the app is registered for one tenant only, but any tenant was asked for.",
        f"{_CONNECT} with tenant= and the id of that tenant, or make the app multi-tenant.",
    ),
    "50011": ("the address of the callback is not registered with the app.", _REGISTRATION),
    "50105": (
        "the person is not assigned to the app, which takes assigned people only.",
        "An administrator assigns the person under Enterprise applications; then connect again.",
    ),
    "50057": ("the person's user account is disabled.", "An administrator enables it again."),
    "50076": ("a second factor is asked for.", _SIGN_IN),
    "50079": ("a second factor has to be set up.", _SIGN_IN),
    "50173": ("the sign-in was revoked, as with a new password.", _SIGN_IN),
    "50078": ("the second factor was given too long ago.", _SIGN_IN),
    "70008": ("the sign-in has expired.", _SIGN_IN),
    "70043": ("the organisation asks for a new sign-in after this time.", _SIGN_IN),
    "700082": ("the sign-in was not used for too long, mostly 90 days.", _SIGN_IN),
    "700084": (
        "the sign-in has ended after a day, as it does for redirect URIs of the kind SPA.",
        "Register the callback as a redirect URI of the kind Web; then connect again.",
    ),
    "53003": (
        "a Conditional Access policy of the organisation blocks the sign-in.",
        "An administrator lets the app and the addresses that it comes from through.",
    ),
    "53000": (
        "a Conditional Access policy asks for a device or an app that it knows, as no server is.",
        "An administrator excludes the app from that policy.",
    ),
    "53004": ("a second factor has to be registered first.", _SIGN_IN),
    "53011": (
        "the person is blocked because of a risk.",
        "An administrator looks into the risk, and lifts the block.",
    ),
    "54005": ("the sign-in was used already.", f"{_CONNECT}."),
    "501481": ("the sign-in was not begun by this app.", f"{_CONNECT}."),
    "700016": ("the app registration is not known in the person's tenant.", _REGISTRATION),
    "7000215": ("the app's client secret is wrong.", _REGISTRATION),
    "7000222": ("the app's client secret has expired.", _REGISTRATION),
    "700027": ("the app's certificate is not registered, or has expired.", _REGISTRATION),
    "90002": ("there is no such tenant.", f"{_CONNECT} with the right tenant=."),
}
_ALIASES = {
    **dict.fromkeys(("900941", "90093", "90095"), "90094"),
    **dict.fromkeys(("53001", "53002", "53009"), "53000"),
    **dict.fromkeys(("530032", "530035"), "53003"),
    "53010": "53004",
    "530034": "53011",
}
_ERRORS: Mapping[str, tuple[str, str]] = {
    "access_denied": ("the permissions were not granted.", _AADSTS["65004"][1]),
    "permission_denied": ("the administrator did not agree.", _ADMIN),
    "consent_required": _AADSTS["65001"],
    "interaction_required": ("the person has to sign in.", _SIGN_IN),
    "login_required": ("the person has to sign in.", _SIGN_IN),
    "invalid_grant": ("the sign-in is not good any more.", _SIGN_IN),
    "invalid_client": ("the app's secret or certificate was not taken.", _REGISTRATION),
    "unauthorized_client": ("the app may not sign people in.", _REGISTRATION),
    "invalid_request": ("the request was not as Entra ID wants it.", _REGISTRATION),
    "invalid_scope": ("the permissions that were asked for are not known.", _REGISTRATION),
}


def refusal(error: str, description: str = "") -> Refusal:
    """What a refusal means, and what to do.

    Args:
        error: OAuth's code; what is none counts as unknown.
        description: Entra ID's own text; only its number is taken.
    """
    error = error if _WORD.fullmatch(error) else "unknown"
    found = _CODE.search(description)
    code = found[1] if found else ""
    why, remedy = (
        _AADSTS.get(_ALIASES.get(code, code))
        or _ERRORS.get(error)
        or ("Entra ID refused.", "Look the code up at https://login.microsoftonline.com/error.")
    )
    return Refusal(code, error, why, remedy)


class AccountError(ConnectorError):
    """Something about one account.

    Args:
        account: its name.
        what: what happened and what to do.
    """

    def __init__(self, account: str, what: str) -> None:
        super().__init__(f"account {account}: {what}")
        self.account = account
        self.what = what


class AccountRefused(AccountError):
    """The account cannot be used, or not changed so: a person must act."""


class AccountNotFound(AccountRefused):
    """There is no account of this name."""

    def __init__(self, account: str) -> None:
        super().__init__(account, f"there is no such account. {connect_again(account)}")


class AccountUnavailable(AccountError):
    """The account cannot be used now; the same may succeed later."""


class EntraError(ConnectorError):
    """What came of a request to Entra ID."""


class EntraRefused(EntraError):
    """Entra ID refused a sign-in or a token.

    Args:
        error: OAuth's code, such as ``invalid_grant``.
        description: Entra ID's own text; searched for its number, never kept or shown.
    """

    def __init__(self, error: str, description: str = "") -> None:
        self.refusal: Refusal = refusal(error, description)
        super().__init__(str(self.refusal))


class EntraUnavailable(EntraError):
    """Entra ID did not answer, or answered that it cannot now."""


class StateRefused(ConnectorError):
    """A callback that belongs to no sign-in under way. Which rule it broke is told to nobody."""

    def __init__(self) -> None:
        super().__init__(
            "This sign-in cannot be completed here: it is not known, has expired, was used already,"
            " or began in another browser. Open the connect address again."
        )


def account_name(value: str) -> str:
    """A name of an account.

    Raises:
        ValueError: it is none; says what is allowed.
    """
    if NAME.fullmatch(value) is None or value in _ROUTES:
        raise ValueError("a name of up to 63 lower-case letters, digits, dots, hyphens and _")
    return value


def mailbox_address(value: str) -> str:
    """The address of a mailbox, or nothing: the person's own.

    Raises:
        ValueError: it is no address.
    """
    address = value.strip()
    if address and (len(address) > 320 or _MAILBOX.fullmatch(address) is None):  # noqa: PLR2004 - RFC 3696's most
        raise ValueError("mailbox: an address such as orders@contoso.com")
    return address


def tenant_name(value: str) -> str:
    """A tenant's id or domain, ``organizations`` for any, or nothing.

    Raises:
        ValueError: it is none of these.
    """
    if value and _TENANT.fullmatch(value) is None:
        raise ValueError("tenant: the id or a domain of a tenant, or organizations")
    return value


def check_same_person(account: Account, person: Person) -> None:
    """Only the person whose account it is may sign in to it again.

    People are told apart by tenant and object id, for a sign-in name may change.

    Raises:
        AccountRefused: somebody else has signed in.
    """
    if account.is_kept and (account.tenant, account.user_id) != (person.tenant, person.user_id):
        raise AccountRefused(
            account.name,
            f"user mismatch: it belongs to {account.user}, and {person.user} has signed in. Sign in"
            f" as {account.user}; or disconnect the account first, to connect somebody else's.",
        )


def check_only_one(mailbox: str, name: str, accounts: Iterable[Account], inbox: str = "") -> None:
    """One mailbox has one account, or two would take each other's mail.

    Args:
        mailbox: what is to be connected.
        name: the account for which it is.
        accounts: all there are.
        inbox: id of its inbox, by which it is known under another address; empty before it was
            opened.

    Raises:
        AccountRefused: another account serves the mailbox.
    """
    for other in accounts:
        if not other.is_kept or other.name == name:
            continue
        if other.mailbox.lower() == mailbox.lower() or (inbox and other.inbox == inbox):
            raise AccountRefused(
                name,
                f"duplicate: the mailbox {mailbox} is connected as account {other.name} already."
                f" Use that one in subscriptions, or disconnect it first.",
            )


def check_not_ended(account: Account, begun_at: datetime) -> None:
    """Who disconnects an account also ends the sign-ins to it that are under way.

    Raises:
        AccountRefused: the sign-in began before.
    """
    if begun_at < account.disconnected_at:
        what = f"it was disconnected after this sign-in had begun. {connect_again(account.name)}"
        raise AccountRefused(account.name, what)


def check_usable(account: Account | None, name: str) -> Account:
    """The account, where it can be used.

    Raises:
        AccountRefused: it is not there, was disconnected, or waits for somebody to sign in.
    """
    if account is None:
        raise AccountNotFound(name)
    if account.state is State.DISCONNECTED:
        raise AccountRefused(name, f"it was disconnected. {connect_again(name)}")
    if account.state is State.NEEDS_SIGN_IN:
        what = f"{account.user} must sign in again: {account.error} {connect_again(name)}"
        raise AccountRefused(name, what)
    return account


def connect_again(name: str) -> str:
    """What to do, in one sentence."""
    return f"Run connect again: /api/accounts/connect?name={name}"
