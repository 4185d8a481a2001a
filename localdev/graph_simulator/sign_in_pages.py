"""The pages of the identity platform that people see: choose who you are, and agree or decline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from urllib.parse import urlencode

from localdev.graph_simulator.identity import ANY_TENANT, App, TokenError
from localdev.graph_simulator.sign_ins import (
    CODE_LIFETIME,
    KNOWN_SCOPES,
    Grant,
    SignIns,
    User,
    is_registered,
    scopes_of,
)

_DECLINED = "User declined to consent to access the app."


@dataclass(frozen=True, slots=True)
class Shown:
    """A page, or a redirect."""

    status: int
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class SignInPages:
    """The authorization endpoint and that for the consent of administrators.

    Nothing is kept between a page and the next: a form carries what was chosen so far.

    Args:
        sign_ins: The people, and what they agreed to.
    """

    def __init__(self, sign_ins: SignIns) -> None:
        self._sign_ins = sign_ins

    def authorize(self, tenant: str, query: Mapping[str, str], form: Mapping[str, str]) -> Shown:
        """Show what is next on the way to a code, or redirect with a code or an error."""
        return _shown(lambda: self._authorized(tenant, query, form))

    def admin_consent(
        self, tenant: str, query: Mapping[str, str], form: Mapping[str, str]
    ) -> Shown:
        """Let an administrator agree for a tenant."""
        return _shown(lambda: self._admin_consented(tenant, query, form))

    def _authorized(self, tenant: str, query: Mapping[str, str], form: Mapping[str, str]) -> Shown:
        app = self._app(tenant, query, multitenant_only=True)
        self._check_request(query)
        if "user" not in form:
            if query.get("prompt") == "none":
                raise _Back(query, "login_required", 50058, "Session information is insufficient.")
            return self._choice(tenant, query)
        user = self._user(form)
        if tenant.lower() not in ANY_TENANT | {user.tenant_id}:
            description = f"User account '{user.address}' does not exist in tenant '{tenant}'."
            raise TokenError(400, "invalid_grant", 50020, description)
        return self._consented(app, user, query, form)

    def _admin_consented(
        self, tenant: str, query: Mapping[str, str], form: Mapping[str, str]
    ) -> Shown:
        app = self._app(tenant, query, multitenant_only=False)
        self._check_forced(query)
        if "user" not in form:
            return self._choice(tenant, query)
        user = self._user(form)
        if not user.is_admin:
            raise TokenError(400, "access_denied", 90094, "Only an administrator may do this.")
        scopes = scopes_of(query.get("scope", ""))
        if "consent" not in form:
            return _consent_page(user, scopes, "Permissions requested for your organization")
        if form["consent"] != "accept":
            raise _Back(query, "access_denied", 65004, _DECLINED)
        self._sign_ins.consent(app, scopes, user, everybody=True)
        answer = {"admin_consent": "True", "tenant": user.tenant_id, "scope": query["scope"]}
        return _redirect(query, answer)

    def _user(self, form: Mapping[str, str]) -> User:
        user = self._sign_ins.users.get(form["user"].lower())
        if user is None:
            raise TokenError(400, "invalid_grant", 50034, "The user account does not exist.")
        return user

    def _app(self, tenant: str, query: Mapping[str, str], *, multitenant_only: bool) -> App:
        client_id = query.get("client_id", "")
        app = self._sign_ins.identity.app_of(tenant, client_id)
        if multitenant_only and tenant.lower() in ANY_TENANT and not app.multitenant:
            raise TokenError(
                400,
                "invalid_request",
                50194,
                f"Application '{client_id}' is not configured as a multi-tenant application. Use a "
                "tenant-specific endpoint or configure the application to be multi-tenant.",
            )
        if not is_registered(query.get("redirect_uri", ""), app.redirect_uris):
            raise TokenError(
                400,
                "invalid_request",
                50011,
                "The redirect URI specified in the request does not match the redirect URIs "
                f"configured for the application '{client_id}'.",
            )
        return app

    def _check_forced(self, query: Mapping[str, str]) -> None:
        forced = self._sign_ins.forced("authorize")
        if forced is not None:
            raise _Back(query, forced.error, forced.number, forced.description)

    def _check_request(self, query: Mapping[str, str]) -> None:
        self._check_forced(query)
        scopes = scopes_of(query.get("scope", ""))
        if query.get("response_type") != "code" or not scopes:
            raise _Back(query, "invalid_request", 900144, "A parameter is missing.")
        if query.get("response_mode", "query") != "query":
            raise _Back(query, "invalid_request", 70007, "This response mode is not simulated.")
        if not scopes <= KNOWN_SCOPES:
            raise _Back(query, "invalid_scope", 70011, "The provided scope is not valid.")
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            raise _Back(query, "invalid_request", 501491, "The code challenge must be S256.")

    def _choice(self, tenant: str, query: Mapping[str, str]) -> Shown:
        hint = query.get("login_hint", "").lower()
        users = sorted(self._sign_ins.users.values(), key=lambda user: user.address.lower() != hint)
        buttons = "".join(
            f'<p><button name="user" value="{escape(user.address)}">{escape(user.address)}</button>'
            for user in users
        )
        return _page("Pick an account", f"<p>Tenant {escape(tenant)}</p>{_form(buttons)}")

    def _consented(
        self, app: App, user: User, query: Mapping[str, str], form: Mapping[str, str]
    ) -> Shown:
        scopes = scopes_of(query["scope"])
        missing = self._sign_ins.lacks_consent(app, scopes, user)
        answer = form.get("consent", "")
        if answer == "cancel":
            raise _Back(query, "access_denied", 65004, _DECLINED)
        if missing and self._sign_ins.admins_only and not user.is_admin:
            if answer == "back":
                description = (
                    "An administrator has set a policy that prevents you from granting this app "
                    "the permissions it is requesting. Contact an administrator."
                )
                raise _Back(query, "access_denied", 90094, description)
            button = '<button name="consent" value="back">Return to the application</button>'
            return _page("Need admin approval", _form(button, user=user.address))
        if missing or query.get("prompt") == "consent":
            if answer != "accept":
                return _consent_page(user, scopes, "Permissions requested")
            self._sign_ins.consent(app, scopes, user, everybody=False)
        grant = Grant(
            app=app,
            user=user,
            scopes=scopes,
            expires=self._sign_ins.clock() + CODE_LIFETIME,
            redirect_uri=query["redirect_uri"],
            challenge=query.get("code_challenge", ""),
            nonce=query.get("nonce", ""),
        )
        return _redirect(query, {"code": self._sign_ins.code(grant), "session_state": "simulated"})


def _consent_page(user: User, scopes: frozenset[str], title: str) -> Shown:
    listed = "".join(f"<li>{escape(scope)}</li>" for scope in sorted(scopes))
    buttons = (
        '<button name="consent" value="accept">Accept</button> '
        '<button name="consent" value="cancel">Cancel</button>'
    )
    return _page(
        title, f"<p>{escape(user.address)}<ul>{listed}</ul>{_form(buttons, user=user.address)}"
    )


def _form(buttons: str, **hidden: str) -> str:
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    return f'<form method="post">{fields}{buttons}</form>'


def _page(title: str, body: str, status: int = HTTPStatus.OK) -> Shown:
    html = f'<!doctype html><html lang="en"><title>{escape(title)}</title><h1>{escape(title)}</h1>'
    return Shown(status, f"{html}{body}</html>")


class _Back(Exception):
    """An error that goes back to the application."""

    def __init__(self, query: Mapping[str, str], error: str, number: int, description: str) -> None:
        text = f"AADSTS{number}: {description}"
        super().__init__(text)
        self.shown = _redirect(query, {"error": error, "error_description": text})


def _shown(step: Callable[[], Shown]) -> Shown:
    """Turn what goes wrong into a page or a redirect."""
    try:
        return step()
    except _Back as back:
        return back.shown
    except TokenError as error:  # not redirected: the address may be anybody's
        title = "Sorry, but we're having trouble signing you in."
        return _page(title, f"<p>{escape(str(error))}", HTTPStatus.BAD_REQUEST)


def _redirect(query: Mapping[str, str], answer: Mapping[str, str]) -> Shown:
    address = query["redirect_uri"]
    state = {"state": query["state"]} if "state" in query else {}
    joined = "&" if "?" in address else "?"
    location = f"{address}{joined}{urlencode({**answer, **state})}"
    return Shown(HTTPStatus.FOUND, headers={"Location": location})
