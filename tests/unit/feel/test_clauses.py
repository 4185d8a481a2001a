"""if, for, some, every, and functions of one's own."""

import pytest

from shared.feel import diagnose, evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("if true then 1 else 2", "1"),
        ("if null then 1 else 2", "2"),
        ('if "true" then 1 else 2', "2"),
        ("if 1 > 2 then 1 else if 2 > 1 then 3 else 4", "3"),
        ("1 + if true then 1 else 2", "2"),
        ("for x in [1, 2] return x + 1", "[2, 3]"),
        ("for x in [1, 2], y in [3, 4] return [x, y]", "[[1, 3], [1, 4], [2, 3], [2, 4]]"),
        ("for x in [[1, 2], [3]], y in x return y", "[1, 2, 3]"),
        ("for x in 1..3 return x", "[1, 2, 3]"),
        ("for x in 3..1 return x", "[3, 2, 1]"),
        ("for x in [1..3) return x", "[1, 2]"),
        ("for x in (1..3] return x", "[2, 3]"),
        ("for x in [3..1] return x", "null"),
        ('for x in "a".."c" return x', "null"),
        ("for x in null return x", "null"),
        ("for x in 5 return x", "[5]"),
        ('for d in @"2026-02-28"..@"2026-03-01" return d.day', "[28, 1]"),
        ("for i in 1..4 return count(partial)", "[0, 1, 2, 3]"),
        ("for i in 1..3 return partial", "[[], [[]], [[], [[]]]]"),
        ("for x in [1, 2] return for y in [x] return x * y", "[[1], [4]]"),
        ("some x in [1, 2] satisfies x = 2", "true"),
        ("some x in [] satisfies true", "false"),
        ("some x in [1, null] satisfies x > 1", "null"),
        ("some x in [null, 2] satisfies x > 1", "true"),
        ("every x in [1, 2] satisfies x > 0", "true"),
        ("every x in [] satisfies false", "true"),
        ("every x in [1, null] satisfies x > 0", "null"),
        ("every x in [null, 0] satisfies x > 0", "false"),
        ("some x in [1, 2], y in [2, 3] satisfies x > y", "false"),
        ("some x in null satisfies true", "null"),
    ],
)
def test_clauses(text: str, value: str) -> None:
    assert evaluate(text) == evaluate(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(function(a, b) a - b)(3, 1)", "2"),
        ("(function(a, b) a - b)(b: 1, a: 3)", "2"),
        ("(function(a, b) a - b)(1)", "null"),
        ("(function(a, b) a - b)(a: 1, c: 2)", "null"),
        ("(function(a: number) a)([1])", "1"),
        ('(function(a: number) a)("1")', "null"),
        ('(function(a: date and time) a)(@"2026-01-01")', '@"2026-01-01T00:00:00Z"'),
        ("(function() 7)()", "7"),
        ("{add: function(x) function(y) x + y, r: add(1)(2)}.r", "3"),
        ("{f: function(n) if n = 0 then 0 else n + f(n - 1), r: f(4)}.r", "10"),
        ("for f in [function(x) abs(x), function(x) x] return f(-4)", "[4, -4]"),
        ("{k: 2, f: function(x) x * k, r: for k in [10] return f(k)}.r", "[20]"),
        ("sort([3, 1], function(a, b) a > b)", "[3, 1]"),
        ("{m: {f: function(x) x + 1}, r: m.f(1)}.r", "2"),
        ("5(1)", "null"),
        ('"abs"(1)', "null"),
        ("nothing(1)", "null"),
        ("null(1)", "null"),
    ],
)
def test_functions(text: str, value: str) -> None:
    assert evaluate(text) == evaluate(value)


def test_an_external_function_is_read_but_not_run() -> None:
    text = '(function(a) external {java: {class: "java.lang.Math", method signature: "x"}})(1)'

    result = diagnose(text)

    assert result.value is None
    assert result.warnings[0].message == "external functions are not run"


def test_a_function_keeps_the_variables_of_its_place() -> None:
    assert evaluate("for f in (for i in 1..3 return function() i) return f()") == [1, 2, 3]


def test_a_function_of_one_evaluation_serves_in_another() -> None:
    double = evaluate("function(x) x * 2")

    assert evaluate("double(21)", {"double": double}) == 42
