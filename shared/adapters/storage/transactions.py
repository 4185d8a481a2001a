"""Several operations on one partition of a table in one request, all or none.

The table library does the same, but writes and reads the request and its answer as mail messages,
which was more than half of the CPU of a durable send. Sign-in, retries and connections stay the
library's. The form is that of Azure's *entity group transactions*.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeAlias
from urllib.parse import quote
from uuid import uuid4

from azure.core.exceptions import HttpResponseError
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.data.tables.aio import TableClient

Entity: TypeAlias = Mapping[str, Any]

TRANSACTION_LIMIT = 100
"""The most operations of a transaction (Azure's limit)."""

ANY_VERSION = "*"

_ACCEPTED = 202
_ANSWER = re.compile(
    rb"^HTTP/1\.1 (?P<status>\d{3})[^\n]*\n(?P<headers>.*?)\r?\n\r?\n", re.MULTILINE | re.DOTALL
)
_ETAG = re.compile(rb"^etag: *(?P<etag>[^\r\n]+)", re.MULTILINE | re.IGNORECASE)
_KEYS = ("PartitionKey", "RowKey")
_SMALLEST_INT, _LARGEST_INT = -(2**31), 2**31 - 1


class _Verb(Enum):
    """What an operation does; its value is the method of HTTP."""

    INSERT = "POST"
    MERGE = "PATCH"
    REPLACE = "PUT"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a transaction; made by :func:`insert` and the like."""

    verb: _Verb
    row: Entity
    version: str = ""


class TransactionRefused(HttpResponseError):
    """The storage did none of the operations, or nobody knows.

    Args:
        status: of the answer, or of the operation that failed; 0 where the answer says nothing.
        code: the storage's own.
    """

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"the transaction was answered {status} {code}".rstrip())
        self.status_code = status
        self.error_code = code


def insert(row: Entity) -> Operation:
    """Stores a new row; 409 where its keys are taken."""
    return Operation(_Verb.INSERT, row)


def merge(row: Entity, version: str = ANY_VERSION) -> Operation:
    """Changes the columns given; 404 where there is no row, 412 where it has another version."""
    return Operation(_Verb.MERGE, row, version)


def upsert(row: Entity) -> Operation:
    """Stores a row, in place of the one that may be there."""
    return Operation(_Verb.REPLACE, row)


def delete(row: Entity, version: str = ANY_VERSION) -> Operation:
    """Removes a row; 404 where there is none, 412 where it has another version."""
    return Operation(_Verb.DELETE, row, version)


async def submit(
    client: TableClient, operations: Sequence[Operation], *, may_repeat: bool
) -> list[str]:
    """Does operations on one partition.

    Args:
        client: of the table.
        operations: at most TRANSACTION_LIMIT, each on another row.
        may_repeat: whether the library sends them again where no answer came. Where the storage
            says that it is busy, it does so in any case.

    Returns:
        the ETag of each row, as it is now; empty for those that were deleted.

    Raises:
        TransactionRefused: none was done; of the first that could not be, see its status.
    """
    boundary = str(uuid4())
    endpoint = client.url.partition("?")[0].rstrip("/")
    request = HttpRequest(
        "POST",
        f"{endpoint}/$batch",
        headers={
            "Accept": "application/json",
            "Content-Type": f"multipart/mixed; boundary=batch_{boundary}",
            "DataServiceVersion": "3.0",
            "MaxDataServiceVersion": "3.0;NetFx",
            "x-ms-version": client.api_version,
        },
        content=encoded(operations, f"{endpoint}/{client.table_name}", boundary),
    )
    options = {"retry_on_methods": frozenset({"POST"})} if may_repeat else {}
    # the generated client below the public one has the pipeline: sign-in, retries, connections;
    # as a stream, or a policy of the pipeline would try to understand the answer
    answer: AsyncHttpResponse = await client._client.send_request(  # noqa: SLF001
        request, stream=True, **options
    )
    body = await answer.read()
    if answer.status_code != _ACCEPTED:
        raise TransactionRefused(answer.status_code, _code(answer, body))
    return versions(body, len(operations))


def encoded(operations: Sequence[Operation], table: str, boundary: str) -> bytes:
    """The body of the request: a batch of one change set, each operation a request of HTTP.

    Args:
        operations: what it does.
        table: address of the table.
        boundary: of the batch and, with another prefix, of the change set.
    """
    part = (
        f"--changeset_{boundary}\r\n"
        "Content-Type: application/http\r\n"
        "Content-Transfer-Encoding: binary\r\n\r\n"
    )
    parts = "".join(f"{part}{_request(one, table)}\r\n" for one in operations)
    body = (
        f"--batch_{boundary}\r\n"
        f"Content-Type: multipart/mixed; boundary=changeset_{boundary}\r\n\r\n"
        f"{parts}--changeset_{boundary}--\r\n\r\n--batch_{boundary}--\r\n"
    )
    return body.encode("ascii")


def versions(body: bytes, count: int) -> list[str]:
    """The ETags in the answer to so many operations.

    Raises:
        TransactionRefused: one of them failed, and so all; or the answer is not one to them.
    """
    found = list(_ANSWER.finditer(body))
    for answer in found:
        status = int(answer["status"])
        if not 200 <= status < 300:  # noqa: PLR2004 - successes
            raise TransactionRefused(status, _code_in(body[answer.end() :]))
    if len(found) != count:
        raise TransactionRefused(0, f"{len(found)} answers to {count} operations")
    return [_etag(answer["headers"]) for answer in found]


def _request(operation: Operation, table: str) -> str:
    address = table if operation.verb is _Verb.INSERT else f"{table}({_keys(operation.row)})"
    headers = {"Accept": "application/json;odata=minimalmetadata", "DataServiceVersion": "3.0;"}
    if operation.version:
        headers["If-Match"] = operation.version
    content = ""
    if operation.verb is not _Verb.DELETE:
        content = json.dumps(_properties(operation.row), separators=(",", ":"))
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    if operation.verb is _Verb.INSERT:
        headers["Prefer"] = "return-no-content"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{operation.verb.value} {address} HTTP/1.1\r\n{lines}\r\n{content}"


def _keys(row: Entity) -> str:
    quoted = (quote(row[name].replace("'", "''"), safe="") for name in _KEYS)
    return ",".join(f"{name}='{key}'" for name, key in zip(_KEYS, quoted, strict=True))


def _properties(row: Entity) -> dict[str, Any]:
    """The row as OData JSON, which names the types that JSON does not have."""
    properties: dict[str, Any] = {}
    for name, value in row.items():
        match value:
            case bool() | str():
                properties[name] = value
            case int() if _SMALLEST_INT <= value <= _LARGEST_INT:
                properties[name] = value
            case datetime():
                properties[f"{name}@odata.type"] = "Edm.DateTime"
                properties[name] = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            case bytes():
                properties[f"{name}@odata.type"] = "Edm.Binary"
                properties[name] = b64encode(value).decode()
            case _:
                raise TypeError(f"column {name}: no row of the connector holds {type(value)}")
    return properties


def _etag(headers: bytes) -> str:
    found = _ETAG.search(headers)
    return found["etag"].decode().strip() if found else ""


def _code(answer: AsyncHttpResponse, body: bytes) -> str:
    return str(answer.headers.get("x-ms-error-code") or _code_in(body))


def _code_in(body: bytes) -> str:
    """The storage's error code in a body of JSON that ends with it or at the next boundary."""
    try:
        error, _ = json.JSONDecoder().raw_decode(body.decode("utf-8", "replace").lstrip())
        return str(error["odata.error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""
