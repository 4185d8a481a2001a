"""The one place where the storage libraries' errors become the connector's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from shared.domain.errors import StorageUnavailable

DEADLINE = 90.0
"""Seconds for one operation with all its retries; each attempt has its own, shorter limits."""

_HTTP_FORBIDDEN = 403
_REFUSED = (
    "the storage account refuses the app's identity. It needs the roles Storage Table Data"
    " Contributor, Storage Queue Data Contributor and Storage Blob Data Owner"
)


@asynccontextmanager
async def storage_errors(what: str, deadline: float = DEADLINE) -> AsyncIterator[None]:
    """A block that talks to the storage, with a deadline.

    Args:
        what: what it talks to, such as ``table deliveries``; the error begins with it.
        deadline: seconds that it may take.

    Raises:
        StorageUnavailable: the block failed in the storage or on the way there, or took too long.
    """
    try:
        async with asyncio.timeout(deadline):
            yield
    except TimeoutError as error:
        raise StorageUnavailable(f"{what}: no answer within {deadline:.0f} s") from error
    except AzureError as error:
        raise mapped(what, error) from error


def mapped(what: str, error: AzureError) -> StorageUnavailable:
    """The connector's error for one of the storage libraries'."""
    if not isinstance(error, HttpResponseError):
        return StorageUnavailable(f"{what}: not reached ({type(error).__name__})")
    status = error.status_code or 0
    code = _code(error)
    if status == _HTTP_FORBIDDEN or isinstance(error, ClientAuthenticationError):
        return StorageUnavailable(f"{what}: {_REFUSED}", status or _HTTP_FORBIDDEN, code)
    return StorageUnavailable(f"{what}: answered {status} {code}".rstrip(), status, code)


def _code(error: HttpResponseError) -> str:
    """The storage's error code, which the libraries keep as text or as an enumeration."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")
