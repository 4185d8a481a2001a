"""Signing people in with msal: the authorization code flow with PKCE, and refresh tokens.

msal is synchronous and runs in a thread. Its own cache of tokens is left out: the table is ours.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import msal  # type: ignore[import-untyped]
import requests
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError

from shared.account_ports import Begun, Look, Tokens
from shared.adapters.accounts.application import Application, Proof
from shared.adapters.graph.answers import UNAVAILABLE, GraphAnswer
from shared.adapters.graph.client import GLOBAL_CLOUD, GraphClient, GraphRequest
from shared.adapters.graph.mailboxes import repeated, worth_waiting
from shared.adapters.http import retry_after
from shared.domain.accounts import EntraRefused, EntraUnavailable, Person
from shared.domain.errors import MailboxError, MailboxUnavailable

PUBLIC_CLOUD = "https://login.microsoftonline.com"
ANY_TENANT = "organizations"
"""The authority where people of any tenant sign in, for multi-tenant apps."""

DEADLINE = 45.0
"""Seconds for one request with all that belongs to it."""

TIMEOUTS = (10.0, 30.0)
"""Seconds to connect, and for the next bytes: they end a thread that nobody waits for any more."""

APPS_KEPT = 64
"""Authorities whose endpoints are remembered."""

_OIDC = ("openid", "profile", "offline_access")
_POSTED = "form_post"
_LATER = {"temporarily_unavailable", "server_error"}
_OK = 200
_VERDICTS = frozenset(range(400, 500)) - UNAVAILABLE
"""Statuses that say that it does not open; others say nothing, redirections of a proxy included."""

LONGEST_WAIT = 5.0
"""Seconds that Graph may ask to wait before it is asked again: somebody sits before a browser."""

T = TypeVar("T")


class _NoCache(msal.TokenCache):  # type: ignore[misc]
    """Keeps nothing: refresh tokens stay encrypted, and access tokens with the credential."""

    def add(self, event: Any, now: Any = None) -> None:
        """Leaves the tokens to whoever asked for them."""


class Entra:
    """Fulfils :class:`~shared.account_ports.SignIn`.

    Args:
        application: the app registration that people sign in to.
        tenant: the tenant where an account names none; empty for any.
        endpoint: of Graph.
        authority: of Entra ID; empty for what ``AZURE_AUTHORITY_HOST`` names, as azure-identity
            reads it, or else the public cloud.
        trust: file with further certificate authorities; None for the system's.
    """

    def __init__(
        self,
        application: Application,
        tenant: str,
        endpoint: str,
        authority: str = "",
        trust: str | None = None,
    ) -> None:
        self._application = application
        self._proof = Proof(application)
        self._tenant = tenant or ANY_TENANT
        self._endpoint = endpoint
        # a stand-in over plain http, for loopback only, wants the global cloud's token
        self._audience = endpoint if endpoint.startswith("https://") else GLOBAL_CLOUD
        host = authority or os.environ.get("AZURE_AUTHORITY_HOST", "") or PUBLIC_CLOUD
        self._authority = (host if "://" in host else f"https://{host}").rstrip("/")
        self._trust = trust
        self._apps: dict[str, Any] = {}
        self._keeping = threading.Lock()
        # its errors repeat whole answers
        logging.getLogger("msal").setLevel(logging.CRITICAL)

    async def begin(
        self, tenant: str, scopes: Sequence[str], callback: str, state: str, user: str
    ) -> Begun:
        """Prepares the authorization code flow with PKCE."""

        def initiate(app: Any) -> Any:
            return app.initiate_auth_code_flow(
                self._qualified(scopes),
                redirect_uri=callback,
                state=state,
                login_hint=user or None,
                # a browser that knows one person would sign that one in unasked
                prompt=None if user else msal.Prompt.SELECT_ACCOUNT,
                response_mode=_POSTED,
            )

        flow = await self._ask(tenant, initiate)
        # a cookie that is Lax does not come back with a posted form; msal warns of anything else
        url = flow["auth_uri"].replace(f"response_mode={_POSTED}", "response_mode=query")
        return Begun(url, json.dumps(flow))

    async def complete(
        self, tenant: str, flow: str, answer: Mapping[str, str]
    ) -> tuple[Person, Tokens]:
        """Exchanges what the browser brought back for tokens."""
        _raise_for(answer)
        begun = json.loads(flow)

        def exchange(app: Any) -> Any:
            return app.acquire_token_by_auth_code_flow(begun, dict(answer))

        result = await self._ask(tenant, exchange)
        return self._person(result), _tokens(result)

    async def refresh(self, tenant: str, refresh_token: str, scopes: Sequence[str]) -> Tokens:
        """Exchanges a refresh token for an access token and a newer refresh token."""
        qualified = self._qualified(scopes)
        return _tokens(
            await self._ask(
                tenant, lambda app: app.acquire_token_by_refresh_token(refresh_token, qualified)
            )
        )

    def consent_url(self, tenant: str, scopes: Sequence[str], callback: str, state: str) -> str:
        """Where an administrator agrees for everybody in a tenant."""
        asked = {
            "client_id": self._application.checked().client_id,
            "scope": " ".join([*self._qualified(scopes), *_OIDC]),
            "redirect_uri": callback,
            "state": state,
        }
        return f"{self._authority}/{tenant or self._tenant}/v2.0/adminconsent?{urlencode(asked)}"

    async def look_into(self, mailbox: str, access_token: str) -> Look:
        """Opens a mailbox as the person."""
        client = GraphClient(_Held(access_token), self._endpoint)
        request = GraphRequest(
            what="open the mailbox",
            template="/users/{user}/mailFolders/inbox",
            path={"user": mailbox},
            query={"$select": "id"},
        )

        async def ask() -> GraphAnswer:
            answer = await client.send(mailbox, request)
            if answer.status == _OK or answer.status in _VERDICTS:
                return answer
            what = f"{request.what}: Graph answered {answer.status}"
            raise MailboxUnavailable(mailbox, what, retry_after(answer.headers))

        try:
            async with asyncio.timeout(DEADLINE):
                answer = await repeated(ask, partial(worth_waiting, longest=LONGEST_WAIT))
        except (MailboxError, TimeoutError) as error:
            raise EntraUnavailable(f"Graph did not say whether it opens ({error}).") from error
        finally:
            await client.close()
        if answer.status != _OK:
            return Look(why_not=f"Graph answered {answer.status} {answer.code}".rstrip())
        if not (inbox := answer.body.get("id")):
            raise EntraUnavailable("Graph's answer to opening the mailbox names no inbox.")
        return Look(str(inbox))

    async def close(self) -> None:
        """Closes what was opened."""
        await self._proof.close()
        for app in self._apps.values():
            app.http_client.close()
        self._apps.clear()

    def _qualified(self, scopes: Sequence[str]) -> list[str]:
        return [f"{self._audience}/{scope}" for scope in scopes]

    async def _ask(self, tenant: str, question: Callable[[Any], T]) -> T:
        """Asks Entra ID in a thread; its errors become ours."""
        self._application.checked()
        form = self._proof.form()
        try:
            async with asyncio.timeout(DEADLINE):
                await self._proof.renew()
                result = await asyncio.to_thread(
                    self._asked, tenant or self._tenant, form, question
                )
        except AzureError as error:
            raise EntraUnavailable(
                f"the managed identity of the app gave no token ({type(error).__name__})."
            ) from error
        except (
            OSError,
            TimeoutError,
            requests.RequestException,
            msal.exceptions.MsalError,
        ) as error:
            raise EntraUnavailable(f"Entra ID did not answer ({type(error).__name__}).") from error
        except (ValueError, RuntimeError) as error:
            # msal's words for answers that are none, and for another nonce; they repeat values
            raise EntraRefused("invalid_request") from error
        if isinstance(result, Mapping):
            _raise_for(result)
        return result

    def _asked(self, tenant: str, form: Any, question: Callable[[Any], T]) -> T:
        try:
            app = self._app(tenant, form)
        except ValueError as error:  # msal's word for a tenant that has no endpoints
            raise EntraRefused("invalid_request", "AADSTS90002") from error
        return question(app)

    def _app(self, tenant: str, form: Any) -> Any:
        """The application of a tenant; making it asks the tenant for its endpoints."""
        app = self._apps.get(tenant)
        if app is None:
            known = urlsplit(self._authority).hostname in msal.authority.WELL_KNOWN_AUTHORITY_HOSTS
            app = msal.ConfidentialClientApplication(
                self._application.client_id,
                client_credential=form,
                authority=f"{self._authority}/{tenant}",
                http_client=self._session(),
                token_cache=_NoCache(),
                # another host than Microsoft's is one that the settings name
                validate_authority=known,
                instance_discovery=None if known else False,
            )
            with self._keeping:  # not while it was made: others wait for no slow tenant
                app = self._apps.setdefault(tenant, app)
                if len(self._apps) > APPS_KEPT:
                    del self._apps[next(iter(self._apps))]  # its session ends with its last user
        return app

    def _session(self) -> requests.Session:
        session = requests.Session()
        # set on the session, the environment would win over what is to be trusted
        session.request = partial(  # type: ignore[method-assign]
            session.request, timeout=TIMEOUTS, verify=self._trust
        )
        return session

    def _person(self, result: Mapping[str, Any]) -> Person:
        claims = result.get("id_token_claims") or {}
        try:
            person = Person(
                str(claims["preferred_username"]), str(claims["oid"]), str(claims["tid"])
            )
            meant_for_us = claims["aud"] == self._application.client_id
        except KeyError as error:
            raise EntraRefused("invalid_request") from error
        if not meant_for_us:  # msal leaves this check to those who use it
            raise EntraRefused("invalid_request")
        return person


class _Held(AsyncTokenCredential):
    """An access token that is there already."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 60)

    async def close(self) -> None:
        """There is nothing to close."""

    async def __aexit__(self, *_: object) -> None:
        """There is nothing to close."""


def _raise_for(answer: Mapping[str, Any]) -> None:
    """Raises the error that an answer is, of either endpoint."""
    error = str(answer.get("error") or "")
    if error in _LATER:
        raise EntraUnavailable(f"Entra ID answered {error}.")
    if error:
        raise EntraRefused(error, str(answer.get("error_description") or ""))


def _tokens(result: Mapping[str, Any]) -> Tokens:
    try:
        return Tokens(
            str(result["access_token"]),
            float(result["expires_in"]),
            str(result.get("refresh_token", "")),
        )
    except (KeyError, ValueError) as error:
        raise EntraRefused("invalid_request") from error
