"""The identity platform: applications, the tokens they get, and the errors they get instead."""

from __future__ import annotations

import base64
import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from localdev.graph_simulator.errors import unauthenticated

GRAPH_RESOURCES = ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000")
ANY_TENANT = frozenset({"organizations", "common"})
LOCAL_CALLBACK = "http://localhost/api/accounts/callback"
MAIL_ROLES = ("Mail.ReadWrite", "Mail.Send")
EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A registered application.

    Attributes:
        client_id: Its id.
        tenant_id: The tenant that it has a service principal in.
        secret: Its client secret, or None.
        certificate: The PEM of the certificate that its assertions are signed with, or None.
        federated: Whether it trusts the managed identity of this simulator.
        mailboxes: The addresses that it may reach, in lower case, or None for all.
        roles: The application permissions that were consented to, over every mailbox. Those that
            Exchange gives for some mailboxes only are in no token.
        redirect_uris: Where people may be sent back to; any port of `http://localhost` is meant.
        multitenant: Whether people of any tenant may sign in to it.
    """

    client_id: str
    tenant_id: str
    secret: str | None = None
    certificate: bytes | None = None
    federated: bool = False
    mailboxes: frozenset[str] | None = None
    roles: tuple[str, ...] = MAIL_ROLES
    redirect_uris: tuple[str, ...] = (LOCAL_CALLBACK,)
    multitenant: bool = False


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that was issued.

    Attributes:
        value: The token.
        app_id: For which application.
        resource: For which resource.
        expires: Until when.
        mailboxes: What it reaches, in lower case, or None for every mailbox.
        person: The address of who has signed in, or nothing where the application has itself.
        sends_as: The addresses that this person may send as, beside the own, in lower case.
    """

    value: str
    app_id: str
    resource: str
    expires: float
    mailboxes: frozenset[str] | None = None
    person: str = ""
    sends_as: frozenset[str] = frozenset()

    def reaches(self, address: str) -> bool:
        """Tell whether the application may reach a mailbox."""
        return self.mailboxes is None or address.lower() in self.mailboxes


class TokenError(Exception):
    """A refusal in the words of the identity platform.

    Args:
        status: The HTTP status.
        error: OAuth's error code.
        number: The number after `AADSTS`.
        description: The text for people.
    """

    def __init__(self, status: int, error: str, number: int, description: str) -> None:
        super().__init__(f"AADSTS{number}: {description}")
        self.status = status
        self.error = error
        self.number = number
        self.description = description

    def body(self, correlation_id: str) -> dict[str, Any]:
        """Return the JSON body, with the ids that support asks for."""
        trace_id = str(uuid.uuid4())
        timestamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.description} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {timestamp}",
            "error_codes": [self.number],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }


class IdentityPlatform:
    """Registers applications, issues tokens and recognises them.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.token_lifetime = 3599
        self._clock = clock
        self._apps: dict[tuple[str, str], App] = {}
        self._tokens: dict[str, AccessToken] = {}
        self._tenants: set[str] = set()

    def register(self, app: App) -> None:
        """Register an application, or register it anew."""
        self._apps[app.tenant_id.lower(), app.client_id.lower()] = app

    def issue(self, app: App, resource: str = GRAPH_RESOURCES[0]) -> AccessToken:
        """Issue a token to an application for itself; what it was given everywhere, it reaches."""
        reach = None if app.roles else app.mailboxes
        return self._issued(app, resource, {"idtyp": "app", "roles": app.roles}, mailboxes=reach)

    def issue_for_person(
        self,
        app: App,
        scopes: Iterable[str],
        *,
        person: str,
        mailboxes: frozenset[str],
        sends_as: frozenset[str],
    ) -> AccessToken:
        """Issue a token for Graph to an application that acts for a person."""
        claims = {"idtyp": "user", "scp": " ".join(sorted(scopes)), "preferred_username": person}
        return self._issued(
            app,
            GRAPH_RESOURCES[0],
            claims,
            mailboxes=mailboxes,
            person=person,
            sends_as=sends_as,
        )

    def _issued(
        self, app: App, resource: str, claims: Mapping[str, Any], **reach: Any
    ) -> AccessToken:
        """Issue a token of Entra ID's form; only this platform knows it from a forgery."""
        now = self._clock()
        expires = now + self.token_lifetime
        common = {"aud": resource, "appid": app.client_id, "tid": app.tenant_id, "ver": "1.0"}
        times = {"iat": int(now), "nbf": int(now), "exp": int(expires)}
        parts = ({"typ": "JWT", "alg": "RS256"}, {**common, **times, **claims})
        written = [_written(json.dumps(part).encode()) for part in parts]
        value = ".".join([*written, secrets.token_urlsafe(96)])
        token = AccessToken(value, app.client_id, resource, expires, **reach)
        self._tokens[token.value] = token
        return token

    def expire_all(self) -> None:
        """Let every token issued so far be unknown from now on."""
        self._tokens.clear()

    def recognise(self, authorization: str) -> AccessToken:
        """Return the token in an `Authorization` header of a request to Graph.

        Raises:
            GraphError: 401, if it is missing, unknown, expired or for another resource.
        """
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise unauthenticated("Access token is empty.")
        token = self._tokens.get(value)
        if token is None:
            raise unauthenticated("IDX14100: JWT is not well formed, there are no dots (.).")
        if token.expires <= self._clock():
            raise unauthenticated("Lifetime validation failed, the token is expired.")
        if token.resource not in GRAPH_RESOURCES:
            raise unauthenticated("Access token validation failure. Invalid audience.")
        return token

    def client_credentials(self, tenant: str, form: Mapping[str, str]) -> AccessToken:
        """Grant a token to an application that proves who it is.

        Raises:
            TokenError: In the words of the identity platform, for every way to get it wrong.
        """
        if form.get("grant_type") != "client_credentials":
            self.check_tenant(tenant)
            raise TokenError(
                400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type."
            )
        app = self.app_of(tenant, form.get("client_id", ""))
        self.authenticate(app, form)
        return self.issue(app, _resource(form.get("scope", "")))

    def authenticate(self, app: App, form: Mapping[str, str]) -> None:
        """Let an application prove who it is, with its secret or an assertion.

        Raises:
            TokenError: If it does not.
        """
        if form.get("client_assertion"):
            self._check_assertion(app, form)
        else:
            _check_secret(app, form.get("client_secret", ""))

    def app_of(self, tenant: str, client_id: str) -> App:
        """Return the application as a tenant knows it: its own, or a multi-tenant one.

        Raises:
            TokenError: If there is no such tenant, or the tenant does not know the application.
        """
        self.check_tenant(tenant)
        own = self._apps.get((tenant.lower(), client_id.lower()))
        anywhere = [app for (_, known), app in self._apps.items() if known == client_id.lower()]
        shared = [app for app in anywhere if app.multitenant or tenant.lower() in ANY_TENANT]
        if own is not None or shared:
            return own or shared[0]
        raise TokenError(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{client_id}' was not found in the directory '{tenant}'.",
        )

    def know_tenant(self, tenant: str) -> None:
        """Let there be a tenant, with or without applications of its own."""
        self._tenants.add(tenant.lower())

    def check_tenant(self, tenant: str) -> None:
        """Let only tenants pass that there are.

        Raises:
            TokenError: If this is none.
        """
        known = {known for known, _ in self._apps} | self._tenants | ANY_TENANT
        if tenant.lower() not in known:
            raise TokenError(
                400,
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID "
                "and are signing into the correct cloud.",
            )

    def _check_assertion(self, app: App, form: Mapping[str, str]) -> None:
        assertion = form["client_assertion"]
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise TokenError(
                400, "invalid_request", 900144, "The request must have a client_assertion_type."
            )
        issued = self._tokens.get(assertion)
        if app.federated and issued is not None and issued.resource == EXCHANGE_AUDIENCE:
            if issued.expires > self._clock():
                return
            raise TokenError(401, "invalid_client", 700024, "Client assertion has expired.")
        if app.certificate is not None and "." in assertion:
            _check_signature(app, app.certificate, assertion, self._clock())
            return
        raise TokenError(
            401,
            "invalid_client",
            700213,
            "No matching federated identity record found for presented assertion.",
        )


def _check_secret(app: App, secret: str) -> None:
    if not secret:
        raise TokenError(
            401,
            "invalid_client",
            7000218,
            "The request body must contain the following parameter: 'client_assertion' or "
            "'client_secret'.",
        )
    if app.secret is None or not secrets.compare_digest(secret.encode(), app.secret.encode()):
        raise TokenError(
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the "
            f"client secret value, not the client secret ID, for a secret added to app "
            f"'{app.client_id}'.",
        )


def _resource(scope: str) -> str:
    resource, default, rest = scope.strip().partition("/.default")
    if not default or rest or not resource:
        raise TokenError(
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have "
            "a scope value with /.default suffixed to the resource identifier.",
        )
    return resource


def _check_signature(app: App, certificate: bytes, assertion: str, now: float) -> None:
    """Check a JWT that the application's own certificate is to have signed."""
    invalid = TokenError(
        401, "invalid_client", 700027, "The certificate with identifier used to sign is not valid."
    )
    try:
        signed, _, signature = assertion.rpartition(".")
        header, payload = (json.loads(_base64url(part)) for part in signed.split("."))
        key = x509.load_pem_x509_certificate(certificate).public_key()
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        scheme = pss if header["alg"] == "PS256" else padding.PKCS1v15()
        if not isinstance(key, rsa.RSAPublicKey):
            raise invalid
        key.verify(_base64url(signature), signed.encode(), scheme, hashes.SHA256())
        expired = payload["exp"] <= now
        mine = payload["iss"] == payload["sub"] == app.client_id
    except (ValueError, KeyError, TypeError, InvalidSignature):
        raise invalid from None
    if not mine:
        raise invalid
    if expired:
        raise TokenError(401, "invalid_client", 700024, "Client assertion has expired.")


def _written(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
