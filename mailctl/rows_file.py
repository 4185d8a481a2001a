"""Rows of subscriptions as YAML: what a person writes becomes columns, and back without loss."""

from __future__ import annotations

import json
import uuid
from collections.abc import Hashable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from shared.domain.columns import Row
from shared.domain.errors import ConnectorError
from shared.workflows.apply import columns_of, name_of

LISTS = frozenset({"postProcess", "categories"})
"""Columns of words parted by commas."""

OBJECTS = frozenset({"labels", "archiveVariables", "targetAuth"})
"""Columns of JSON."""

_KEYS = ("PartitionKey", "RowKey")
_INT32 = 2**31
_MERGE = "tag:yaml.org,2002:merge"


class UnusableFile(ConnectorError):
    """A file that holds no rows."""


def read_rows(file: Path) -> list[Row]:
    """The rows of a file: one mapping, a list of them, or several documents of either.

    Raises:
        UnusableFile: the file cannot be read, is no YAML, or holds something else than rows.
    """
    try:
        return rows_of(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableFile(f"{file} cannot be read ({type(error).__name__}).") from error
    except UnusableFile as error:
        raise UnusableFile(f"{file}: {error}") from error


def rows_of(text: str) -> list[Row]:
    """The rows of a text.

    Raises:
        UnusableFile: it is no YAML, or holds something else than rows.
    """
    try:
        documents = list(yaml.load_all(text, _Loader))
    except yaml.YAMLError as error:
        hint = " Values with {{…}} need quotes." if "{{" in text else ""
        raise UnusableFile(f"no YAML: {_place(error)}.{hint}") from error
    found = [row for one in documents for row in (one if isinstance(one, list) else [one])]
    return [_row(row, number) for number, row in enumerate(found, 1) if row is not None]


def text_of(rows: Sequence[Row]) -> str:
    """Rows as a text that :func:`rows_of` takes back."""
    documents = [
        {
            **{key: row[key] for key in _KEYS},
            **{c: _written(c, v) for c, v in columns_of(row).items()},
        }
        for row in rows
    ]
    return yaml.dump(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


_ODD_BREAKS = set("\x85\u2028\u2029")


class _Loader(yaml.SafeLoader):
    """Refuses a key that comes twice, of which the library would drop the first."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - the library's
        seen: set[str] = set()
        for written, _ in node.value:
            if written.tag == _MERGE:
                continue
            key = self.construct_object(written, deep=True)
            if not isinstance(key, str) or key in seen:
                twice = isinstance(key, str)
                problem = f"{key} stands there twice" if twice else "a name is wanted as key"
                raise yaml.constructor.ConstructorError(None, None, problem, written.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines, as expressions are, line by line."""


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    if _ODD_BREAKS & set(text):  # the library would write them as they are, and read a line break
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text_node)


def _row(row: object, number: int) -> Row:
    if not isinstance(row, dict) or not all(row.get(key) for key in _KEYS):
        raise UnusableFile(
            f"row {number}: a mapping of columns with PartitionKey and RowKey is wanted."
        )
    unquoted = [key for key in _KEYS if not isinstance(row[key], str)]
    if unquoted:
        raise UnusableFile(f"row {number}: {unquoted[0]} is no text; write it in quotes.")
    read = {}
    for column, value in row.items():
        if value is None:
            continue
        try:
            read[column] = _read(column, value)
        except ValueError as error:
            raise UnusableFile(f"{name_of(row)}: column {column}: {error}") from error
    return read


def _read(column: str, value: object) -> object:
    """What a column holds for a value of YAML."""
    if isinstance(value, list):
        return _words(column, value)
    if isinstance(value, dict):
        if column not in OBJECTS:
            raise ValueError("a mapping is not wanted here; has it {{…}} without quotes?")
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and not -_INT32 <= value < _INT32:
        return str(value)  # the table would not take it as a number
    return value


def _words(column: str, values: Sequence[object]) -> str:
    if column not in LISTS:
        raise ValueError("a list is not wanted here.")
    words = [str(value) for value in values if isinstance(value, (str, int, float))]
    if len(words) < len(values) or any("," in word for word in words):
        raise ValueError("a list of words without commas is wanted.")
    return ", ".join(words)


def _written(column: str, value: Any) -> Any:
    """What YAML shows for the value of a column."""
    if isinstance(value, datetime):
        return datetime.combine(value, value.time(), UTC)  # without the storage library's own type
    if isinstance(value, uuid.UUID):
        return str(value)
    if column in OBJECTS and isinstance(value, str):
        return _object(value)
    return value


def _object(text: str) -> object:
    """JSON as a mapping where that gives the very same text back, else the text."""
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    same = isinstance(parsed, dict) and json.dumps(parsed, ensure_ascii=False) == text
    return parsed if same else text


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be read"
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem
