"""Built-in functions at their edges; the page of the language shows each in its plain use."""

import pytest

from shared.feel import FeelAssertionError, diagnose, evaluate
from shared.feel.builtins import NAMES

STRINGS = [
    ('substring("abc", 0)', "null"),
    ('substring(string: "abc")', "null"),
    ('substring("abc", 4)', '""'),
    ('substring("abc", -4)', "null"),
    ('from base64("!!!")', "null"),
    ('from base64("/w==")', "null"),
    ('substring("abc", 2, 9)', '"bc"'),
    ('substring("abc", 2, 0)', "null"),
    ('substring("🐎🐎x", 3)', '"x"'),
    ('substring before("abc", "")', '""'),
    ('substring before("abc", "x")', '""'),
    ('substring after("abc", "")', '"abc"'),
    ('substring after("abc", "x")', '""'),
    ('contains("abc", "")', "true"),
    ("contains(null, null)", "null"),
    ('contains(["abc"], "b")', "true"),
    ('upper case("straße")', '"STRASSE"'),
    ('split("a;b;;", ";")', '["a", "b", "", ""]'),
    ('split("", ",")', '[""]'),
    ('split("a.b", ".")', '["", "", "", ""]'),
    ("string join([])", '""'),
    ('string join("a", ",")', '"a"'),
    ("string join([1])", "null"),
    ('is blank("")', "true"),
    ("to base64(null)", "null"),
    ("string(null)", "null"),
    ('string("a")', '"a"'),
    ('string({"a b": [null, "x"]})', '"{\\"a b\\": [null, \\"x\\"]}"'),
    ("string([1..2))", '"[1..2)"'),
    ("string((< 3))", '"(< 3)"'),
    ("string(function(a: number) a)", '"function(a: number)"'),
    ("string(1e10)", '"10000000000"'),
]
NUMBERS = [
    ("decimal(2.5, 0)", "2"),
    ("decimal(0.515, 2)", "0.52"),
    ("round half up(-5.5, 0)", "-6"),
    ("round up(5.5, 7000)", "null"),
    ("floor(1234, -2)", "1200"),
    ("modulo(10, -4)", "-2"),
    ("modulo(-10, 4)", "2"),
    ("modulo(5, 0)", "null"),
    ("modulo(1e30, 7)", "1"),
    ("sqrt(-1)", "null"),
    ("log(0)", "null"),
    ("exp(100000)", "null"),
    ("odd(1.5)", "null"),
    ("odd(-3)", "true"),
    ("even(1e30)", "true"),
    ("abs(null)", "null"),
    ('number("1e3")', "1000"),
    ('number("1 000,5", " ", ",")', "1000.5"),
    ('number("1,5", ",", ",")', "null"),
    ('number("1;5", ";")', "null"),
    ('number("0x10")', "null"),
    ('number("1x5", "x")', "null"),
    ('number("15", null, "x")', "null"),
    ('number("1e99999")', "null"),
    ('number(from: "1,5", decimal separator: ",")', "1.5"),
]
LISTS = [
    ("count(null)", "null"),
    ("count(7)", "1"),
    ("min([])", "null"),
    ('max([1, "a"])', "null"),
    ("max(3, 1)", "3"),
    ('max([@"P1D", @"PT1H"])', '@"P1D"'),
    ("sum([])", "null"),
    ("sum(1, 2)", "3"),
    ('sum([1, "a"])', "null"),
    ("mean(1, 2)", "1.5"),
    ("median([4, 1])", "2.5"),
    ("stddev([1])", "null"),
    ("mode([])", "[]"),
    ("all([true, null])", "null"),
    ("all([])", "true"),
    ("all(true, true)", "true"),
    ("any([false, null])", "null"),
    ("any([false, 1])", "null"),
    ("any(null)", "null"),
    ("list contains([1, null], null)", "true"),
    ("list contains([[1]], [1])", "true"),
    ("sublist([1, 2, 3], -2)", "[2, 3]"),
    ("sublist([1, 2, 3], 2, 3)", "null"),
    ("sublist([1, 2, 3], 4)", "null"),
    ("insert before([1], 0, 2)", "null"),
    ("remove([1], 2)", "null"),
    ("concatenate([1], 2)", "[1, 2]"),
    ("list replace([1, 2], function(a) true, 5)", "null"),
    ("list replace([1, 2], function(a, b) 1, 5)", "null"),
    ('distinct values([1, "1", true, 1.0, null, null])', '[1, "1", true, null]'),
    ("distinct values([[1], [1], {a: 1}, {a: 1}])", "[[1], {a: 1}]"),
    ("duplicate values([3, 1, [1], 1, [1], 3, 3])", "[3, 1, [1]]"),
    ('sort([1, "a"])', "null"),
    ('sort(["b", "a", "B"])', '["B", "a", "b"]'),
    ("sort([{k: 1, n: 2}, {k: 1, n: 1}], function(a, b) a.k < b.k).n", "[2, 1]"),
    ("partition([], 2)", "[]"),
    ("partition([1, 2], 0)", "null"),
    ("flatten(1)", "[1]"),
    ("append([], null)", "[null]"),
    ("is empty([])", "true"),
]
CONTEXTS = [
    ('get value({a: 1}, "b")', "null"),
    ("get value({a: 1}, [])", "null"),
    ('get value({a: 1}, ["a", "b"])', "null"),
    ('get value(context: {a: 1}, key: "a")', "1"),
    ("get entries({})", "[]"),
    ('context([{key: "a", value: 1}, {key: "a", value: 2}])', "null"),
    ("context([{key: 1, value: 1}])", "null"),
    ('context({key: "a", value: null})', "{a: null}"),
    ('context put({a: 1}, "a", 2)', "{a: 2}"),
    ('context put({}, ["a", "b"], 1)', "{a: {b: 1}}"),
    ('context put({a: 1}, ["a", "b"], 1)', "null"),
    ("context put({}, [], 1)", "null"),
    ("context merge([{a: 1}, null])", "null"),
    ("context merge({a: 1})", "{a: 1}"),
    ("context merge({a: 1}, {b: 2})", "{a: 1, b: 2}"),
    ('context merge([{a: 1}], "x")', "null"),
]
TEMPORAL = [
    ("date(2026, 2, 29)", "null"),
    ('duration("P26M")', '@"P2Y2M"'),
    ("date(1e12, 1, 1)", "null"),
    ('date("2026-02-27T00:00:00")', "null"),
    ('date(@"2026-02-27T00:00:00Z")', '@"2026-02-27"'),
    ('time(@"2026-02-27")', '@"00:00:00Z"'),
    ("time(24, 0, 0)", "null"),
    ('time(9, 30, 15.5, @"-PT2H45M55S")', '@"09:30:15.5-02:45:55"'),
    ('time(9, 30, 0, @"PT19H")', "null"),
    ('date and time("2026-02-27")', '@"2026-02-27T00:00:00"'),
    ('date and time(@"2026-02-27T09:00:00+01:00", @"10:00:00")', '@"2026-02-27T10:00:00"'),
    ('date and time(@"2026-02-27T09:00:00Z", "No/Where")', "null"),
    ('date and time(2026, 2, 27, 9, 30, 0, @"PT1H")', '@"2026-02-27T09:30:00+01:00"'),
    ('years and months duration(@"2026-01-31", @"2026-02-28")', '@"P0M"'),
    ('years and months duration(@"2026-02-28", @"2024-01-31")', '@"-P2Y"'),
    ('week of year(@"2005-01-01")', "53"),
    ('week of year(@"2003-12-29")', "1"),
    ('day of year(@"2024-12-31T10:00:00")', "366"),
    ('last day of month(@"2024-02-01T00:00:00")', '@"2024-02-29"'),
    ('is(@"P1D", @"PT24H")', "true"),
    ('is(1, "1")', "false"),
    ("is(value1: 1)", "false"),
    ('is(@"2026-01-01T00:00:00Z", @"2026-01-01T01:00:00+01:00")', "false"),
]
RANGES = [
    ("before(1, 1)", "false"),
    ("before([1..5), [5..6])", "true"),
    ("before([1..5], [5..6])", "false"),
    ("before(1, (1..2])", "true"),
    ("after(5, [1..5))", "true"),
    ('before(1, "a")', "null"),
    ("meets([1..5), [5..6])", "false"),
    ("overlaps([1..5), [5..6])", "false"),
    ("overlaps before([1..5], [1..5])", "false"),
    ("overlaps after([1..5], [1..4])", "false"),
    ("finishes(5, [1..5))", "false"),
    ("finishes([2..5], [1..5])", "true"),
    ("includes([1..5), 5)", "false"),
    ("includes([1..5], [1..5])", "true"),
    ("during((1..5), [1..5])", "true"),
    ("starts(1, (1..5])", "false"),
    ("starts([1..5), [1..5])", "true"),
    ("coincides([1..5], [1..5))", "false"),
    ("includes((> 3), 5)", "true"),
    ("before((= 3), 5)", "null"),
    ("starts((< 3), (< 5))", "true"),
    ("overlaps before((< 3), [1..5])", "true"),
    ("finishes((> 3), (> 1))", "true"),
    ('range("5")', "null"),
    ("before((< 3), 5)", "true"),
    ("before((> 3), 5)", "false"),
    ('range("[1..")', "null"),
    ('range("[2..1]")', "null"),
    ('range("[date(\\"2026-01-01\\")..@\\"2026-01-02\\"]").end', '@"2026-01-02"'),
    ('range("[-2..-1)")', "[-2..-1)"),
    ('range("[1 + 1..3]")', "null"),
]
JSON = [
    ('from json("{\\"a\\": [1, 2.50, \\"x\\", true, null]}")', '{a: [1, 2.5, "x", true, null]}'),
    ('from json("{")', "null"),
    # Half a surrogate pair is no character.
    (r'from json("\"\\ud83d\\udc0e\"")', '"🐎"'),
    (r'from json("\"\\ud83d, \\udc0e\"")', '"\ufffd, \ufffd"'),
    (r'from json("\"\\\\ud83d\"")', r'"\\ud83d"'),
    (r'from json("\"\\ud8xx\"")', "null"),
    ('from json("NaN")', "null"),
    ("to json(null)", '"null"'),
    ('to json([1, 1.5, @"P1D"])', '"[1,1.5,\\"P1D\\"]"'),
]


@pytest.mark.parametrize(
    ("text", "value"), STRINGS + NUMBERS + LISTS + CONTEXTS + TEMPORAL + RANGES + JSON
)
def test_the_value(text: str, value: str) -> None:
    found, wanted = evaluate(text), evaluate(value)

    assert (type(found), found) == (type(wanted), wanted)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_that_no_form_takes_give_null_and_say_so(name: str) -> None:
    result = diagnose(f"{name}(no such parameter: 1)")

    assert result.value is None
    assert "there are" in result.warnings[0].message


def test_what_a_wrong_argument_is_said_of() -> None:
    result = diagnose('substring("abc", "2")')

    assert str(result.warnings[0]) == (
        "FUNCTION_INVOCATION_FAILURE at line 1, column 1: "
        "substring: 'start position' takes a number, not a string"
    )


def test_an_assert_that_does_not_hold_ends_the_evaluation() -> None:
    assert evaluate("assert(1, true)") == 1
    with pytest.raises(FeelAssertionError, match="no subject"):
        evaluate('assert(subject, subject != null, "no subject")')
    with pytest.raises(FeelAssertionError):
        evaluate("assert(1, null)")


def test_the_clock_stands_still_in_one_evaluation() -> None:
    assert evaluate("now() = now() and date(now()) = today()") is True


def test_identifiers_and_random_numbers_differ() -> None:
    assert evaluate("uuid() = uuid()") is False
    assert evaluate("random number() = random number()") is False
