"""FEEL in a row: compiled when the row is read, tried on a sample mail, evaluated on real ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.errors import ExpressionFailed
from shared.domain.mail import Mail, mail_from_graph
from shared.feel import (
    Expression,
    FeelAssertionError,
    FeelError,
    FeelSyntaxError,
    WarningKind,
    compile_expression,
    to_json,
)

_DOCUMENT: Mapping[str, Any] = {"documentId": None, "url": None, "size": 0, "error": None}
_KEPT = {"mime": _DOCUMENT, "bodyDocument": _DOCUMENT}
"""What a mail has where its row keeps it."""

_UNKNOWN = {WarningKind.NO_VARIABLE_FOUND, WarningKind.NO_FUNCTION_FOUND}


def read_expression(value: object) -> Expression:
    """An expression; one `=` before it is optional.

    Raises:
        ValueError: it cannot be read; a caret shows where.
    """
    text = str(value)
    if not text.strip().removeprefix("=").strip():
        raise ValueError("a FEEL expression that is not empty")
    try:
        return compile_expression(text)
    except FeelSyntaxError as error:
        raise ValueError(f"a FEEL expression. {error}") from None


def scope_of(mail: Mail) -> Mapping[str, Any]:
    """What an expression sees: the mail's fields at top level, as `value` and as `response`."""
    return {**mail, "value": mail, "response": mail}


def unknown_names(expression: Expression) -> list[str]:
    """Names in an expression that no mail has and no function bears, each with its place.

    Only what a sample mail leads to is seen: it is a hint, no proof.
    """
    sample = mail_from_graph({"id": "sample"}) | {"archived": False, **_KEPT}
    try:
        warnings = expression.diagnose(scope_of(sample)).warnings
    except FeelError:
        return []  # it says so when it meets a mail
    return [
        f"{warning.message} (line {warning.line}, column {warning.column})"
        for warning in warnings
        if warning.kind in _UNKNOWN
    ]


def evaluated(column: str, expression: Expression, mail: Mail, now: datetime) -> Any:
    """The value of an expression over a mail, as JSON.

    Args:
        column: where it stands, for errors.
        expression: what is evaluated.
        mail: the mail.
        now: what `now()` is: fixed for a delivery, so that every attempt gives the same.

    Raises:
        ExpressionFailed: it takes more than its limits allow, or asserts what does not hold.
    """
    try:
        return to_json(expression.evaluate(scope_of(mail), now=now))
    except FeelAssertionError as error:
        # its text may hold some of the mail
        raise ExpressionFailed(column, "an assert in it does not hold") from error
    except FeelError as error:
        raise ExpressionFailed(column, str(error)) from error


def as_text(value: Any) -> str:
    """JSON as an identity or key: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def why_null(expression: Expression, mail: Mail, now: datetime) -> str:
    """Why an expression gave null; empty where it gives no reason. Values are never named."""
    try:
        warnings = expression.diagnose(scope_of(mail), now=now).warnings
    except FeelError as error:
        return str(error)
    return "; ".join(str(warning) for warning in warnings[:3])
