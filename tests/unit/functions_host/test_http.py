import asyncio
import threading
from collections.abc import AsyncIterator

import aiohttp
import azure.functions as func
import pytest

from localdev.functions_host import AccessKeys, FunctionsHost


async def answer(kind: str) -> func.HttpResponse | None:
    match kind:
        case "broken":
            raise ValueError("made up")
        case "selfish":
            raise asyncio.CancelledError
        case "slow":
            await asyncio.Event().wait()
        case "cookies":
            response = func.HttpResponse()
            response.headers.add("Set-Cookie", "a=1; Path=/")
            response.headers.add("Set-Cookie", "b=2; Path=/")
            return response
    return None


def build_app() -> func.FunctionApp:
    app = func.FunctionApp()

    @app.route("mails/{id}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def mail(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        lines = [
            req.method,
            req.url.rpartition(":")[2].partition("/")[2],
            req.route_params["id"],
            req.params.get("q", ""),
            req.headers.get("X-Test", ""),
            req.get_body().decode(),
            context.function_name,
        ]
        return func.HttpResponse("|".join(lines), status_code=201, headers={"x-id": "7"})

    @app.route("files/{*rest}")
    def files(req: func.HttpRequest) -> str:
        return f"{req.route_params.get('rest', '')} on {threading.current_thread().name}"

    @app.route("bytes")
    async def raw(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(req.get_body()[::-1], mimetype="application/octet-stream")

    @app.route("answers/{kind}")
    async def answers(req: func.HttpRequest) -> func.HttpResponse | None:
        return await answer(req.route_params["kind"])

    @app.route("secret", auth_level=func.AuthLevel.FUNCTION)
    async def secret(req: func.HttpRequest) -> str:
        return str(req.method)

    @app.route("root", auth_level=func.AuthLevel.ADMIN)
    async def root(req: func.HttpRequest) -> str:
        return str(req.method)

    @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
    async def yearly(timer: func.TimerRequest) -> None: ...

    return app


@pytest.fixture
async def host() -> AsyncIterator[FunctionsHost]:
    async with FunctionsHost(build_app(), {}) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield session


async def test_a_function_gets_the_request(
    host: FunctionsHost, http: aiohttp.ClientSession
) -> None:
    """Method, address, route parameters, query and headers (joined), body and context."""
    headers = [("x-test", "a"), ("x-test", "b")]

    async with http.post(f"{host.url}/api/mails/9?q=1&q=2", headers=headers, data="hi") as got:
        assert got.status == 201
        assert got.headers["x-id"] == "7"
        assert await got.text() == "POST|api/mails/9?q=1&q=2|9|1,2|a,b|hi|mail"


async def test_a_synchronous_function_runs_on_a_thread(
    host: FunctionsHost, http: aiohttp.ClientSession
) -> None:
    """And a text is an answer; the rest of the path is one parameter."""
    async with http.get(f"{host.url}/api/files/a/b.txt") as got:
        assert (await got.text()).startswith("a/b.txt on function_")
        assert got.content_type == "text/plain"


async def test_bytes_go_both_ways(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
    """Whatever they are."""
    async with http.post(f"{host.url}/api/bytes", data=b"\x00\xff") as got:
        assert await got.read() == b"\xff\x00"
        assert got.content_type == "application/octet-stream"


async def test_several_cookies_are_kept(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
    """Each in a header of its own."""
    async with http.get(f"{host.url}/api/answers/cookies") as got:
        assert got.headers.getall("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "api/answers/nothing", 204),
        ("GET", "api/answers/broken", 500),
        ("GET", "api/answers/selfish", 500),
        ("DELETE", "api/mails/9", 404),
        ("HEAD", "api/mails/9", 404),
        ("GET", "mails/9", 404),
        ("GET", "api/secret", 200),
    ],
)
async def test_answers_as_the_platform(
    host: FunctionsHost, http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    """A method that is not allowed is not found, as the platform's router says; keys are free."""
    async with http.request(method, f"{host.url}/{path}") as got:
        assert got.status == status


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("api/mails/9", "", 201),
        ("api/secret", "", 401),
        ("api/secret", "wrong", 401),
        ("api/secret", "f-key", 200),
        ("api/secret", "m-key", 200),
        ("api/root", "f-key", 401),
        ("api/root", "m-key", 200),
        ("admin/host/status", "f-key", 401),
        ("admin/host/status", "m-key", 200),
    ],
)
async def test_keys_are_checked_if_there_are_any(
    http: aiohttp.ClientSession, path: str, key: str, status: int
) -> None:
    """In the header or in the query, by the function's level."""
    keys = AccessKeys(function="f-key", master="m-key")

    async with FunctionsHost(build_app(), {}, keys=keys) as host:
        async with http.get(f"{host.url}/{path}", headers={"x-functions-key": key}) as got:
            assert got.status == status
        async with http.get(f"{host.url}/{path}", params={"code": key}) as got:
            assert got.status == status


async def test_a_function_that_takes_too_long_fails(http: aiohttp.ClientSession) -> None:
    """After host.json's functionTimeout."""
    host_json = {"functionTimeout": "00:00:00.05", "extensions": {"http": {"routePrefix": ""}}}

    async with FunctionsHost(build_app(), {}, host_json=host_json) as host:
        async with http.get(f"{host.url}/answers/slow") as got:
            assert got.status == 500
        assert host.invocations["answers"].failed == 1


async def test_tells_its_state_and_functions(
    host: FunctionsHost, http: aiohttp.ClientSession
) -> None:
    """With the invocations of each, CPU time and memory."""
    async with (
        http.get(f"{host.url}/api/answers/broken"),
        http.get(f"{host.url}/api/answers/nothing"),
    ):
        pass

    async with http.get(f"{host.url}/admin/host/status") as got:
        status = await got.json()
    async with http.get(f"{host.url}/admin/functions") as got:
        functions = {function["name"]: function for function in await got.json()}

    assert status["state"] == "Running"
    assert status["invocations"]["answers"] == {"succeeded": 1, "failed": 1, "running": 0}
    assert status["cpuSeconds"] > 0
    assert functions["mail"]["config"]["bindings"][0]["route"] == "mails/{id}"


async def test_a_timer_is_run_by_a_post(host: FunctionsHost, http: aiohttp.ClientSession) -> None:
    """As the platform's admin endpoint does; other functions are not found there."""
    async with http.post(f"{host.url}/admin/functions/yearly", json={}) as got:
        assert got.status == 202
    async with http.post(f"{host.url}/admin/functions/mail", json={}) as got:
        assert got.status == 404

    assert host.invocations["yearly"].succeeded == 1
