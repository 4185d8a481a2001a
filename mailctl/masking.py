"""Columns as they may be shown: references to secrets are, what might be a secret is not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from shared.domain.columns import COLUMNS
from shared.domain.values import SECRET_REFERENCE

HIDDEN = "(not shown)"
_NO_SECRETS = {"clientId", "tokenUrl", "audience", "scope"}


def masked(column: str, value: Any) -> Any:
    """The value of a column, as far as it may be shown. Of an address it is scheme and host."""
    known = COLUMNS.get(column)
    if value is None or value == "" or (known is not None and not known.hidden):
        return value
    text = str(value)
    if _is_reference(text):
        return value
    if column == "targetUrl":
        return _host(text)
    return _object(text) if column == "targetAuth" else HIDDEN


def _is_reference(value: object) -> bool:
    return SECRET_REFERENCE.match(str(value).strip()) is not None


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return HIDDEN
    if not parts.hostname or "@" in parts.netloc:
        return HIDDEN
    host = f"{parts.scheme}://{parts.netloc}"
    return host if parts.path in {"", "/"} and not parts.query else f"{host}/…"


def _object(text: str) -> str:
    """A JSON object with its references; all else in it is masked."""
    try:
        fields = json.loads(text)
    except ValueError:
        return HIDDEN
    if not isinstance(fields, dict):
        return HIDDEN
    shown = {
        name: value if name in _NO_SECRETS or _is_reference(value) else HIDDEN
        for name, value in fields.items()
    }
    return json.dumps(shown, ensure_ascii=False)
