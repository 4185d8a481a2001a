"""What is no expression is said to be none, with the place and what would have been right."""

import pytest

from shared.feel import FeelSyntaxError, compile_expression, compile_unary_tests, convert


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("", 1, 1, "a value"),
        ("1 +", 1, 4, "a value"),
        ("(1", 1, 3, "')'"),
        ("[1, 2", 1, 6, "',' or ']'"),
        ("{a: 1", 1, 6, "',' or '}'"),
        ("{a 1}", 1, 6, "':'"),
        ("if a then b", 1, 12, "'else'"),
        ("for x in y", 1, 11, "'return'"),
        ("some x in y", 1, 12, "'satisfies'"),
        ("a.", 1, 3, "the name of an entry or property"),
        ("a.1", 1, 2, "an operator or the end"),
        ("1 2", 1, 3, "an operator or the end"),
        ("]1..2", 1, 6, "']', ')' or '[' to end the range"),
        ("]1, 2]", 1, 3, "'..'"),
        ("x instance of", 1, 14, "the name of a type"),
        ("f(a b: 1, 2)", 1, 11, "a name"),
        ('"open', 1, 1, 'a closing "'),
        ("1 +\n /* open", 2, 2, "a closing */"),
        ("`open", 1, 1, "a closing `"),
        ("1 +\n\n  )", 3, 3, "a value"),
    ],
)
def test_the_place_and_what_was_expected(text: str, line: int, column: int, expected: str) -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        compile_expression(text)

    error = caught.value
    assert (error.line, error.column, error.expected) == (line, column, expected)


def test_the_error_shows_the_line_with_a_caret() -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        compile_expression('1 +\n  contains(subject "x")')

    assert str(caught.value) == (
        "line 2, column 20: '\"x\"' is not expected here; expected ',' or ')'\n"
        '  contains(subject "x")\n'
        "                   ^"
    )


def test_a_long_line_is_shown_around_the_fault() -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        compile_expression("1 + " * 100 + ")")

    shown, caret = str(caught.value).splitlines()[1:]
    assert len(shown) < 80
    assert shown[caret.index("^")] == ")"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a # b", "'#' begins no part of an expression"),
        ("1e99999", "this number is too large"),
        ("(" * 100 + "1", "the expression is nested more than 64 levels deep"),
        ("1" + " + 1" * 300, "the expression is chained more than 200 levels deep"),
        ("1" * 70_000, "the expression is longer than 65536 characters"),
    ],
)
def test_the_reason(text: str, reason: str) -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        compile_expression(text)

    assert caught.value.reason == reason


def test_ambiguous_brackets_end_in_an_error_and_not_in_a_search() -> None:
    with pytest.raises(FeelSyntaxError):
        compile_expression("x[" + "]1..a[" * 500)


@pytest.mark.parametrize("text", ["> ", "not(", "1,", "> 1 2"])
def test_what_is_no_unary_test(text: str) -> None:
    with pytest.raises(FeelSyntaxError):
        compile_unary_tests(text)


def test_what_is_no_type() -> None:
    with pytest.raises(FeelSyntaxError):
        convert(1, "list<")


def test_an_error_shows_the_sign_as_it_was_written() -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        compile_expression("=1 +")

    assert caught.value.source == "=1 +"
    assert str(caught.value).splitlines()[1:] == ["=1 +", "    ^"]
