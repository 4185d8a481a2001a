"""Ranges, ``in``, and the unary tests of decision tables."""

from typing import Any

import pytest

from shared.feel import compile_unary_tests, evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 in [1..3]", True),
        ("1 in (1..3]", False),
        ("1 in ]1..3]", False),
        ("3 in [1..3[", False),
        ("3 in [1..3)", False),
        ("2 in ]1..3[ and 4 in [4..5[", True),
        ("x in [1..list[1]]", True),
        ("1 in [[2..4], [1..3]]", True),
        ("1 in (2, 1)", True),
        ("1 in (> 5, < 2)", True),
        ("1 in (> 5, [2..3])", False),
        ("1 in > 0", True),
        ("1 in != 1", False),
        ("1 in = 1", True),
        ("1 in (!= 2)", True),
        ("1 in [1, 2]", True),
        ("1 in 1", True),
        ("[1, 2] in [[1, 2], [3]]", True),
        ("1 in (1 + 0) * 1", True),
        ("1 in (list)[1]", False),
        ("null in [1..3]", None),
        ("1 in [1..null]", None),
        ("null in null", True),
        ("1 in null", False),
        ("1 in missing", None),
        ('1 in ["a".."c"]', None),
        ("1 in (? > 0)", True),
        ("5 in ? < 3", False),
        ("5 in ? < 10 and true", True),
        ('"b" in ["a".."c"]', True),
        ('@"2026-01-02" in [@"2026-01-01"..@"2026-01-03"]', True),
        ("(> 3).start = 3 and (> 3).end = null", True),
        ("5 in (> 3)", True),
        ("(= 3).start = 3 and (= 3).end = 3", True),
        ("(= " * 40 + "1" + ")" * 40 + " = " + "(= " * 40 + "1" + ")" * 40, True),
        ("{r: (!= 3), v: 5 in r}.v", True),
        ("{r: (= 3), v: 5 in r}.v", False),
        ('{r: (= 3), v: "a" in r}.v', None),
        ('{r: (< 5), v: "a" in r}.v', None),
        ('{r: (> 5), v: "a" in r}.v', None),
        ("{r: (<= 5), v: 5 in r}.v", True),
        ("{r: (< 5), v: 5 in r}.v", False),
        ("5 in [10..1]", False),
    ],
)
def test_belonging(text: str, value: Any) -> None:
    assert evaluate(text, {"x": 2, "list": [5, 1]}) is value


@pytest.mark.parametrize(
    ("text", "value", "verdict"),
    [
        ("-", None, True),
        ("5", 5, True),
        ("> 5", 6, True),
        ('"a", "b"', "b", True),
        ('not("a", "b")', "b", False),
        ('not("a", "b")', "c", True),
        ("not(null)", "c", True),
        ("null", None, True),
        ("[1..5], > 100", 50, False),
        ('contains(?, "x")', "axb", True),
        ("? > 1 and ? < 3", 2, True),
        ("> limit", 6, True),
        ("not(true)", False, True),
        ('> "a"', 1, None),
        ('not(> "a")', 1, None),
        ("? > 1", None, None),
        ("not(missing)", 1, True),
        ("missing", 1, False),
        ("1 < 2", 3, True),
        ("1 > 2", 3, False),
        ("odd(4)", False, True),
    ],
)
def test_unary_tests(text: str, value: Any, verdict: Any) -> None:
    assert compile_unary_tests(text).evaluate({"?": value, "limit": 5}) is verdict
