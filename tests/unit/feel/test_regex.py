"""Regular expressions: XPath's meaning, Java's habits, and time that grows with the text only."""

import re
from collections.abc import Callable
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feel import FeelLimitError, Limits, evaluate
from shared.feel.diagnostics import UnfitError
from shared.feel.regex import compile_pattern
from shared.feel.regex.cost import source
from shared.feel.regex.matcher import Matcher
from shared.feel.regex.nodes import Part
from shared.feel.regex.parser import PatternParser
from shared.feel.regex.program import Program

UNHURRIED = settings(deadline=None)


def free(_: int) -> None:
    """Charge nothing."""


def by_program(pattern: str, flags: str = "") -> Callable[[str], tuple[int, ...] | None]:
    """Return a search that never uses Python's `re`."""
    parser = PatternParser(pattern, flags)
    program = Program(parser.parse(), parser.groups)
    return lambda text: Matcher(program, text, free, remember=not parser.references).search(0)


@pytest.mark.parametrize(
    ("pattern", "flags", "text", "found"),
    [
        ("b+", "", "abbc", "bb"),
        ("b+?", "", "abbc", "b"),
        ("a|ab", "", "ab", "a"),
        ("(a|ab)(c|bcd)", "", "abcd", "abcd"),
        ("(?:ab){2}", "", "ababab", "abab"),
        ("a{2,3}", "", "aaaa", "aaa"),
        ("a{2,3}?", "", "aaaa", "aa"),
        ("a{2,}", "", "aaaa", "aaaa"),
        ("a.c", "", "a\nc", None),
        ("a.c", "s", "a\nc", "a\nc"),
        ("a.c", "", "a\rc", None),
        ("^b", "", "a\nb", None),
        ("^b$", "m", "a\nb\nc", "b"),
        ("a$", "", "a\n", None),
        ("^$", "m", "a\n", None),
        ("^$", "m", "\na\n", ""),
        ("ABC", "i", "xabc", "abc"),
        ("[^Q]", "i", "q", None),
        ("k", "i", "\u212a", "\u212a"),
        ("[A-Z-[OI]]+", "i", "oiXyz", "Xyz"),
        ("[a-z-[aeiou]]+", "", "aebcd", "bcd"),
        ("[]a]+", "", "x]a]", "]a]"),
        ("[a-]+", "", "x-a", "-a"),
        ("[\\]\\-]+", "", "a]-", "]-"),
        ("\\d+\\s\\w\\W", "", "x12 a!", "12 a!"),
        ("\\S+", "", " ab ", "ab"),
        ("[^\\d\\s]+", "", "12 ab", "ab"),
        ("\\p{Lu}\\p{Ll}+", "", "x Äöü", "Äöü"),
        ("\\P{L}", "", "ab1", "1"),
        ("\\p{IsGreek}+", "", "ab\u03b1\u03b2", "\u03b1\u03b2"),
        ("\\p{Alpha}+", "", "1ab", "ab"),
        ("\\i\\c*", "", "1 a:b-c", "a:b-c"),
        ("\\u0041\\x42", "", "AB", "AB"),
        ("a b c", "x", "abc", "abc"),
        ("a[ ]b", "x", "a b", "a b"),
        ("a.b*", "q", "a.b*", "a.b*"),
        ("(?i)ab(?-i)C", "", "ABC", "ABC"),
        ("(?i:a)B", "", "AB", "AB"),
        ("(?i:a)B", "", "Ab", None),
        ("\\bab\\b", "", "xab ab", "ab"),
        ("a\\Bb", "", "ab", "ab"),
        ("\\Aa\\z", "", "a", "a"),
        ("\\Qa.b\\E+", "", "a.bb", "a.b"),
        ("a(?=b)", "", "acab", "a"),
        ("a(?!b)", "", "abac", "a"),
        ("(?<year>\\d{4})", "", "in 2026", "2026"),
        ("(ab|c){2,3}d", "", "xcabcd", "cabcd"),
        ("a\\nb", "", "a\nb", "a\nb"),
        ("[\\t-\\n]", "", "a\nb", "\n"),
        ("\\p{ L u }", "x", "aB", "B"),
        ("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10", "", "abcdefghijj", "abcdefghijj"),
        ("(a)\\10", "", "aa0", "aa0"),
        ("(.)\\1", "", "abb", "bb"),
        ("(.)\\1", "i", "abB", "bB"),
        ("(a)|b\\1", "", "b", "b"),
        ("(a*)*b", "", "aab", "aab"),
        ("(.*?a?a?)*|aa", "", "a1", "a"),
        ("(a*)+", "", "b", ""),
        ("(|a)+", "", "a", ""),
        ("", "", "a", ""),
    ],
)
def test_both_ways_find_the_same(pattern: str, flags: str, text: str, found: str | None) -> None:
    program = by_program(pattern, flags)(text)
    chosen = compile_pattern(pattern, flags).extract(text, free)[:1]

    assert (None if program is None else text[program[0] : program[1]]) == found
    assert chosen == ([] if found is None else [found])


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "a)", "[", "[]", "[a", "*", "a**", "a{2", "a{3,2}", "a{9999}", "a|*"),
        *(
            "\\",
            "\\y",
            "\\p{Nope}",
            "\\p{Lu",
            "[a-z-[b]c]",
            "\\p{ Lu}",
            "\\1",
            "(a)\\2",
            "[\\1]",
            "[a\\0]",
            "[b-a]",
            "[[a]",
        ),
        *("(?<=a)b", "a++", "(?>a)", "(?#x)", "^*", "\\u12", "((a{1000}){1000})", "a" * 5000),
        *("(" * 60 + ")" * 60, "()" * 120),
    ],
)
def test_what_is_no_pattern_gives_null(pattern: str) -> None:
    with pytest.raises(UnfitError):
        compile_pattern(pattern)
    assert evaluate("matches(text, pattern)", {"text": "a", "pattern": pattern}) is None


@pytest.mark.parametrize("flags", ["g", "I", " ", "sx!"])
def test_what_are_no_flags(flags: str) -> None:
    with pytest.raises(UnfitError):
        compile_pattern("a", flags)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('replace("abc", "b", "[$0]")', '"a[b]c"'),
        ('replace("abc", "(b)", "$1$1")', '"abbc"'),
        ('replace("abc", "(b)", "$12")', '"ab2c"'),
        ('replace("abc", "b", "\\$1")', '"a$1c"'),
        ('replace("abc", "b", "$1")', "null"),
        ('replace("abc", "b", "$")', "null"),
        ('replace("abc", "(x)?b", "<$1>")', '"a<>c"'),
        ('replace("abc", "x*", "-")', '"-a-b-c-"'),
        ('replace("a.c", ".", "$", "q")', '"a$c"'),
        ('replace(" a ", "^\\s+|\\s+$", "")', '"a"'),
        ('split("a1b22c", "\\d+")', '["a", "b", "c"]'),
        ('split("abc", "")', '["a", "b", "c"]'),
        ('extract("a1b22", "\\d+")', '["1", "22"]'),
        ('extract("ab", "x*")', '["", "", ""]'),
        ('extract("ab", "x")', "[]"),
    ],
)
def test_replacing_splitting_extracting(text: str, value: str) -> None:
    assert evaluate(text) == evaluate(value)


SLOW = [
    "(a+)+$b",
    "(a|aa)+$b",
    "(a*)*b",
    ".*a.*a.*a.*b",
    "(x+x+)+y",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(a?){50}a{50}b",
    "(a+)\\1+b",
    "(?=(a+)+b)c",
    "([a-z]*)*1",
]


@pytest.mark.parametrize("pattern", SLOW)
def test_no_pattern_holds_a_worker(pattern: str) -> None:
    limits = Limits(seconds=0.5)
    start = perf_counter()
    try:
        found = evaluate("matches(body, p)", {"body": "a" * 40_000, "p": pattern}, limits=limits)
        assert found is False
    except FeelLimitError:
        pass

    assert perf_counter() - start < 5


def test_a_long_mail_is_searched_in_time_that_grows_with_it() -> None:
    body = "lorem ipsum dolor sit amet " * 4000 + "Order 4711"

    assert evaluate('extract(body, "Order\\s+\\d+")', {"body": body}) == ["Order 4711"]
    assert evaluate('matches(body, ".*Order (\\d+).*")', {"body": body}) is True


def test_many_matches_are_found_one_after_the_other() -> None:
    assert compile_pattern("\\p{L}?\\p{N}").extract("a1" * 600, free) == ["a1"] * 600


def test_all_matches_are_found_in_time_that_grows_with_the_text() -> None:
    start = perf_counter()

    assert len(compile_pattern("[a-z]*b|a").extract("a" * 40_000, free)) == 40_000
    assert perf_counter() - start < 5


def test_memory_is_bounded_as_well() -> None:
    with pytest.raises(FeelLimitError, match="size"):
        by_program("a?" * 40)("x" * 2_000_000)


ATOMS = st.sampled_from(
    ["a", "b", "c", ".", "[ab]", "[^a]", "\\d", "\\w", "^", "$", "\\b", "(?:)", "\n"]
)
REPEATS = st.sampled_from(["", "?", "*", "+", "{2}", "{1,3}", "*?", "+?", "??", "{0,2}?"])


@st.composite
def patterns(draw: st.DrawFn, depth: int = 2) -> str:
    """Draw patterns that can be read, small enough for `re` itself to come to an end."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        if depth and draw(st.booleans()):
            inner = draw(patterns(depth=depth - 1))
            kind = draw(st.sampled_from(["(", "(?:", "(?=", "(?!"]))
            part = f"{kind}{inner})"
            repeat = draw(REPEATS) if kind in ("(", "(?:") else ""
        else:
            part = draw(ATOMS)
            repeat = draw(REPEATS) if part not in ("^", "$", "\\b") else ""
        parts.append(part + repeat)
    if depth and draw(st.integers(0, 4)) == 0:
        parts.insert(len(parts) // 2, "|")
    return "".join(parts)


@UNHURRIED
@given(patterns(), st.text("abc1 \n", max_size=8), st.sampled_from(["", "i", "s", "m", "sm"]))
def test_the_matcher_finds_what_pythons_re_finds(pattern: str, text: str, flags: str) -> None:
    parser = PatternParser(pattern, flags)
    python = source(parser.parse())
    assert python is not None

    compiled = re.compile(python)
    program = Program(parser_tree(pattern, flags), parser.groups)
    matcher = Matcher(program, text, free, remember=True)

    assert all_spans(matcher.search, text) == all_spans(
        lambda place: (match := compiled.search(text, place)) and match.span(), text
    )


def parser_tree(pattern: str, flags: str) -> Part:
    """Return a pattern's tree."""
    return PatternParser(pattern, flags).parse()


def all_spans(search: Callable[[int], tuple[int, ...] | None], text: str) -> list[tuple[int, ...]]:
    """Return the places of all matches, each searched for from the end of the one before."""
    spans: list[tuple[int, ...]] = []
    place = 0
    while place <= len(text) and (found := search(place)) is not None:
        spans.append(found[:2])
        place = found[1] + (found[0] == found[1])
    return spans


@UNHURRIED
@given(st.text(max_size=30), st.text(max_size=30), st.text("smixq ", max_size=3))
def test_no_text_makes_a_pattern_raise_anything_else(pattern: str, text: str, flags: str) -> None:
    try:
        compiled = compile_pattern(pattern, flags)
    except UnfitError:
        return

    assert compiled.found_in(text, free) is bool(compiled.extract(text, free))
