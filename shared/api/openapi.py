"""The OpenAPI 3.1 document, made of the table of operations and of the models that validate."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from shared.api.answers import JSON, PROBLEM
from shared.api.calls import PREFIX
from shared.api.models import Problem, Resource
from shared.api.operations import ID, OPERATIONS, PATTERNS, Operation
from shared.domain.accounts import NAME

_REF = "#/components/schemas/{name}"
_PROBLEM = {"$ref": _REF.format(name="Problem")}
_MEANINGS = {
    "userId": "Address or id of the mailbox.",
    "folderId": "Id of a folder, or a well-known name such as `inbox`.",
    "messageId": "Id of a message; it stays when the message is moved.",
    "token": "From a nextLink.",
    "key": "Idempotency-Key of a durable send.",
}
_ERRORS = (400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503, 504)
_WHERE_AND_WHEN = {
    "Location": {"description": "Where its status is.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
}
_ARGUMENT = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def document(public_url: str = "", *, tokens: bool = False) -> dict[str, Any]:
    """The document.

    Args:
        public_url: where the app is reached; may be empty.
        tokens: whether callers sign in with Entra ID, and have no function key.
    """
    models = [form for one in OPERATIONS for form in (one.body, *one.forms) if form is not None]
    models += [
        kind for one in OPERATIONS for kind in (one.answers, *one.also.values()) if _is_model(kind)
    ]
    unique = list(dict.fromkeys([*models, Problem]))
    _, schemas = msgspec.json.schema_components(unique, ref_template=_REF)
    for name, schema in schemas.items():
        _describe(name, schema, unique)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        path = f"{PREFIX}/{{userId}}/{operation.path}"
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "M365 Mail Connector",
            "version": "1",
            "description": "Sends mail, and serves folders and messages of Microsoft 365.",
        },
        "servers": [{"url": public_url or "/"}],
        "security": [{"entraToken" if tokens else "functionKey": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Resource": _resource()},
            "securitySchemes": {
                "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "entraToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"The app needs {operation.needs}.",
        "parameters": list(_parameters(operation)),
        "responses": {**_successes(operation), **_problems()},
    }
    if operation.body is not None:
        schema = _any_of([operation.body, *operation.forms])
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return found


def _successes(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status in sorted({operation.status, *operation.also}):
        kinds = [operation.answers] if status == operation.status else []
        kinds += [operation.also[status]] if status in operation.also else []
        success: dict[str, Any] = {"description": HTTPStatus(status).phrase}
        if schema := _any_of([kind for kind in kinds if kind is not None]):
            success["content"] = {JSON: {"schema": schema}}
        if status == HTTPStatus.ACCEPTED:
            success["headers"] = _WHERE_AND_WHEN
        found[str(status)] = success
    return found


def _parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    for name in ("userId", *re.findall(r"\{(\w+)\}", operation.path)):
        user = "^[^\\s/\\\\?%.][^\\s/\\\\?%]{0,255}$"
        pattern = user if name == "userId" else f"^{PATTERNS.get(name, ID)}$"
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": _MEANINGS[name],
            "schema": {"type": "string", "pattern": pattern},
        }
    for place, options in (("query", operation.query), ("header", operation.headers)):
        for name, option in options.items():
            yield {
                "name": name,
                "in": place,
                "description": option.meaning,
                "schema": dict(option.schema),
            }
    yield {
        "name": "X-Graph-Authorization",
        "in": "header",
        "description": "`Bearer` and a token for Graph, used instead of the app's own; not kept.",
        "schema": {"type": "string", "pattern": "^Bearer [A-Za-z0-9._~+/-]+=*$"},
    }
    yield {
        "name": "X-Mail-Account",
        "in": "header",
        "description": "An account that serves the mailbox: opens it as who has signed in.",
        "schema": {"type": "string", "pattern": f"^{NAME.pattern}$"},
    }


def _problems() -> dict[str, Any]:
    return {
        str(status): {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM: {"schema": _PROBLEM}},
        }
        for status in _ERRORS
    }


def _any_of(kinds: Sequence[Any]) -> dict[str, Any]:
    """The schema of something that is of one of these kinds; empty where there are none."""
    names = ["Resource" if kind is Resource else kind.__name__ for kind in kinds]
    schemas = [{"$ref": _REF.format(name=name)} for name in names]
    return {"anyOf": schemas} if len(schemas) > 1 else dict(*schemas)


def _resource() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "A message or folder, as Microsoft Graph has it.",
        "properties": {"id": {"type": "string"}},
    }


def _is_model(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, msgspec.Struct)


def _describe(name: str, schema: dict[str, Any], models: Iterable[type]) -> None:
    """Puts a docstring's lines where they belong: the first above, those of arguments below."""
    text = inspect.cleandoc(str(schema.get("description", "")))
    schema["description"] = text.partition("\n")[0]
    meanings = _meanings(next((one for one in models if one.__name__ == name), None))
    meanings |= _meanings_in(text)
    for field, described in (schema.get("properties") or {}).items():
        if field in meanings:
            described["description"] = meanings[field]


def _meanings(model: type | None) -> dict[str, str]:
    """What each field means, by its name in JSON; those of a base class as well."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__ if model else ()):
        found |= _meanings_in(inspect.cleandoc(one.__doc__ or ""))
    return found


def _meanings_in(text: str) -> Mapping[str, str] | dict[str, str]:
    return {
        "from" if name == "sender" else _camel(name): " ".join(meaning.split())
        for name, meaning in _ARGUMENT.findall(text)
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(one.capitalize() for one in rest)
