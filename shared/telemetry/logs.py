"""Logs as JSON lines on the standard logger, with the context of the run bound to each line.

No secret, token, body or subject is ever logged; what names a mail is its key in the ledger.
"""

from __future__ import annotations

import functools
import logging
import traceback
from contextlib import AbstractContextManager

import structlog
from structlog.typing import FilteringBoundLogger

LOGGER = "m365_mail_connector"


@functools.cache
def configure_logging() -> None:
    """Sets logging up; to be called before the first request, for libraries log theirs."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.processors.JSONRenderer(sort_keys=True, default=str),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.getLogger(LOGGER).setLevel(logging.INFO)
    for chatty in ("httpx", "azure.core"):
        # they log each request with its address, in which a filter may stand
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # it repeats Entra ID's whole answer at each failure; our own line says what to do
    logging.getLogger("azure.identity").setLevel(logging.ERROR)


@functools.cache
def logger() -> FilteringBoundLogger:
    """The connector's logger. Its lines go where the platform's root logger sends them."""
    configure_logging()
    log: FilteringBoundLogger = structlog.get_logger(LOGGER)
    return log


def bound(**context: str) -> AbstractContextManager[None]:
    """A ``with`` block whose log lines carry this context, in tasks started within it as well."""
    return structlog.contextvars.bound_contextvars(**context)


def frames(error: BaseException) -> list[str]:
    """Where an error came from, without its text, which may repeat what stood in a mail."""
    found = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in found]
