"""One table: made on first use, every call with a deadline, errors turned into the connector's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableEntity
from azure.data.tables.aio import TableClient

from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.errors import storage_errors
from shared.adapters.storage.first_use import FirstUse
from shared.adapters.storage.transactions import Operation, submit
from shared.domain.errors import StorageUnavailable
from shared.domain.odata import quoted

R = TypeVar("R")

NOT_FOUND, CONFLICT, PRECONDITION_FAILED = 404, 409, 412

EARLIEST = datetime(1601, 1, 1, tzinfo=UTC)
"""The first moment that the storage knows; Graph gives year 1 for times that it does not have."""


class Table:
    """A table of the account.

    Every method raises :class:`~shared.domain.errors.StorageUnavailable`.
    """

    def __init__(self, clients: StorageClients, name: str) -> None:
        self._clients = clients
        self._name = name
        self._what = f"table {name}"
        self._known_client: TableClient | None = None
        self._first_use = FirstUse(self._create)

    async def run(self, operation: Callable[[TableClient], Awaitable[R]]) -> R:
        """Does one operation with the table's client."""
        try:
            return await self._run(operation)
        except StorageUnavailable as error:
            if not self._is_gone(error):
                raise
            return await self._run(operation)

    async def commit(
        self, operations: Sequence[Operation], *, may_repeat: bool = True
    ) -> list[str]:
        """Does operations on one partition, all or none; see :mod:`.transactions`.

        It may be done twice, where the answer to the first try was lost and ``may_repeat`` is set:
        callers expect that rows that they insert are there already, and those that they delete are
        gone.

        Returns:
            the new ETag of each row.
        """
        return await self.run(lambda client: submit(client, operations, may_repeat=may_repeat))

    async def query(
        self, condition: str = "", select: list[str] | None = None
    ) -> AsyncIterator[TableEntity]:
        """The rows that meet an OData condition, all of them without one; read page by page."""
        await self._first_use.ensure()
        client = self._client
        rows = (
            client.query_entities(condition, select=select)
            if condition
            else client.list_entities(select=select)
        )
        pages = rows.by_page()
        try:
            while (page := await self._next_page(pages)) is not None:
                for row in page:
                    yield row
        except StorageUnavailable as error:
            if not self._is_gone(error):
                raise

    async def _next_page(
        self, pages: AsyncIterator[AsyncIterator[TableEntity]]
    ) -> list[TableEntity] | None:
        """The next page of a query, which may be empty; None after the last one."""
        async with storage_errors(self._what):
            try:
                return [row async for row in await anext(pages)]
            except StopAsyncIteration:
                return None

    def _is_gone(self, error: StorageUnavailable) -> bool:
        """Whether somebody has deleted the table; then the next use makes it again."""
        if error.code != "TableNotFound":
            return False
        self._first_use.forget()
        return True

    async def _run(self, operation: Callable[[TableClient], Awaitable[R]]) -> R:
        await self._first_use.ensure()
        async with storage_errors(self._what):
            return await operation(self._client)

    @property
    def _client(self) -> TableClient:
        if self._known_client is None:
            self._known_client = self._clients.tables.get_table_client(self._name)
        return self._known_client

    async def _create(self) -> None:
        async with storage_errors(self._what):
            try:
                await self._client.create_table()
            except ResourceExistsError:
                return


def any_of(column: str, texts: Iterable[str]) -> str:
    """The OData condition that a column has one of some texts."""
    return "(" + " or ".join(f"{column} eq {quoted(text)}" for text in texts) + ")"


def moment(time: datetime) -> str:
    """A time as an OData literal."""
    return f"datetime'{stored(time).astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}'"


def stored(time: datetime) -> datetime:
    """A time as the storage can hold it."""
    return max(time, EARLIEST)


def plain(time: datetime) -> datetime:
    """A time that was read from the storage, without the library's own type."""
    return datetime.combine(time, time.time(), UTC)
