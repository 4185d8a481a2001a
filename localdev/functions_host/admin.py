"""The admin endpoints: the host's state, its functions, and a timer run by hand."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import web

from localdev.functions_host.functions import LoadedFunction
from localdev.functions_host.runner import Tally
from localdev.functions_host.web import AccessKeys
from localdev.peak_memory import peak_mb


def host_status(state: str, tallies: Mapping[str, Tally]) -> dict[str, Any]:
    """Return the host's state, the invocations of each function, and what they cost."""
    peak = peak_mb()
    return {
        "state": state,
        "functions": sorted(tallies),
        "invocations": {name: asdict(tally) for name, tally in tallies.items()},
        "cpuSeconds": time.process_time(),
        "peakRssBytes": None if peak is None else int(peak * 2**20),
    }


def add_admin_routes(
    server: web.Application,
    functions: Sequence[LoadedFunction],
    *,
    keys: AccessKeys,
    status: Callable[[], dict[str, Any]],
    timers: Mapping[str, Callable[[], Awaitable[Any]]],
) -> None:
    """Add `/admin/host/status`, `/admin/functions` and `POST /admin/functions/{name}`.

    https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
    """

    def check(request: web.Request) -> None:
        if not keys.allow(request, "admin"):
            raise web.HTTPUnauthorized

    async def get_status(request: web.Request) -> web.Response:
        check(request)
        return web.json_response(status())

    async def get_functions(request: web.Request) -> web.Response:
        check(request)
        return web.json_response([_describe(function) for function in functions])

    async def run_function(request: web.Request) -> web.Response:
        check(request)
        name = request.match_info["name"]
        if name not in timers:
            raise web.HTTPNotFound(text=f"{name} is no timer function")
        await timers[name]()
        return web.Response(status=202)

    server.router.add_get("/admin/host/status", get_status)
    server.router.add_get("/admin/functions", get_functions)
    server.router.add_post("/admin/functions/{name}", run_function)


def _describe(function: LoadedFunction) -> dict[str, Any]:
    bindings = [dict(function.trigger), *(dict(output) for output in function.outputs)]
    return {"name": function.name, "config": {"bindings": bindings}}
