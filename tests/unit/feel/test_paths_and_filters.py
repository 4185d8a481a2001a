"""Paths and filters, over contexts, lists, and what comes from outside."""

from typing import Any

import pytest

from shared.feel import evaluate

MAIL: dict[str, Any] = {
    "subject": "Invoice",
    "sender": {"address": "a@b.c"},
    "attachments": [{"name": "a.pdf", "size": 10}, {"name": "b.png", "size": 20}],
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: {b: 1}}.a.b", "1"),
        ("[{a: 1}, {a: 2}].a", "[1, 2]"),
        ("[{a: [1, 2]}, {a: 3}].a", "[[1, 2], 3]"),
        ("[{a: 1}, {b: 2}].a", "[1, null]"),
        ("{a: 1}.b", "null"),
        ("null.a", "null"),
        ("(5).a", "null"),
        ("{if: 1}.if", "1"),
        ("[1, 2, 3][2]", "2"),
        ("[1, 2, 3][-1]", "3"),
        ("[1, 2, 3][0]", "null"),
        ("[1, 2, 3][4]", "null"),
        ("[1, 2, 3][1.5]", "null"),
        ("[1, 2, 3][count([1, 2])]", "2"),
        ("[1, 2, 3][item > 1]", "[2, 3]"),
        ("[1, 2, 3][item > null]", "[]"),
        ("[1, 2, 3][true]", "[1, 2, 3]"),
        ('[1]["x"]', "[]"),
        ("[{a: 1}, {a: 2}][a > 1]", "[{a: 2}]"),
        ("[{item: 1}, {item: 5}][item > 2]", "[{item: 5}]"),
        ("[{a: 1, b: 1}, {a: 1, b: 2}][a = b]", "[{a: 1, b: 1}]"),
        ("[{x: null}, {x: 1}][x < 2]", "[{x: 1}]"),
        ("[[1, 2], [3]][count(item) = 1]", "[[3]]"),
        ("{n: 2, r: [1, 2, 3][item > n]}.r", "[3]"),
        ("[1, 2, 3][item > 1][item < 3]", "[2]"),
        ("[[1], [2]][item[1] = 2]", "[[2]]"),
        ("5[1]", "5"),
        ("5[2]", "null"),
        ("5[item > 1]", "[5]"),
        ("null[1]", "null"),
        ("null[true]", "null"),
        ("[][1]", "null"),
        ("[][item > 1]", "[]"),
    ],
)
def test_inside_the_language(text: str, value: str) -> None:
    assert evaluate(text) == evaluate(value)


@pytest.mark.parametrize("form", ["", "value.", "response."])
def test_the_forms_in_which_a_mail_is_seen(form: str) -> None:
    context = MAIL | {"value": MAIL, "response": MAIL}

    assert evaluate(f"{form}sender.address", context) == "a@b.c"
    assert evaluate(f"count({form}attachments)", context) == 2
    assert evaluate(f"{form}attachments.name", context) == ["a.pdf", "b.png"]
    assert evaluate(f"{form}attachments[size > 10].name", context) == ["b.png"]
    assert evaluate(f"{form}sender.name", context) is None
    assert evaluate(f"{form}subject.name", context) is None


def test_an_entry_hides_a_variable_inside_a_filter_only() -> None:
    context = {"a": 5, "list": [{"a": 1}, {"b": 1}]}

    assert evaluate("list[a = 5]", context) == [{"b": 1}]
    assert evaluate("list[a = 1][1].a + a", context) == 6
