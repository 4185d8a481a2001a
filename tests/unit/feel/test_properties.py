"""What holds of every expression, over generated ones."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feel import (
    Expression,
    FeelAssertionError,
    FeelLimitError,
    FeelSyntaxError,
    Limits,
    compile_expression,
    compile_unary_tests,
    diagnose,
    evaluate,
    to_json,
    to_text,
)
from shared.feel.builtins import NAMES
from shared.feel.syntax import tree
from shared.feel.syntax.parser import parse_expression
from shared.feel.syntax.printer import to_source
from shared.feel.types import ANY, ContextType, FunctionType, ListType, NamedType, RangeType

UNHURRIED = settings(deadline=None)
"""A property is judged by what it finds, not by how fast a busy machine is."""

FEW = Limits(steps=5_000, size=20_000, seconds=1)

CONTEXT: dict[str, Any] = {
    "a": 1,
    "b": "text",
    "c": [1, 2, None],
    "d": {"a": 2, "e": [{"a": 3}]},
    "first name": True,
}

NAMES_USED = st.sampled_from(["a", "b", "c", "d", "item", "partial", "first name", "x-y", "if"])
TYPES = st.recursive(
    st.sampled_from([ANY, NamedType("number"), NamedType("date and time"), NamedType("own")]),
    lambda inner: st.one_of(
        st.builds(ListType, inner),
        st.builds(RangeType, inner),
        st.builds(lambda kind: ContextType((("a", kind),)), inner),
        st.builds(lambda one, other: FunctionType((one,), other), inner, inner),
    ),
    max_leaves=3,
)
LEAVES = st.one_of(
    st.builds(tree.Literal, st.one_of(st.none(), st.booleans(), st.text(max_size=5))),
    st.builds(
        tree.NumberLiteral,
        st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=2).map(abs),
    ),
    st.builds(tree.TemporalLiteral, st.sampled_from(["2026-02-27", "P1D", "P1Y", "soon", '"\\']))
    | st.builds(tree.Name, NAMES_USED),
    st.builds(tree.Name, st.sampled_from(NAMES)),
)


def branches(inner: st.SearchStrategy[tree.Node]) -> st.SearchStrategy[tree.Node]:
    """Return nodes that hold others."""
    some = st.lists(inner, max_size=3).map(tuple)
    iterations = st.lists(
        st.builds(tree.Iteration, st.sampled_from(["x", "y z"]), inner, st.none() | inner),
        min_size=1,
        max_size=2,
    ).map(tuple)
    tests = st.lists(
        inner | st.builds(tree.UnaryTest, st.sampled_from(["<", ">=", "=", "!="]), inner),
        min_size=1,
        max_size=2,
    ).map(tuple)
    parameters = st.lists(
        st.tuples(st.sampled_from(["p", "q r", "s+t"]), st.none() | TYPES),
        max_size=2,
        unique_by=lambda parameter: parameter[0],
    ).map(tuple)
    calls = st.one_of(
        st.builds(tree.Call, inner, some),
        st.builds(lambda one, value: tree.Call(one, (value,), ("n",)), inner, inner),
    )
    return st.one_of(
        st.builds(tree.ListLiteral, some),
        st.builds(
            lambda entries: tree.ContextLiteral(tuple(entries.items())),
            st.dictionaries(st.sampled_from(["a", "k l", "", '"', "if"]), inner, max_size=2),
        ),
        st.builds(tree.RangeLiteral, inner, inner, st.booleans(), st.booleans()),
        st.builds(tree.UnaryTest, st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), inner),
        st.builds(tree.Negation, inner),
        st.builds(
            tree.Binary,
            st.sampled_from(["+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">="]),
            inner,
            inner,
        ),
        st.builds(
            tree.Logic,
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3).map(tuple),
        ),
        st.builds(tree.Between, inner, inner, inner),
        st.builds(tree.In, inner, tests),
        st.builds(tree.InstanceOf, inner, TYPES),
        st.builds(tree.If, inner, inner, inner),
        st.builds(tree.For, iterations, inner),
        st.builds(tree.Quantified, st.sampled_from(["some", "every"]), iterations, inner),
        st.builds(tree.Path, inner, NAMES_USED),
        st.builds(tree.Filter, inner, inner),
        calls,
        st.builds(tree.FunctionDefinition, parameters, inner),
    )


TREES = st.recursive(LEAVES, branches, max_leaves=12)

WORDS = st.sampled_from(
    [
        *("a", "b", "c", "d.e", "item", "1", "2.5", '"x"', "true", "null", "(", ")", "[", "]"),
        *("{", "}", ",", ":", "..", ".", "+", "-", "*", "/", "**", "=", "!=", "<", ">=", "->"),
        *("if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "function"),
        *("and", "or", "not", "between", "instance of", "number", "list<", ">", '@"P1D"', "?"),
        *("`", '"', "//", "/*", "*/", "'", "external", "date and time", "count", "\n", "\u00a0"),
    ]
)
ANYTHING = st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=25).map(" ".join))


@UNHURRIED
@given(TREES)
def test_printing_and_parsing_again_gives_the_same_tree(node: tree.Node) -> None:
    assert parse_expression(to_source(node), NAMES) == node


@UNHURRIED
@given(ANYTHING)
def test_no_text_makes_the_parser_raise_anything_but_syntax_errors(text: str) -> None:
    for compile_text in (compile_expression, compile_unary_tests):
        fault = fault_of(compile_text, text)
        if fault is not None:
            assert fault.line >= 1
            assert fault.column >= 1
            assert "^" in str(fault)


@UNHURRIED
@given(ANYTHING)
def test_what_was_parsed_from_any_text_is_printed_and_parsed_alike(text: str) -> None:
    if fault_of(compile_expression, text) is None:
        node = compile_expression(text).tree

        assert parse_expression(to_source(node), NAMES) == node


def fault_of(compile_text: Callable[[str], Expression], text: str) -> FeelSyntaxError | None:
    """Return the error that compiling a text raises, if any."""
    try:
        compile_text(text)
    except FeelSyntaxError as error:
        return error
    return None


@UNHURRIED
@given(TREES)
def test_evaluation_raises_nothing_but_its_own_errors(node: tree.Node) -> None:
    try:
        result = diagnose(to_source(node), CONTEXT, limits=FEW)
    except (FeelLimitError, FeelAssertionError):
        return

    to_json(result.value)
    to_text(result.value)
    assert all(str(warning) for warning in result.warnings)


@UNHURRIED
@given(st.sampled_from(NAMES), st.lists(TREES, max_size=4))
def test_no_argument_breaks_a_function(name: str, arguments: list[tree.Node]) -> None:
    call = tree.Call(tree.Name(name), tuple(arguments))

    try:
        diagnose(to_source(call), CONTEXT, limits=FEW)
    except (FeelLimitError, FeelAssertionError):
        return


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=10,
)


@UNHURRIED
@given(JSON)
def test_json_goes_in_and_comes_out_the_same(value: Any) -> None:
    found = to_json(evaluate("x", {"x": value}))

    assert rounded(found) == rounded(value)


def rounded(value: Any) -> Any:
    """Return JSON with its numbers to the precision that both sides have."""
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{Decimal(str(value)):.12e}" if value else "0"
    return value


@UNHURRIED
@given(st.decimals(-(10**30), 10**30, allow_nan=False))
def test_numbers_survive_their_text(number: Decimal) -> None:
    assert evaluate("number(string(x)) = x", {"x": number}) is True
