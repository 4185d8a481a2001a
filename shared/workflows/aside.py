"""Evaluating expressions over large mails beside the event loop, which has others to serve.

A sender decides how large a body is, and so how long an ordinary expression takes on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from shared.domain.mail import Mail
from shared.feel import Expression

LARGE_BODY = 50_000
"""Characters of a body from which evaluation may take longer than other work should wait."""

_one_at_a_time = asyncio.Semaphore(1)

T = TypeVar("T")


async def aside(
    mail: Mail, expressions: Iterable[Expression | None], evaluate: Callable[[], T]
) -> T:
    """The result of ``evaluate()``; in a thread if it evaluates expressions over a large mail."""
    if len(mail["body"]) < LARGE_BODY or not any(expressions):
        return evaluate()
    async with _one_at_a_time:
        return await asyncio.to_thread(evaluate)
