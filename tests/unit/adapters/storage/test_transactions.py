"""What goes to the storage as a transaction, and what its answers mean."""

import json
from datetime import date, datetime, timedelta, timezone

import pytest

from shared.adapters.storage.transactions import (
    TransactionRefused,
    delete,
    encoded,
    insert,
    merge,
    upsert,
    versions,
)

TABLE = "https://account.table.core.windows.net/deliveries"
KEYS = {"PartitionKey": "p", "RowKey": "r"}


def answer(*parts: str) -> bytes:
    """An answer in the form of Azure's documentation, a part for each operation."""
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    changes = "".join(f"--changesetresponse_1\r\n{head}{part}\r\n" for part in parts)
    return (
        "--batchresponse_2\r\nContent-Type: multipart/mixed; boundary=changesetresponse_1\r\n\r\n"
        f"{changes}--changesetresponse_1--\r\n--batchresponse_2--\r\n"
    ).encode()


def done(etag: str) -> str:
    """The part of an operation that was done."""
    return f"HTTP/1.1 204 No Content\r\nDataServiceVersion: 1.0;\r\nETag: {etag}\r\n\r\n\r\n"


def failed(status: str, code: str) -> str:
    """The part of the operation that was not, in place of all the others."""
    error = {"code": code, "message": {"lang": "en-US", "value": "0:It\nfailed."}}
    body = json.dumps({"odata.error": error})
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n{body}"


def test_each_operation_is_a_request_of_its_own() -> None:
    """With the method that means it, and the version that it may change."""
    body = encoded([insert(KEYS), merge(KEYS), upsert(KEYS), delete(KEYS, 'W/"1"')], TABLE, "b")
    lines = body.decode().split("\r\n")
    row = f"{TABLE}(PartitionKey='p',RowKey='r')"

    assert [line for line in lines if line.endswith("HTTP/1.1")] == [
        f"POST {TABLE} HTTP/1.1",
        f"PATCH {row} HTTP/1.1",
        f"PUT {row} HTTP/1.1",
        f"DELETE {row} HTTP/1.1",
    ]
    assert [line for line in lines if line.startswith("If-Match")] == [
        "If-Match: *",
        'If-Match: W/"1"',
    ]
    assert lines.count("--changeset_b") == 4
    assert lines[-3:] == ["", "--batch_b--", ""]


@pytest.mark.parametrize("key", ["o'neill", "a/b?c#d", "ä\r\nDELETE x", "(1,'2')"])
def test_a_key_stays_within_its_quotes(key: str) -> None:
    """Whatever stands in it: mail ids and addresses come from outside."""
    body = encoded([delete({"PartitionKey": key, "RowKey": "r"})], TABLE, "b").decode()
    [request] = [line for line in body.split("\r\n") if line.endswith("HTTP/1.1")]

    assert request.count("'") == 4
    assert "DELETE x HTTP" not in body


def test_a_text_cannot_end_its_part() -> None:
    """It is JSON in ASCII on one line."""
    body = encoded([merge({**KEYS, "reason": "\r\n--changeset_b--\r\nü"})], TABLE, "b")

    assert body.count(b"--changeset_b--") == 2
    assert body.count(b"\r\n--changeset_b--") == 1
    assert b"\\u00fc" in body


def test_types_that_json_lacks_are_named() -> None:
    """Times in UTC, bytes in Base64; whole numbers have 32 bits."""
    noon = datetime(2026, 3, 2, 13, tzinfo=timezone(timedelta(hours=1)))
    row = {**KEYS, "at": noon, "content": b"\x00\xff", "attempts": 3, "counted": True}
    body = encoded([insert(row)], TABLE, "b").decode()

    assert '"at@odata.type":"Edm.DateTime","at":"2026-03-02T12:00:00.000000Z"' in body
    assert '"content@odata.type":"Edm.Binary","content":"AP8="' in body
    assert '"attempts":3,"counted":true' in body


@pytest.mark.parametrize("value", [None, 1.5, 2**31, -(2**31) - 1, {}, date(2026, 3, 2)])
def test_a_value_that_no_row_holds_is_an_error(value: object) -> None:
    """Rather than a column that is left out, or read as something else."""
    with pytest.raises(TypeError, match="column odd"):
        encoded([insert({**KEYS, "odd": value})], TABLE, "b")


def test_every_row_has_its_new_version() -> None:
    """In the order of the operations; a removed row has none."""
    removed = "HTTP/1.1 204 No Content\r\nDataServiceVersion: 1.0;\r\n\r\n\r\n"

    assert versions(answer(done('W/"a"'), removed, done('W/"b"')), 3) == ['W/"a"', "", 'W/"b"']


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("409 Conflict", "EntityAlreadyExists"),
        ("412 Changed", "UpdateConditionNotSatisfied"),
    ],
)
def test_the_operation_that_failed_says_why(status: str, code: str) -> None:
    """The storage answers it alone, whatever the number of operations."""
    with pytest.raises(TransactionRefused) as refused:
        versions(answer(failed(status, code)), 20)

    assert f"{refused.value.status_code} {refused.value.error_code}" == f"{status[:3]} {code}"


@pytest.mark.parametrize("body", [b"", b"<html>", answer(done("1")), answer(done("1"))[:90]])
def test_an_answer_that_is_none_leaves_it_open(body: bytes) -> None:
    """As no answer does: status 0, which callers try again."""
    with pytest.raises(TransactionRefused) as refused:
        versions(body, 2)

    assert refused.value.status_code == 0
