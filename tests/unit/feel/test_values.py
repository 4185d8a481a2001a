"""Values in and out: what a context may hold, and what becomes of values as JSON."""

import json
from collections import UserDict
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any

import pytest

from shared.feel import (
    Date,
    FeelSyntaxError,
    Limits,
    Offset,
    Range,
    Region,
    convert,
    evaluate,
    to_json,
    to_text,
)


class Word(str, Enum):  # noqa: UP042 - a `StrEnum` says its value by itself
    """An enumeration as programs have them in their JSON."""

    NEW = "new"


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (1, Decimal(1)),
        (0.1, Decimal("0.1")),
        (True, True),
        (Decimal("1.5"), Decimal("1.5")),
        (10**50, Decimal(10) ** 50),
        (Word.NEW, "new"),
        (float("nan"), None),
        (float("inf"), None),
        (Decimal("NaN"), None),
        ((1, 2), [1, 2]),
        ({"a": (1,)}, {"a": [1]}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (UserDict({"a": 1}), {"a": 1}),
        ({1: 2}, {"1": 2}),
        (object(), None),
        (print, None),
        ({"f": open, "n": 1}, {"f": None, "n": 1}),
        (b"bytes", None),
        ({1, 2}, None),
        (Range(1, 2), Range(1, 2)),
    ],
)
def test_what_a_context_may_hold(given: Any, value: Any) -> None:
    found = evaluate("x", {"x": given})

    assert found == value
    assert type(found) is type(value)


def test_a_context_with_keys_that_are_no_names() -> None:
    context: Any = {1: 2, "a": 3}

    assert evaluate("a", context) == 3


def test_numbers_from_outside_are_numbers_everywhere() -> None:
    context = {"a": [1, 2.5], "b": {"c": 3}}

    assert evaluate("sum(a) + b.c", context) == Decimal("6.5")
    assert evaluate("a = [1, 2.5] and b = {c: 3}", context) is True
    assert evaluate('get value(b, "c") * 2', context) == 6
    assert evaluate("for x in a return x + 1", context) == [2, Decimal("3.5")]


def test_a_context_is_left_as_it_was() -> None:
    context = {"a": [3, 1], "b": {"c": [1]}}

    evaluate('{x: sort(a), y: context put(b, "c", 2), z: append(b.c, 5)}', context)

    assert context == {"a": [3, 1], "b": {"c": [1]}}


def test_any_mapping_is_a_context() -> None:
    class Lazy(Mapping[str, Any]):
        def __getitem__(self, name: str) -> Any:
            return {"subject": "x"}[name]

        def __iter__(self) -> Any:
            return iter(["subject"])

        def __len__(self) -> int:
            return 1

    assert evaluate("subject", Lazy()) == "x"
    assert evaluate("mail.subject", {"mail": Lazy()}) == "x"


@pytest.mark.parametrize("text", ["x.__class__", "x.bit_length", "`__import__`", "x.f.__globals__"])
def test_nothing_reaches_python(text: str) -> None:
    assert evaluate(text, {"x": 5}) is None
    assert evaluate(text, {"x": {"f": print}}) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.50", 1.5),
        ("1e20", 10**20),
        ("1e40", 1e40),
        ("1e-400", "0." + "0" * 399 + "1"),
        ("1e400", "1" + "0" * 400),
        ('[1, "a", true, null]', [1, "a", True, None]),
        ('{a: {b: @"2026-02-27"}}', {"a": {"b": "2026-02-27"}}),
        ('@"09:30:00@Europe/Berlin"', "09:30:00@Europe/Berlin"),
        ('@"P1Y"', "P1Y"),
        ("[1..2)", "[1..2)"),
        ("function(a) a", "function(a: Any)"),
    ],
)
def test_json(text: str, value: Any) -> None:
    found = to_json(evaluate(text))

    assert found == value
    assert type(found) is type(value)
    assert json.loads(json.dumps(found)) == value


@pytest.mark.parametrize(
    ("value", "kind", "converted"),
    [
        ([Decimal(1)], "number", Decimal(1)),
        (Decimal(1), "list<number>", [Decimal(1)]),
        (None, "number", None),
        ("a", "Any", "a"),
    ],
)
def test_conversion_to_a_declared_type(value: Any, kind: str, converted: Any) -> None:
    assert convert(value, kind) == converted


def test_conversion_that_is_not_allowed() -> None:
    with pytest.raises(ValueError, match="a string is no number"):
        convert("a", "number")
    with pytest.raises(FeelSyntaxError):
        convert("a", "number number")


def test_records_are_fixed_and_shown() -> None:
    date = Date(2026, 2, 27)

    with pytest.raises(AttributeError):
        date.year = 1  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del date.year
    with pytest.raises(TypeError):
        Date(2026)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Limits(1, 2, 3, 4, 5)  # type: ignore[call-arg]
    assert repr(evaluate("function(a, b) a")) == "Function(a, b)"
    assert repr(date) == "Date(year=2026, month=2, day=27)"
    assert Limits() == Limits(steps=1_000_000)
    assert Offset(0) != Region("Etc/UTC")
    assert to_text(date) == "2026-02-27"
