"""The OpenAPI document holds what the API does: thousands of requests made of it find no gap."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.api.calls import PREFIX
from shared.api.dispatch import Api
from shared.api.http import ApiRequest
from tests.unit.api.desk import ApiDesk

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 40
"""Requests for each operation; all of them take some seconds."""


def application(api: Api) -> Any:
    """The API as an ASGI application, which is what schemathesis calls."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.decode("ascii").partition("?")[0].removeprefix(f"{PREFIX}/")
        user, _, rest = path.partition("/")
        answer = await api.handle(
            ApiRequest(
                method=scope["method"],
                url=f"https://app.example{scope['path']}",
                user=unquote(user),
                rest=unquote(rest),
                query=dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
                headers={
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in scope["headers"]
                },
                body=body,
            )
        )
        headers = [(k.encode(), v.encode()) for k, v in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    return app


def made() -> tuple[ApiDesk, Any]:
    """A desk with some mail, and the schema of its API."""
    desk = ApiDesk(most_per_hour=0)
    for _ in range(3):
        desk.operations.deliver()
    document = json.loads(desk.api.openapi({}).body)
    schema = schemathesis.openapi.from_dict(document)
    schema.app = application(desk.api)
    return desk, schema


DESK, SCHEMA = made()
TURNS = count()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@SCHEMA.parametrize()  # type: ignore[untyped-decorator]
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
def test_no_request_breaks_the_api(case: Any) -> None:
    """No server error, and every answer is one that the document promises.

    Every other request is about a mail and a folder that are there, with a token that can be one.
    """
    if next(TURNS) % 2:
        known = {"messageId": DESK.operations.deliver(), "folderId": "inbox"}
        case.path_parameters = {
            name: known.get(name, value) for name, value in (case.path_parameters or {}).items()
        }
        case.headers.pop("X-Graph-Authorization", None)
    response = case.call()

    case.validate_response(response, checks=CHECKS)


def test_the_document_says_which_openapi_it_is() -> None:
    """And where the key goes."""
    document = json.loads(DESK.api.openapi({}).body)

    assert document["openapi"] == "3.1.0"
    assert document["components"]["securitySchemes"]["functionKey"]["name"] == "x-functions-key"
    send = document["components"]["schemas"]["SendRequest"]
    assert send["description"] == "A new mail."
    assert send["properties"]["from"]["description"].startswith("`from`: a shared mailbox")
    assert send["additionalProperties"] is False


def test_the_document_is_made_once() -> None:
    """It does not change while the app runs."""
    api = asyncio.run(_twice())

    assert api[0] is api[1]


async def _twice() -> tuple[bytes, bytes]:
    api = ApiDesk().api
    return api.openapi({}).body, api.openapi({}).body


def test_every_operation_names_the_refusal_of_its_method() -> None:
    """As it names the other refusals."""
    document = json.loads(ApiDesk().api.openapi({}).body)

    operations = [one for path in document["paths"].values() for one in path.values()]
    assert all("405" in one["responses"] for one in operations)
