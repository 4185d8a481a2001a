"""Why something became null."""

import pytest

from shared.feel import Result, WarningKind, compile_expression, diagnose


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("x", "NO_VARIABLE_FOUND", "there is no variable 'x'"),
        ("date", "NO_VARIABLE_FOUND", "there is no variable 'date', only a function"),
        ("{a: 1}.b", "NO_CONTEXT_ENTRY_FOUND", "the context has no entry 'b'"),
        ('"a".b', "NO_PROPERTY_FOUND", "a string has no property 'b'"),
        ("f(1)", "NO_FUNCTION_FOUND", "there is no function 'f'"),
        ("(1)(2)", "NO_FUNCTION_FOUND", "a number is no function to call"),
        ('1 < "a"', "NOT_COMPARABLE", "a number and a string cannot be compared"),
        ('1 + "a"', "INVALID_TYPE", "a number and a string cannot be added"),
        ("1 / 0", "INVALID_TYPE", "the result is no number, or too large for one"),
        ("1 and true", "INVALID_TYPE", "a number is no boolean"),
        ("[1][2]", "OUT_OF_BOUNDS", "the list of 1 has no element 2"),
        ("[1][1.5]", "INVALID_TYPE", "an index is a whole number"),
        ("for i in null return i", "INVALID_TYPE", "null cannot be iterated over"),
        ('@"soon"', "INVALID_TYPE", "the literal is no date, time or duration"),
        ('[1.."a"]', "NOT_COMPARABLE", "a range cannot go from a number to a string"),
        ('1 in "a"', "NOT_COMPARABLE", "a number cannot be tested with a string"),
        (
            'get value({a: 1}, "b")',
            "NO_CONTEXT_ENTRY_FOUND",
            "get value: the context has no such entry",
        ),
        ("{a: 1, a: 2}", "INVALID_TYPE", "the context has two entries of the same name"),
        ("1 instance of t", "INVALID_TYPE", "there is no type 't'"),
        (
            "(function(a) a)()",
            "FUNCTION_INVOCATION_FAILURE",
            "the function takes 1 arguments, not 0",
        ),
        (
            'number("x")',
            "INVALID_TYPE",
            "number: there is no such number",
        ),
    ],
)
def test_the_warning(text: str, kind: str, message: str) -> None:
    result = diagnose(text)

    assert result.value is None
    assert [(warning.kind, warning.message) for warning in result.warnings] == [
        (WarningKind(kind), message)
    ]


def test_a_warning_says_where() -> None:
    result = diagnose("[1,\n  subjct]")

    assert result == Result([1, None], result.warnings)
    assert str(result.warnings[0]) == (
        "NO_VARIABLE_FOUND at line 2, column 3: there is no variable 'subjct'"
    )


def test_what_is_well_has_no_warnings() -> None:
    assert diagnose("get or else(a, 1)", {"a": None}) == Result(1, ())


def test_warnings_name_no_content() -> None:
    secret = "the body of a mail"
    texts = (
        "body + 1",
        "body < 1",
        "body.x",
        "number(body)",
        "date(body)",
        "matches(body, 1)",
        "get value({}, body)",
        "get value({}, [body])",
        'get value(context put({}, body, 1), [body, "a"])',
        'context put(context put({}, body, 1), [body, "a"], 1)',
        "context([{key: body, value: 1}, {key: body, value: 2}])",
        'matches("a", "\\p{" + body + "}")',
    )

    for text in texts:
        result = diagnose(text, {"body": secret})

        assert result.warnings
        assert all(secret not in str(warning) for warning in result.warnings)


def test_warnings_are_a_hundred_at_most() -> None:
    assert len(diagnose("for i in 1..1000 return x").warnings) == 100


def test_evaluating_notes_nothing() -> None:
    expression = compile_expression("x + 1")

    assert expression.evaluate({}) is None
    assert len(expression.diagnose({}).warnings) == 2
    assert repr(expression) == "Expression('x + 1')"
