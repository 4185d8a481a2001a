"""Serves the HTTP triggers and the admin endpoints."""

import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import azure.functions as func
from aiohttp import web
from azure.functions.http import HttpRequestConverter, HttpResponseConverter
from azure.functions.meta import Datum

from localdev.functions_host.functions import LoadedFunction
from localdev.functions_host.routes import server_paths, specificity

if TYPE_CHECKING:
    from http.cookies import SimpleCookie

# https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#limits
_MAX_BODY_BYTES = 210 * 1024 * 1024

logger = logging.getLogger(__name__)

Run = Callable[[LoadedFunction, object], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """The app's keys. Without any, keys are not checked, as in a local run of Core Tools.

    https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
    """

    function: str | None = None
    master: str | None = None

    def allow(self, request: web.Request, level: str) -> bool:
        """Tell whether a request may use a function of this level."""
        level = level.lower()
        if level == "anonymous" or (self.function is None and self.master is None):
            return True
        given = request.headers.get("x-functions-key") or request.query.get("code", "")
        keys = [self.master] if level == "admin" else [self.function, self.master]
        return any(key and hmac.compare_digest(given.encode(), key.encode()) for key in keys)


def build_server(
    functions: Sequence[LoadedFunction], *, prefix: str, keys: AccessKeys, run: Run
) -> web.Application:
    """Return a server with a route for each HTTP function."""
    server = web.Application(middlewares=[_unknown_method], client_max_size=_MAX_BODY_BYTES)
    for function in sorted(functions, key=lambda item: specificity(item.trigger["route"])):
        handler = _handler(function, keys, run)
        # https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#decorators
        methods = [str(method).upper() for method in function.trigger.get("methods") or ["*"]]
        for path in server_paths(function.trigger["route"], prefix):
            for method in methods:
                server.router.add_route(method, path, handler)
    return server


@web.middleware
async def _unknown_method(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer 404 where the route is known and the method is not, as the platform's router."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        raise web.HTTPNotFound from error


def _handler(
    function: LoadedFunction, keys: AccessKeys, run: Run
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        if not keys.allow(request, function.trigger.get("authLevel", "function")):
            return web.Response(status=401)
        try:
            return encode_response(await run(function, await decode_request(request)))
        except web.HTTPException:
            raise
        except Exception:  # noqa: BLE001 - whatever it is: the runner has logged it
            return web.Response(status=500)

    return handle


async def decode_request(request: web.Request) -> func.HttpRequest:
    """Return a request as a function gets it: values given more than once are joined."""
    datum = {
        "method": Datum(request.method, "string"),
        "url": Datum(str(request.url), "string"),
        "headers": {
            name: Datum(",".join(request.headers.getall(name)), "string")
            for name in request.headers
        },
        "query": {
            name: Datum(",".join(request.query.getall(name)), "string") for name in request.query
        },
        "params": {name: Datum(value, "string") for name, value in request.match_info.items()},
        "body": Datum(await request.read(), "bytes"),
    }
    decoded: func.HttpRequest = HttpRequestConverter.decode(
        Datum(datum, "http"), trigger_metadata=None
    )
    return decoded


def encode_response(result: Any) -> web.Response:
    """Return the answer that a function's result stands for: a text, a response, or nothing."""
    if result is None:
        return web.Response(status=204)
    try:
        datum = HttpResponseConverter.encode(result, expected_type=None)
    except NotImplementedError:
        logger.error("An HTTP function returned a %s", type(result).__name__)  # noqa: TRY400
        return web.Response(status=500)
    if datum.type == "string":
        return web.Response(text=datum.value)
    value = datum.value
    response = web.Response(
        status=int(value["status_code"].value),
        headers={name: header.value for name, header in value["headers"].items()},
        body=value["body"].value,
    )
    for cookie in cast("list[SimpleCookie]", value["cookies"] or []):
        for morsel in cookie.values():
            response.headers.add("Set-Cookie", morsel.OutputString())
    return response
