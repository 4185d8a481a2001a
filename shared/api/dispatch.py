"""Finds the operation of a request, checks what it brings, runs it, and answers."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from shared.account_ports import AccountTable
from shared.api.answers import JSON, json_answer
from shared.api.callers import Admission
from shared.api.calls import Answered, BadRequest, Call, Progress, address_of
from shared.api.http import ApiAnswer, ApiRequest
from shared.api.openapi import document
from shared.api.operations import ID, OPERATIONS, PATTERNS, Operation
from shared.api.problems import problem, problem_of, too_late
from shared.domain.api_access import ApiAccess, Principal
from shared.domain.errors import ConnectorError
from shared.domain.outbound.odata_query import checked
from shared.telemetry import frames, logger
from shared.workflows.outbound.sending import Sending
from shared.workflows.outbox.box import Outbox

DEADLINE = 210.0
"""Seconds of one request: the platform cuts an answer off after 230."""

KEY_PARAMETERS = frozenset({"code", "clientId"})
"""Parameters by which the platform is told the function key."""


class Api:
    """The HTTP API.

    Args:
        sending: what sends need, the mailboxes among it.
        outbox: what durable sends need.
        accounts: through which mailboxes can be opened.
        access: who may call, and for which mailboxes.
        public_url: where the app is reached; empty: where the caller has reached it.
    """

    def __init__(
        self,
        sending: Sending,
        outbox: Outbox,
        accounts: AccountTable,
        access: ApiAccess,
        public_url: str = "",
    ) -> None:
        self._sending = sending
        self._outbox = outbox
        self._admission = Admission(access, accounts)
        self._has_tokens = bool(access.callers)
        self._public_url = public_url

    def openapi(self, headers: Mapping[str, str]) -> ApiAnswer:
        """The OpenAPI document; a problem for who is not let in.

        Args:
            headers: of the request; names in lower case.
        """
        try:
            self._admission.principal(headers)
        except BadRequest as error:
            return problem(error.status, error.code, error.detail)
        return ApiAnswer(200, self._document, {"Content-Type": JSON})

    @functools.cached_property
    def _document(self) -> bytes:
        return msgspec.json.encode(document(self._public_url, tokens=self._has_tokens))

    async def handle(self, request: ApiRequest) -> ApiAnswer:
        """Answers one request, whatever it is. Never raises."""
        name = "unknown"
        progress = Progress()
        try:
            principal = self._admission.principal(request.headers)
            operation, path = _found(request)
            name = operation.name
            call = await self._call(request, principal, operation, path, progress)
            async with asyncio.timeout(DEADLINE):
                content = await operation.run(call)
            answer = _answer(operation, content)
        except BadRequest as error:
            answer = problem(error.status, error.code, error.detail)
        except _NotAllowed as error:
            answer = _not_allowed(error)
        except ConnectorError as error:
            answer = problem_of(error, progress.doubt)
        except TimeoutError:
            answer = too_late(DEADLINE, progress.doubt)
        except Exception as error:  # noqa: BLE001 - a caller gets an answer; the log has the rest
            logger().error(
                "api.failed", operation=name, kind=type(error).__name__, at=frames(error)
            )
            detail = "The request failed. The app's log says where."
            answer = problem(500, "failed", detail, progress.doubt)
        logger().info("api.answered", operation=name, status=answer.status)
        return answer

    async def _call(
        self,
        request: ApiRequest,
        principal: Principal | None,
        operation: Operation,
        path: Mapping[str, str],
        progress: Progress,
    ) -> Call:
        query = {k: v for k, v in request.query.items() if k not in KEY_PARAMETERS}
        try:
            query = checked(query, operation.query)
            headers = checked(_headers(request, operation), operation.headers)
        except ValueError as error:
            raise BadRequest(str(error)) from error
        caller = await self._admission.caller(request, principal)
        body = await _body(operation, request.body)
        return Call(
            sending=replace(self._sending, begins=progress.sends),
            progress=progress,
            outbox=self._outbox,
            caller=caller,
            check_sender=functools.partial(self._admission.check, principal),
            path=path,
            query=query,
            headers=headers,
            body=body,
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
        return re.sub(r"\{(\w+)\}", lambda m: f"(?P<{m[1]}>{PATTERNS.get(m[1], ID)})", path)

    return [(operation, re.compile(pattern(operation.path))) for operation in OPERATIONS]


def _headers(request: ApiRequest, operation: Operation) -> dict[str, str]:
    """The request's headers that the operation names."""
    given = request.headers
    return {name: given[name.lower()] for name in operation.headers if name.lower() in given}


def _answer(operation: Operation, content: object) -> ApiAnswer:
    if not isinstance(content, Answered):
        return json_answer(operation.status, content)
    answer = json_answer(content.status, content.content)
    return ApiAnswer(answer.status, answer.body, {**answer.headers, **content.headers})


async def _body(operation: Operation, body: bytes) -> Any:
    """The body as the operation wants it; None where it has none."""
    if operation.body is None:
        return None
    if operation.read is None:
        return _decoded(operation.body, body)
    try:
        # beside the event loop: the expressions of a template may take a second
        return await asyncio.to_thread(operation.read, _decoded(dict[str, Any], body))
    except ValueError as error:
        raise BadRequest(str(error)) from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error


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
