"""People who sign in: users, what they agreed to, codes, and refresh tokens that rotate."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from localdev.graph_simulator.id_tokens import IdTokens
from localdev.graph_simulator.identity import GRAPH_RESOURCES, App, IdentityPlatform, TokenError

CODE_LIFETIME = 600.0
REFRESH_LIFETIME = 90 * 24 * 3600.0
OIDC = frozenset({"openid", "profile", "email", "offline_access"})
KNOWN_SCOPES = OIDC | {
    "Mail.Read",
    "Mail.ReadWrite",
    "Mail.ReadWrite.Shared",
    "Mail.Send",
    "Mail.Send.Shared",
    "User.Read",
}

Endpoint = Literal["authorize", "token"]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who can sign in.

    Attributes:
        address: The sign-in name, and the address of the user's own mailbox.
        oid: The object id.
        tenant_id: The user's tenant.
        shared: The addresses of mailboxes of others that the user may open, in lower case.
        sends_as: Those that the user may send as.
        is_admin: Whether the user may agree for the whole tenant.
    """

    address: str
    oid: str
    tenant_id: str
    shared: frozenset[str] = frozenset()
    sends_as: frozenset[str] = frozenset()
    is_admin: bool = False


@dataclass(slots=True, kw_only=True)
class Grant:
    """What a code or a refresh token stands for."""

    app: App
    user: User
    scopes: frozenset[str]
    expires: float
    redirect_uri: str = ""
    challenge: str = ""
    nonce: str = ""
    used: bool = False
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Forced:
    """A refusal that a test asked for."""

    number: int
    error: str
    description: str


@dataclass
class SignIns:
    """The part of the identity platform that knows people.

    Attributes:
        identity: Applications and access tokens.
        one_use_refresh_tokens: Whether a refresh token is good once. Entra ID leaves a former one
            good until it expires; with this, whoever loses a newer one has lost the sign-in.
        admins_only: Whether only administrators may agree to what an application asks for.
        refreshes: How many refresh tokens were exchanged.
    """

    identity: IdentityPlatform
    clock: Callable[[], float] = time.time
    one_use_refresh_tokens: bool = False
    admins_only: bool = False
    refreshes: int = 0
    users: dict[str, User] = field(default_factory=dict)
    id_tokens: IdTokens = field(default_factory=IdTokens)
    _consents: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    _codes: dict[str, Grant] = field(default_factory=dict)
    _refresh_tokens: dict[str, Grant] = field(default_factory=dict)
    _forced: dict[Endpoint, deque[Forced]] = field(default_factory=dict)

    def add(self, user: User) -> None:
        """Let somebody sign in, or change who that is."""
        self.users[user.address.lower()] = user

    def refuse_next(
        self,
        endpoint: Endpoint,
        number: int,
        error: str,
        description: str = "As the test wants it.",
        times: int = 1,
    ) -> None:
        """Let the next answers of an endpoint be refusals.

        Args:
            endpoint: `authorize`, or `token` for codes and refresh tokens.
            number: The number after `AADSTS`.
            error: OAuth's code.
            description: The text for people.
            times: How many.
        """
        queue = self._forced.setdefault(endpoint, deque())
        queue.extend([Forced(number, error, description)] * times)

    def forced(self, endpoint: Endpoint) -> Forced | None:
        """Return the refusal that is due, if one is."""
        queue = self._forced.get(endpoint)
        return queue.popleft() if queue else None

    def revoke(self, address: str) -> None:
        """End a user's sign-ins, as a new password does."""
        for grant in self._refresh_tokens.values():
            if grant.user.address.lower() == address.lower():
                grant.revoked = True

    def expire(self, address: str) -> None:
        """Let a user's refresh tokens be too old."""
        for grant in self._refresh_tokens.values():
            if grant.user.address.lower() == address.lower():
                grant.expires = 0.0

    def withdraw_consent(self, address: str = "") -> None:
        """Forget what a user, or with no address everybody, agreed to."""
        for key in list(self._consents):
            if not address or key[1] == address.lower():
                del self._consents[key]

    def consent(self, app: App, scopes: frozenset[str], user: User, *, everybody: bool) -> None:
        """Remember what a user, or an administrator for the tenant, agrees to."""
        who = f"tenant {user.tenant_id}" if everybody else user.address.lower()
        key = (app.client_id, who)
        self._consents[key] = self._consents.get(key, frozenset()) | scopes

    def lacks_consent(self, app: App, scopes: frozenset[str], user: User) -> bool:
        """Tell whether something is asked for that nobody agreed to."""
        own = self._consents.get((app.client_id, user.address.lower()), frozenset())
        tenant = self._consents.get((app.client_id, f"tenant {user.tenant_id}"), frozenset())
        return not scopes <= own | tenant

    def code(self, grant: Grant) -> str:
        """Return an authorization code, good once and for ten minutes."""
        code = f"1.{secrets.token_urlsafe(48)}"
        self._codes[code] = grant
        return code

    def token(self, tenant: str, form: Mapping[str, str], authority: str) -> dict[str, Any]:
        """Answer a token request with a code or a refresh token.

        Raises:
            TokenError: In the words of the identity platform, for every way to get it wrong.
        """
        app = self.identity.app_of(tenant, form.get("client_id", ""))
        self.identity.authenticate(app, form)
        forced = self.forced("token")
        if forced is not None:
            raise TokenError(400, forced.error, forced.number, forced.description)
        if form.get("grant_type") == "authorization_code":
            grant = self._redeemed(app, form)
        else:
            grant = self._refreshed(app, form)
        return self._answer(grant, authority)

    def _redeemed(self, app: App, form: Mapping[str, str]) -> Grant:
        grant = self._codes.get(form.get("code", ""))
        if grant is None or grant.app.client_id != app.client_id:
            raise _invalid_grant(70000, "Provided grant is invalid or malformed.")
        if grant.used:
            raise _invalid_grant(
                54005, "OAuth2 Authorization code was already redeemed, please retry."
            )
        grant.used = True
        if grant.expires <= self.clock():
            raise _invalid_grant(70008, "The provided authorization code has expired.")
        if form.get("redirect_uri", "") != grant.redirect_uri:
            raise _invalid_grant(
                500112,
                "The reply address does not match the reply address provided when requesting "
                "Authorization code.",
            )
        if _challenge(form.get("code_verifier", "")) != grant.challenge:
            raise _invalid_grant(
                501481,
                "The Code_Verifier does not match the code_challenge supplied in the "
                "authorization request.",
            )
        return grant

    def _refreshed(self, app: App, form: Mapping[str, str]) -> Grant:
        grant = self._refresh_tokens.get(form.get("refresh_token", ""))
        if grant is None or grant.app.client_id != app.client_id:
            raise _invalid_grant(70000, "Provided grant is invalid or malformed.")
        if grant.revoked:
            raise _invalid_grant(
                50173,
                "The provided grant has expired due to it being revoked, a fresh auth token is "
                "needed.",
            )
        if grant.expires <= self.clock():
            raise _invalid_grant(
                700082, "The refresh token has expired due to inactivity of more than 90 days."
            )
        if grant.used and self.one_use_refresh_tokens:
            raise _invalid_grant(70000, "Provided grant is invalid or malformed.")
        scopes = scopes_of(form.get("scope", "")) or grant.scopes
        if self.lacks_consent(app, scopes, self._now(grant.user)):
            raise _invalid_grant(
                65001,
                f"The user or administrator has not consented to use the application with ID "
                f"'{app.client_id}'.",
            )
        grant.used = True
        self.refreshes += 1
        return replace(grant, scopes=scopes, nonce="")

    def _answer(self, grant: Grant, authority: str) -> dict[str, Any]:
        user = self._now(grant.user)
        reach = frozenset(_reach(user, grant.scopes))
        token = self.identity.issue_for_person(
            grant.app,
            grant.scopes,
            person=user.address,
            mailboxes=reach,
            sends_as=user.sends_as if "Mail.Send.Shared" in grant.scopes else frozenset(),
        )
        lifetime = self.identity.token_lifetime
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "scope": " ".join(sorted(_qualified(grant.scopes))),
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": token.value,
        }
        if "offline_access" in grant.scopes:
            refresh_token = f"1.{secrets.token_urlsafe(96)}"
            self._refresh_tokens[refresh_token] = replace(
                grant, used=False, expires=self.clock() + REFRESH_LIFETIME
            )
            answer["refresh_token"] = refresh_token
        if "openid" in grant.scopes:
            answer["id_token"] = self.id_tokens.sign(self._claims(grant, user, authority))
        info = f'{{"uid":"{user.oid}","utid":"{user.tenant_id}"}}'
        answer["client_info"] = base64.urlsafe_b64encode(info.encode()).decode().rstrip("=")
        return answer

    def _claims(self, grant: Grant, user: User, authority: str) -> dict[str, Any]:
        now = int(self.clock())
        claims = {
            "aud": grant.app.client_id,
            "iss": f"{authority}/{user.tenant_id}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "name": user.address.partition("@")[0],
            "oid": user.oid,
            "preferred_username": user.address,
            "sub": hashlib.sha256(f"{user.oid}{grant.app.client_id}".encode()).hexdigest()[:43],
            "tid": user.tenant_id,
            "uti": uuid.uuid4().hex[:22],
            "ver": "2.0",
        }
        return {**claims, "nonce": grant.nonce} if grant.nonce else claims

    def _now(self, user: User) -> User:
        """The user as it is now, and not when the grant was given."""
        return self.users.get(user.address.lower(), user)


def scopes_of(text: str) -> frozenset[str]:
    """Return the scopes of a request, those of Graph without their resource."""
    found = set()
    for word in text.split():
        resource = next((one for one in GRAPH_RESOURCES if word.startswith(f"{one}/")), "")
        found.add(word.removeprefix(f"{resource}/") if resource else word)
    return frozenset(found)


def is_registered(redirect_uri: str, registered: Sequence[str]) -> bool:
    """Tell whether an address is a redirect URI: exactly, but for the port of `http://localhost`.

    https://learn.microsoft.com/entra/identity-platform/reply-url#localhost-exceptions
    """
    return any(_portless(redirect_uri) == _portless(one) for one in registered)


def _portless(address: str) -> str:
    parts = urlsplit(address)
    if (parts.scheme, parts.hostname) == ("http", "localhost"):
        return parts._replace(netloc="localhost").geturl()
    return address


def _reach(user: User, scopes: frozenset[str]) -> set[str]:
    reach: set[str] = set()
    if scopes & {"Mail.ReadWrite", "Mail.ReadWrite.Shared", "Mail.Read"}:
        reach.add(user.address.lower())
    if "Mail.ReadWrite.Shared" in scopes:
        reach |= user.shared
    return reach


def _qualified(scopes: frozenset[str]) -> list[str]:
    return [one if one in OIDC else f"{GRAPH_RESOURCES[0]}/{one}" for one in scopes]


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _invalid_grant(number: int, description: str) -> TokenError:
    return TokenError(400, "invalid_grant", number, description)
