"""Who may call the HTTP API, and for which mailboxes: pure rules, over names as they are written.

A mailbox has other names, its id and its aliases; those that a list does not have are refused.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

EVERY = "*"
"""Stands for every mailbox."""

PRINCIPAL_HEADER = "x-ms-client-principal"
"""Where App Service authentication puts the claims of a token that it has checked.

https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
"""

LONGEST_PRINCIPAL = 65_536

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PROVIDER = "aad"
_OBJECT_ID = ("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier")
_APPLICATION = ("azp", "appid")
_OF_A_PERSON = ("scp", "http://schemas.microsoft.com/identity/claims/scope")
_ALLOWED = (
    "a JSON object that gives each application id or object id of Entra ID a list of mailboxes,"
    ' or "*" for every one'
)


def callers(value: object) -> Mapping[str, Collection[str]]:
    """The setting MAIL_API_CALLERS: mailboxes by the id of who may open them.

    Raises:
        ValueError: it is none; says what is allowed.
    """
    try:
        given = json.loads(str(value))
        read = {str(caller).strip().lower(): _mailboxes(given[caller]) for caller in given}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError(_ALLOWED) from None
    if not isinstance(given, dict) or not read or len(read) != len(given):
        raise ValueError(_ALLOWED)
    if not all(_ID.fullmatch(caller) for caller in read):
        raise ValueError(_ALLOWED)
    return read


@dataclass(frozen=True, slots=True)
class Principal:
    """Who has signed in with Entra ID, as the platform says.

    Args:
        object_id: of the user, or of the application's service principal.
        application: the application id, where an application has signed in for itself; empty where
            it acts for a person, who may be less than it.
    """

    object_id: str
    application: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAccess:
    """Who may call the API, and for which mailboxes.

    Args:
        mailboxes: what the API opens at all; empty: every one.
        callers: what each caller with a token may open; empty: callers have a function key, which
            the platform checks.
        authenticated: whether the platform's authentication is on. Where it is not, anybody can
            write what it would say.
    """

    mailboxes: Collection[str] = ()
    callers: Mapping[str, Collection[str]] = field(default_factory=dict)
    authenticated: bool = False

    def principal(self, header: str) -> Principal | None:
        """Who calls; None where nobody has signed in."""
        return principal_of(header) if self.authenticated else None

    def allows(self, principal: Principal | None, mailbox: str) -> bool:
        """Whether a mailbox may be opened, or sent from.

        Args:
            principal: who calls; None where callers have function keys.
            mailbox: its name, as the caller writes it.
        """
        if self.mailboxes and not _is_among(mailbox, self.mailboxes):
            return False
        if not self.callers:
            return True
        ids = (principal.object_id, principal.application) if principal else ()
        granted = [self.callers[one] for one in ids if one in self.callers]
        return any(EVERY in one or _is_among(mailbox, one) for one in granted)


def principal_of(header: str) -> Principal | None:
    """What a header says that the platform has written; None where it names nobody of Entra ID."""
    if not header or len(header) > LONGEST_PRINCIPAL:
        return None
    try:
        said = json.loads(b64decode(header))
        claims = {str(one["typ"]): str(one["val"]) for one in said["claims"]}
        provider = said["auth_typ"]
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return None
    object_id = _first(claims, _OBJECT_ID)
    if provider != _PROVIDER or not object_id:
        return None
    for_itself = not _first(claims, _OF_A_PERSON)
    return Principal(object_id, _first(claims, _APPLICATION) if for_itself else "")


def _first(claims: Mapping[str, str], names: Collection[str]) -> str:
    return next((claims[name].lower() for name in names if claims.get(name)), "")


def _mailboxes(given: object) -> tuple[str, ...]:
    if given == EVERY:
        return (EVERY,)
    if not isinstance(given, list) or not all(isinstance(one, str) and one for one in given):
        raise ValueError(_ALLOWED)
    return tuple(given)


def _is_among(mailbox: str, names: Collection[str]) -> bool:
    return _folded(mailbox) in {_folded(name) for name in names}


def _folded(name: str) -> str:
    """In lower case; but a letter that only becomes an ASCII one so stays another."""
    return name.lower() if name.isascii() else name
