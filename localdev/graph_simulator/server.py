"""The simulator on the wire: Graph over plain http, the identity platform over https."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from localdev.graph_simulator.batch import Batch
from localdev.graph_simulator.engine import Engine, rendered
from localdev.graph_simulator.errors import GraphError, bad_request
from localdev.graph_simulator.exchange import Answer, Request, to_json
from localdev.graph_simulator.faults import Dropped
from localdev.graph_simulator.identity import App, IdentityPlatform, TokenError
from localdev.graph_simulator.sign_in_pages import SignInPages
from localdev.graph_simulator.sign_ins import SignIns
from localdev.graph_simulator.uploads import PREFIX

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_LARGEST_REQUEST = 160 * 1024 * 1024
_VERSION = "/v1.0"
_BEARER = (
    'Bearer realm="", '
    'authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    'client_id="00000003-0000-0000-c000-000000000000"'
)
_DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"Simulator","Slice":"E","Ring":"0","ScaleUnit":"001",'
    '"RoleInstance":"SIM0001"}}'
)


class GraphServer:
    """Graph, and beside it the endpoint from which App Service gives tokens to managed identities.

    Args:
        engine: What carries requests out.
        identity: What recognises tokens.
        managed_identity: Gives the application that the managed identity is.
        identity_header: What the endpoint wants in `X-IDENTITY-HEADER`.
    """

    def __init__(
        self,
        engine: Engine,
        identity: IdentityPlatform,
        managed_identity: Callable[[], App],
        identity_header: str,
    ) -> None:
        self._engine = engine
        self._identity = identity
        self._managed_identity = managed_identity
        self._identity_header = identity_header

    async def handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        raw_path = incoming.raw_path
        if raw_path.startswith("/msi/token"):
            return self._managed_identity_token(incoming)
        self._engine.metrics.round_trips += 1
        request = Request(
            incoming.method,
            raw_path.removeprefix(_VERSION),
            {name.lower(): value for name, value in incoming.headers.items()},
            await incoming.read(),
            base_url=f"{incoming.scheme}://{incoming.host}",
        )
        try:
            answer = await self._answer(request, versioned=raw_path.startswith(f"{_VERSION}/"))
        except GraphError as error:
            answer = rendered(error, request)
            self._engine.metrics.answered(answer.status)
        except Dropped:
            if incoming.transport is not None:
                incoming.transport.abort()
            return web.Response(status=500)
        return _response(answer, request)

    async def _answer(self, request: Request, *, versioned: bool) -> Answer:
        if request.target.startswith(PREFIX):
            return self._upload(request)
        token = self._identity.recognise(request.headers.get("authorization", ""))
        if not versioned:
            raise bad_request("Invalid version.")
        if request.path.rstrip("/") != "/$batch":
            return await self._engine.answer(request, token)
        if request.method != "POST":
            raise GraphError(405, "BadRequest", "A batch is posted.")
        self._engine.metrics.batches += 1
        batch = Batch(request, self._engine, token)
        fault = self._engine.injector.draw(request, "POST $batch")
        if fault is not None and not fault.after_effect:
            raise fault.error
        answer = await batch.answer()
        if fault is not None:
            raise fault.error
        return answer

    def _upload(self, request: Request) -> Answer:
        uploads = self._engine.directory.uploads
        if request.method == "GET":
            return uploads.state(request.target)
        if request.method != "PUT":
            raise GraphError(405, "BadRequest", "Parts of an upload are put.")
        fault = self._engine.injector.draw(request, "PUT upload")
        if fault is not None and not fault.after_effect:
            raise fault.error
        answer = uploads.put(request.target, request.headers, request.body, self._engine.metrics)
        if fault is not None:
            raise fault.error
        return answer

    def _managed_identity_token(self, incoming: web.BaseRequest) -> web.Response:
        self._engine.metrics.token_requests += 1
        resource = incoming.query.get("resource", "")
        if incoming.headers.get("X-IDENTITY-HEADER") != self._identity_header or not resource:
            return _json({"statusCode": 400, "message": "Invalid identity header."}, 400)
        app = self._managed_identity()
        token = self._identity.issue(app, resource.rstrip("/"))
        return _json(
            {
                "access_token": token.value,
                "expires_on": str(int(token.expires)),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": app.client_id,
            }
        )


class IdentityServer:
    """The token endpoint, the pages of the sign-in, and the documents that lead to both.

    Args:
        identity: What issues tokens.
        sign_ins: The people who sign in.
        count: Called for each token request.
    """

    def __init__(
        self, identity: IdentityPlatform, sign_ins: SignIns, count: Callable[[], None]
    ) -> None:
        self._identity = identity
        self._sign_ins = sign_ins
        self._pages = SignInPages(sign_ins)
        self._count = count

    async def handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        match incoming.path.strip("/").split("/"):
            case [tenant, "oauth2", "v2.0", "token"] if incoming.method == "POST":
                return await self._token(incoming, tenant)
            case [tenant, "oauth2", "v2.0", "authorize"] | [tenant, "v2.0", "adminconsent"]:
                return await self._page(incoming, tenant)
            case segments:
                try:
                    document = self._document(segments, incoming.host)
                except TokenError as error:
                    return _json(error.body(str(uuid.uuid4())), error.status)
                return _json(document or {"error": "not_found"}, 200 if document else 404)

    def _document(self, segments: list[str], host: str) -> dict[str, Any] | None:
        match segments:
            case [tenant, "v2.0", ".well-known", "openid-configuration"]:
                self._identity.check_tenant(tenant)
                return _configuration(f"https://{host}", tenant)
            case [_, "discovery", "v2.0", "keys"]:
                return self._sign_ins.id_tokens.published()
            case ["common", "discovery", "instance"]:
                return _instances(host)
            case _:
                return None

    async def _token(self, incoming: web.BaseRequest, tenant: str) -> web.Response:
        self._count()
        form = dict(parse_qsl((await incoming.read()).decode("utf-8", "replace")))
        correlation_id = incoming.headers.get("client-request-id", str(uuid.uuid4()))
        try:
            if form.get("grant_type") in {"authorization_code", "refresh_token"}:
                authority = f"https://{incoming.host}"
                return _json(self._sign_ins.token(tenant, form, authority))
            token = self._identity.client_credentials(tenant, form)
        except TokenError as error:
            return _json(error.body(correlation_id), error.status)
        lifetime = self._identity.token_lifetime
        return _json(
            {
                "token_type": "Bearer",
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": token.value,
            }
        )

    async def _page(self, incoming: web.BaseRequest, tenant: str) -> web.Response:
        form = dict(parse_qsl((await incoming.read()).decode("utf-8", "replace")))
        is_consent = incoming.path.rstrip("/").endswith("adminconsent")
        show = self._pages.admin_consent if is_consent else self._pages.authorize
        shown = show(tenant, dict(incoming.query), form)
        return web.Response(
            status=shown.status, text=shown.html, content_type="text/html", headers=shown.headers
        )


async def start(
    handler: Handler, port: int, context: ssl.SSLContext | None = None
) -> tuple[web.ServerRunner, int]:
    """Listen on loopback; returns the runner to clean up, and the port."""
    server = web.Server(handler, request_factory=_large_request)
    runner = web.ServerRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=context)
    await site.start()
    return runner, int(runner.addresses[0][1])


def _large_request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: Any,
) -> web.BaseRequest:
    return web.BaseRequest(
        message,
        payload,
        protocol,
        writer,
        task,
        protocol._loop,  # noqa: SLF001 -- aiohttp's own factory reads it so
        client_max_size=_LARGEST_REQUEST,
    )


def _response(answer: Answer, request: Request) -> web.Response:
    request_id = str(uuid.uuid4())
    headers = {
        "Cache-Control": "private",
        "Strict-Transport-Security": "max-age=31536000",
        "request-id": request_id,
        "client-request-id": request.headers.get("client-request-id", request_id),
        "x-ms-ags-diagnostic": _DIAGNOSTIC,
    }
    if answer.content_type:
        headers["Content-Type"] = answer.content_type
    if answer.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _BEARER
    preferences = request.preferences()
    if preferences.body_type and answer.status == HTTPStatus.OK:
        headers["Preference-Applied"] = f'outlook.body-content-type="{preferences.body_type}"'
    headers.update(answer.headers)
    return web.Response(status=answer.status, body=answer.body or None, headers=headers)


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        body=to_json(body).encode(),
        content_type="application/json",
        charset="utf-8",
    )


def _configuration(authority: str, tenant: str) -> dict[str, Any]:
    base = f"{authority}/{tenant}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "issuer": f"{base}/v2.0",
        "response_types_supported": ["code", "id_token", "token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "tenant_region_scope": None,
    }


def _instances(host: str) -> dict[str, Any]:
    return {
        "tenant_discovery_endpoint": f"https://{host}/common/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [
            {"preferred_network": host, "preferred_cache": host, "aliases": [host]},
        ],
    }
