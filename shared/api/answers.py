"""Answers with JSON in them."""

from __future__ import annotations

import msgspec

from shared.api.http import ApiAnswer

JSON = "application/json"
PROBLEM = "application/problem+json"


def json_answer(status: int, content: object, content_type: str = JSON) -> ApiAnswer:
    """An answer with JSON, or with nothing where there is nothing to say."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if content is None:
        return ApiAnswer(status, b"", headers)
    return ApiAnswer(status, msgspec.json.encode(content), headers | {"Content-Type": content_type})
