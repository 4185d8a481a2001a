"""Answers with JSON in them."""

from __future__ import annotations

import json

import msgspec

from shared.api.http import ApiAnswer

JSON = "application/json"
PROBLEM = "application/problem+json"


def json_answer(status: int, content: object, content_type: str = JSON) -> ApiAnswer:
    """An answer with JSON, or with nothing where there is nothing to say."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if content is None:
        return ApiAnswer(status, b"", headers)
    return ApiAnswer(status, _encoded(content), headers | {"Content-Type": content_type})


def _encoded(content: object) -> bytes:
    try:
        return msgspec.json.encode(content)
    except UnicodeEncodeError:  # half a surrogate, which JSON knows by its escape only
        return json.dumps(msgspec.to_builtins(content)).encode()
