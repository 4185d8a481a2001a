"""Finds the operation of a request, checks what it brings, runs it, and answers."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from shared.api.answers import json_answer
from shared.api.calls import BadRequest, Call, address_of, caller_of
from shared.api.http import ApiAnswer, ApiRequest
from shared.api.openapi import document
from shared.api.operations import ID, OPERATIONS, TOKEN, Operation
from shared.api.problems import problem, problem_of
from shared.domain.errors import ConnectorError
from shared.domain.outbound.odata_query import checked
from shared.telemetry import frames, logger
from shared.workflows.outbound.sending import Sending

DEADLINE = 210.0
"""Seconds of one request: the platform cuts an answer off after 230."""

KEY_PARAMETERS = frozenset({"code", "clientId"})
"""Parameters by which the platform is told the function key."""


class Api:
    """The HTTP API.

    Args:
        sending: what sends need, the mailboxes among it.
        public_url: where the app is reached; empty: where the caller has reached it.
    """

    def __init__(self, sending: Sending, public_url: str = "") -> None:
        self._sending = sending
        self._public_url = public_url

    @functools.cached_property
    def openapi(self) -> bytes:
        """The OpenAPI document, as JSON."""
        return msgspec.json.encode(document(self._public_url))

    async def handle(self, request: ApiRequest) -> ApiAnswer:
        """Answers one request, whatever it is. Never raises."""
        name = "unknown"
        try:
            operation, path = _found(request)
            name = operation.name
            call = self._call(request, operation, path)
            async with asyncio.timeout(DEADLINE):
                content = await operation.run(call)
            answer = json_answer(operation.status, content)
        except BadRequest as error:
            answer = problem(error.status, "badRequest", error.detail)
        except _NotAllowed as error:
            answer = _not_allowed(error)
        except ConnectorError as error:
            answer = problem_of(error)
        except TimeoutError:
            detail = f"No end within {DEADLINE:g} s. A mail may be sent or not."
            action = "Look in Sent Items and Drafts before you send it again."
            answer = problem(504, "timeout", detail, action)
        except Exception as error:  # noqa: BLE001 - a caller gets an answer; the log has the rest
            logger().error(
                "api.failed", operation=name, kind=type(error).__name__, at=frames(error)
            )
            answer = problem(500, "failed", "The request failed. The app's log says where.")
        logger().info("api.answered", operation=name, status=answer.status)
        return answer

    def _call(self, request: ApiRequest, operation: Operation, path: Mapping[str, str]) -> Call:
        query = {k: v for k, v in request.query.items() if k not in KEY_PARAMETERS}
        try:
            query = checked(query, operation.query)
        except ValueError as error:
            raise BadRequest(str(error)) from error
        return Call(
            sending=self._sending,
            caller=caller_of(request),
            path=path,
            query=query,
            body=None if operation.body is None else _decoded(operation.body, request.body),
            address=address_of(request, self._public_url),
        )


class _NotAllowed(Exception):
    """The path is known, and the method is not. Its arguments are those that are."""


def _found(request: ApiRequest) -> tuple[Operation, dict[str, str]]:
    methods = []
    for operation, pattern in _routes():
        matched = pattern.fullmatch(request.rest.strip("/"))
        if matched is None:
            continue
        if operation.method == request.method:
            return operation, matched.groupdict()
        methods.append(operation.method)
    if methods:
        raise _NotAllowed(*methods)
    raise BadRequest("There is nothing at this address. See /api/openapi.json.", 404)


@functools.cache
def _routes() -> list[tuple[Operation, re.Pattern[str]]]:
    def pattern(path: str) -> str:
        return re.sub(
            r"\{(\w+)\}", lambda m: f"(?P<{m[1]}>{TOKEN if m[1] == 'token' else ID})", path
        )

    return [(operation, re.compile(pattern(operation.path))) for operation in OPERATIONS]


@functools.cache
def _decoder(model: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(model)


def _decoded(model: Any, body: bytes) -> Any:
    try:
        return _decoder(model).decode(body)
    except msgspec.ValidationError as error:
        raise BadRequest(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("The body is not the JSON that is wanted.") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error


def _not_allowed(error: _NotAllowed) -> ApiAnswer:
    allowed = ", ".join(str(one) for one in error.args)
    answer = problem(405, "methodNotAllowed", f"Allowed here: {allowed}.")
    return ApiAnswer(answer.status, answer.body, {**answer.headers, "Allow": allowed})
