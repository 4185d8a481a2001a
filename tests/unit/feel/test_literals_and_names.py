"""Literals, comments and names: what the text is split into."""

from decimal import Decimal
from typing import Any

import pytest

from shared.feel import FeelSyntaxError, compile_expression, evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", Decimal(12)),
        (".5", Decimal("0.5")),
        ("1.20", Decimal("1.2")),
        ("1.2e3", Decimal(1200)),
        ("1E-2", Decimal("0.01")),
        ("-7", Decimal(-7)),
        ("true", True),
        ("false", False),
        ("null", None),
        ('""', ""),
        ('"a\\tb\\n\\"c\\""', 'a\tb\n"c"'),
        ('"\\u00e4"', "ä"),
        ('"\\U01F40E"', "🐎"),
        ('"\\uD83D\\uDC0E"', "🐎"),
        ('"\\d+\\s"', "\\d+\\s"),
        ('"two\nlines"', "two\nlines"),
        ("[]", []),
        ("[1, [2]]", [1, [2]]),
        ("{}", {}),
        ('{a: 1, "b c": 2, d e: 3}', {"a": 1, "b c": 2, "d e": 3}),
        ("{foo+bar: 1}", {"foo+bar": 1}),
    ],
)
def test_literals(text: str, value: Any) -> None:
    found = evaluate(text)

    assert found == value
    assert type(found) is type(value)


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert evaluate('"\\uD83D!"') == "\ufffd!"


@pytest.mark.parametrize(
    "text", ["1 // one\n + 1", "1 /* and\nanother */ + 1", "// first\n1 + 1 // last", "/**/2"]
)
def test_comments_are_no_part_of_the_expression(text: str) -> None:
    assert evaluate(text) == 2


def test_one_leading_equals_sign_is_dropped() -> None:
    assert evaluate("= 1 + 1") == 2
    assert evaluate(" =1 + 1") == 2
    with pytest.raises(FeelSyntaxError):
        evaluate("== 1")


@pytest.mark.parametrize(
    ("text", "context", "value"),
    [
        ("Full Name", {"Full Name": "Ann"}, "Ann"),
        ('"Hi " + Full Name', {"Full Name": "Ann"}, "Hi Ann"),
        ("a-b", {"a-b": 1, "a": 5, "b": 3}, 1),
        ("a - b", {"a": 5, "b": 3}, 2),
        ("date of birth", {"date of birth": "x"}, "x"),
        ("terms and conditions", {"terms and conditions": True}, True),
        ("items in stock > 1", {"items in stock": 2}, True),
        ("`a.b c`", {"a.b c": 1}, 1),
        ("a.first name", {"a": {"first name": "Ann"}}, "Ann"),
        ("headers.`X-Id`", {"headers": {"X-Id": "7"}}, "7"),
        ("straße", {"straße": 1}, 1),
        ("🐎", {"🐎": 1}, 1),
        ("_x1", {"_x1": 1}, 1),
    ],
)
def test_names(text: str, context: dict[str, Any], value: Any) -> None:
    assert evaluate(text, context) == value


def test_the_longest_known_name_wins() -> None:
    assert evaluate("{a: 1, a b: 2, a b c: 3, x: a b c}.x") == 3
    assert evaluate("{a: 1, a - b: 2, x: a - b}.x") == 2


def test_a_name_given_to_the_compiler_is_known() -> None:
    assert compile_expression("a-b", ("a-b",)).evaluate({"a-b": 1}) == 1
    assert compile_expression("a-b").evaluate({"a-b": 1, "a": 3, "b": 1}) == 2


def test_a_name_is_forgotten_outside_its_scope() -> None:
    assert evaluate("[{a-b: 1}, a-b]", {"a": 5, "b": 3}) == [{"a-b": 1}, 2]


def test_a_variable_may_have_the_name_of_a_built_in_function() -> None:
    assert evaluate("count + count([1])", {"count": 2}) == 3
    assert evaluate("count") is None


def test_a_local_function_hides_a_built_in_one() -> None:
    assert evaluate("{count: function(x) 7, n: count([1])}.n") == 7


def test_equal_texts_share_one_compiled_expression() -> None:
    assert compile_expression("1 + 2") is compile_expression("1 + 2", [])
