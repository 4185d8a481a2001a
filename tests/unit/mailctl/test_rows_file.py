import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailctl.rows_file import OBJECTS, UnusableFile, read_rows, rows_of, text_of
from shared.domain.columns import COLUMNS, read_row
from shared.domain.subscription import Subscription

KEYS = "PartitionKey: team\nRowKey: tickets\n"


def columns(text: str) -> dict[str, Any]:
    """The columns of one row that has these beside its keys."""
    [row] = rows_of(KEYS + text)
    return {name: value for name, value in row.items() if name not in {"PartitionKey", "RowKey"}}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("postProcess: [markAsRead, move]", {"postProcess": "markAsRead, move"}),
        ("postProcess: markAsRead,move", {"postProcess": "markAsRead,move"}),
        ("labels: {group: Sales, n: [1, true]}", {"labels": '{"group": "Sales", "n": [1, true]}'}),
        ("labels: '{\"a\":1}'", {"labels": '{"a":1}'}),
        ("enabled: false", {"enabled": False}),
        ("archiveBefore: 2026-01-01", {"archiveBefore": "2026-01-01"}),
        (
            "archiveBefore: 2026-01-01T08:00:00",
            {"archiveBefore": datetime(2026, 1, 1, 8, tzinfo=UTC)},
        ),
        ("messageName: 99999999999", {"messageName": "99999999999"}),
        ("folder: null\nfilter: ''", {"filter": ""}),
        ("activationCondition: |\n  a\n  b", {"activationCondition": "a\nb"}),
    ],
)
def test_what_a_person_writes_becomes_columns(text: str, values: dict[str, Any]) -> None:
    """Lists of words, mappings, booleans, dates; nothing at all is no column."""
    assert columns(text) == values


@pytest.mark.parametrize(
    "text",
    [
        "- PartitionKey: team\n  RowKey: tickets\n- PartitionKey: team\n  RowKey: two",
        f"{KEYS}---\nPartitionKey: team\nRowKey: two",
        f"---\n{KEYS}---\n- PartitionKey: team\n  RowKey: two\n---\n",
    ],
)
def test_a_file_holds_one_row_or_many(text: str) -> None:
    """A list, or documents; empty ones do not count."""
    assert [row["RowKey"] for row in rows_of(text)] == ["tickets", "two"]


def test_what_rows_have_in_common_may_be_said_once() -> None:
    """By YAML's merge; the row's own columns win."""
    first = "- &common\n  PartitionKey: team\n  RowKey: a\n  folder: inbox\n"
    text = f"{first}- <<: *common\n  RowKey: b"

    assert rows_of(text)[1] == {"PartitionKey": "team", "RowKey": "b", "folder": "inbox"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "no YAML: line"),
        ("just text", "row 1: a mapping of columns with PartitionKey and RowKey"),
        ("- RowKey: a", "row 1: a mapping of columns with PartitionKey and RowKey"),
        ("PartitionKey: 007\nRowKey: a", "row 1: PartitionKey is no text; write it in quotes"),
        (f"{KEYS}folder: a\nfolder: b", "line 4, column 1: folder stands there twice"),
        (f"{KEYS}targetAuth: {{{{secrets.a}}}}", "Values with {{…}} need quotes."),
        (f"{KEYS}folder: {{a: b}}", "team/tickets: column folder: a mapping is not wanted"),
        (f"{KEYS}folder: [a]", "team/tickets: column folder: a list is not wanted"),
        (f"{KEYS}categories: ['a, b']", "column categories: a list of words without commas"),
        (f"{KEYS}categories: [[a]]", "column categories: a list of words without commas"),
        ("!!python/object/apply:os.getcwd []", "no YAML"),
    ],
)
def test_what_is_no_row_is_refused_with_its_place(text: str, said: str) -> None:
    """Before anything else happens."""
    with pytest.raises(UnusableFile) as refused:
        rows_of(text)

    assert said in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """It is not there, or it is no text."""
    file = tmp_path / "rows.yaml"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(UnusableFile, match=r"rows\.yaml cannot be read \(UnicodeDecodeError\)"):
        read_rows(file)
    with pytest.raises(UnusableFile, match="cannot be read"):
        read_rows(tmp_path)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT, lambda of: st.dictionaries(TEXT, of)
)
VALUES = (
    TEXT
    | st.booleans()
    | st.integers(-(2**31), 2**31 - 1)
    | st.sampled_from(["true", "2026-01-01", "1e3", "~", "=a\n + b ", '{"a": {"b": "2026-01-01"}}'])
    | st.datetimes(timezones=st.just(UTC))
)


@given(st.dictionaries(st.sampled_from(sorted(COLUMNS)), VALUES))
def test_what_is_written_is_read_back_as_it_was(columns: dict[str, Any]) -> None:
    """Whatever stands in the table, valid or not."""
    row = {"PartitionKey": "team", "RowKey": "it's: one", **columns}

    [read] = rows_of(text_of([{**row, "etag": "v1"}]))

    assert read == row
    assert {name: type(value) for name, value in read.items()} == {
        name: type(value) for name, value in row.items()
    }


@given(st.sampled_from(sorted(OBJECTS)), st.dictionaries(TEXT, JSON))
@example("labels", {"a": "next\x85line", "b": "\u2028"})
def test_json_is_shown_as_a_mapping_and_comes_back_as_the_same_text(
    column: str, value: dict[str, Any]
) -> None:
    """However it was written."""
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        [row] = rows_of(text_of([{"PartitionKey": "a", "RowKey": "b", column: text}]))

        assert row[column] == text


def test_a_row_of_a_file_is_a_valid_row() -> None:
    """With everything that YAML makes easier."""
    [row] = rows_of(
        f"""{KEYS}
userId: support@contoso.example
postProcess: [categorize, move]
categories: [Done, "Sent on"]
moveTo: Done
archiveBefore: 2026-01-01T00:00:00Z
archiveVariables: {{queue: old}}
target: webhook
targetUrl: https://tickets.example/hook
targetAuth: {{signing: "{{{{secrets.sign}}}}", bearer: "{{{{secrets.token}}}}"}}
"""
    )

    read = read_row(row)

    assert isinstance(read, Subscription)
    assert read.polling.post_process.categories == ("Done", "Sent on")
