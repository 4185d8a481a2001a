import asyncio
import inspect

import azure.core.exceptions
import pytest
from azure.core.exceptions import AzureError, HttpResponseError

from shared.adapters.storage.errors import storage_errors
from shared.domain.errors import StorageUnavailable

ERRORS = [
    error
    for _, error in inspect.getmembers(azure.core.exceptions, inspect.isclass)
    if issubclass(error, AzureError)
]


@pytest.mark.parametrize("error", ERRORS)
async def test_every_error_of_the_libraries_becomes_ours(error: type[AzureError]) -> None:
    original = error.__new__(error)
    if isinstance(original, HttpResponseError):
        HttpResponseError.__init__(original, "text")

    with pytest.raises(StorageUnavailable, match="table x") as raised:
        async with storage_errors("table x"):
            raise original

    assert raised.value.__cause__ is original


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        *[(status, True) for status in (0, 408, 429, 500, 503)],
        *[(status, False) for status in (400, 403, 404, 409, 412)],
    ],
)
def test_what_may_succeed_later_is_told_by_the_status(status: int, *, retryable: bool) -> None:
    assert StorageUnavailable("x", status).retryable is retryable


async def test_other_errors_pass() -> None:
    with pytest.raises(KeyError):
        async with storage_errors("table x"):
            raise KeyError("a mistake in the code")


async def test_a_cancellation_from_outside_stays_one() -> None:
    async def wait() -> None:
        async with storage_errors("table x"):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
