"""Arithmetic, comparison, logic and ``instance of``."""

from typing import Any

import pytest

from shared.feel import evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 3 - 2", "5"),
        ("7 / 2", "3.5"),
        ("-3 ** 2", "9"),
        ("2 ** 3 ** 2", "64"),
        ("2 ** -1", "0.5"),
        ("0 ** 0", "1"),
        ("0.0 ** 0.0", "1"),
        ("0 ** -1", "null"),
        ("--1", "1"),
        ("1 / 3", "0.3333333333333333333333333333333333"),
        ("0.1 + 0.2 = 0.3", "true"),
        ('"a" + "b"', '"ab"'),
        ("1 / 0", "null"),
        ("0 / 0", "null"),
        ('1 + "1"', "null"),
        ("1 + null", "null"),
        ('1 - "a"', "null"),
        ('"a" * 2', "null"),
        ('"a" ** 2', "null"),
        ("1e6000 * 1e6000", "null"),
        ('-"a"', "null"),
        ("10 ** 10000", "null"),
        ("[1] + [2]", "null"),
    ],
)
def test_arithmetic(text: str, value: str) -> None:
    assert evaluate(text) == evaluate(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 = 1.0", True),
        ('1 = "1"', None),
        ("1 = null", False),
        ("null = null", True),
        ("null != 1", True),
        ('"a" != "b"', True),
        ("[1, 2] = [1, 2]", True),
        ("[1, 2] = [2, 1]", False),
        ("[1] = [1, 1]", False),
        ('[1] = ["1"]', False),
        ("{a: 1, b: 2} = {b: 2, a: 1}", True),
        ("{a: 1} = {b: 1}", False),
        ("{} = []", None),
        ("[1..2] = [1..2]", True),
        ("[1..2] = [1..2)", False),
        ("(< 10) = (< 10)", True),
        ("(= 10) = [10..10]", False),
        ('@"P1D" = @"PT24H"', True),
        ('@"P1Y" = @"P365D"', None),
        ('@"09:00:00" = @"09:00:00Z"', None),
        ('@"09:00:00Z" = @"10:00:00+01:00"', True),
        ('@"2026-01-01T09:00:00Z" = @"2026-01-01T10:00:00@Europe/Berlin"', True),
        ('@"2026-01-01T09:00:00" = @"2026-01-01T09:00:00Z"', None),
        ('@"09:00:00.1" = @"09:00:00.2"', True),
        ('@"09:00:00.1" < @"09:00:00.2"', True),
        ("1 < 2", True),
        ('"a" < "b"', True),
        ('1 < "2"', None),
        ("null < 1", None),
        ("true < false", None),
        ('@"PT1H" <= @"PT60M"', True),
        ('@"P1Y" > @"P11M"', True),
        ('@"2026-01-01" >= @"2025-12-31"', True),
        ("5 between 1 and 10", True),
        ("5 between 6 and null", False),
        ("5 between 1 and null", None),
    ],
)
def test_comparison(text: str, value: Any) -> None:
    assert evaluate(text) is value


TRUTH = {"true": True, "false": False, "null": None, "7": None}


@pytest.mark.parametrize("left", TRUTH)
@pytest.mark.parametrize("right", TRUTH)
def test_logic_has_three_values(left: str, right: str) -> None:
    one, other = TRUTH[left], TRUTH[right]
    both = False if one is False or other is False else (True if one and other else None)
    either = True if one or other else (False if one is False and other is False else None)

    assert evaluate(f"{left} and {right}") is both
    assert evaluate(f"{left} or {right}") is either


def test_logic_stops_at_the_first_decision() -> None:
    assert evaluate('true or assert(true, false, "reached")') is True
    assert evaluate('false and assert(true, false, "reached")') is False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 instance of number", True),
        ('"a" instance of string', True),
        ("2 * 3 instance of number and true", True),
        ("true instance of boolean", True),
        ("null instance of Null", True),
        ("null instance of number", False),
        ("1 instance of Any", True),
        ('@"2026-01-01" instance of date', True),
        ('@"2026-01-01T00:00:00" instance of date and time', True),
        ('@"2026-01-01T00:00:00" instance of date', False),
        ('@"P1D" instance of days and time duration', True),
        ('@"P1Y" instance of years and months duration', True),
        ("[1, null] instance of list<number>", True),
        ('[1, "a"] instance of list<number>', False),
        ("[1] instance of list", True),
        ("{a: 1, b: 2} instance of context<a: number>", True),
        ("{b: 2} instance of context<a: number>", False),
        ("[1..2] instance of range<number>", True),
        ("(function(a: number) a) instance of function<number> -> Any", True),
        ("(function(a) a) instance of function<number, number> -> Any", False),
        ("(function() 1) instance of function", True),
        ("1 instance of tUnknown", None),
    ],
)
def test_instance_of(text: str, value: Any) -> None:
    assert evaluate(text) is value
