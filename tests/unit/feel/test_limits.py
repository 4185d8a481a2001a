"""Every evaluation ends, and the error says which limit ended it."""

import threading
import tracemalloc
from time import perf_counter
from typing import Any

import pytest

from shared.feel import (
    DEFAULT_LIMITS,
    FeelLimitError,
    Limits,
    compile_expression,
    evaluate,
    to_json,
)

LOOP = "for a in 1..1000, b in 1..1000, c in 1..1000 return a"
DEEP = "list<" * 60 + "Any" + ">" * 60


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (LOOP, "steps"),
        ("for i in 1..1000000000 return i", "steps"),
        ("for i in 1e40..2e40 return i", "steps"),
        ("some i in 1..1000000000 satisfies false", "steps"),
        ("{f: function(n) f(n + 1), r: f(1)}.r", "depth"),
        ("for i in 1..100 return [partial[-1]]", "depth"),
        ("string(for i in 1..500 return [partial[-1]])", "depth"),
        ("to json(for i in 1..500 return [partial[-1]])", "depth"),
        ('for i in 1..60 return if i = 1 then "ab" else partial[-1] + partial[-1]', "size"),
        ("replace(text, text, text)", None),
        ('replace(text, "x", text)', "size"),
        ("string join(for i in 1..100 return text)", "size"),
        ("for i in 1..60 return [partial[-1], partial[-1]]", "steps"),
        ("string(for i in 1..60 return [partial[-1], partial[-1]])", "steps"),
        ("to json(for i in 1..60 return [partial[-1], partial[-1]])", "steps"),
        (f"(for i in 1..60 return [partial[-1], partial[-1]]) instance of {DEEP}", "steps"),
        (f"(function(x: {DEEP}) x)(for i in 1..60 return [partial[-1], partial[-1]])", "steps"),
        ("string((= (for i in 1..60 return [partial[-1], partial[-1]])))", "steps"),
        ("(= (for i in 1..60 return [partial[-1], partial[-1]]))", "steps"),
        ("(for i in 1..60 return [partial[-1], partial[-1]]).a", "steps"),
        ("flatten(for i in 1..40 return [partial, partial])", "steps"),
        ("for i in 1..100000 return upper case(text)", "steps"),
        ("distinct values(for i in 1..5000 return {a: i})", "steps"),
        ("sort(for i in 1..100000 return -i)", "steps"),
        ('matches(text, "(x+)\\1+y")', "steps"),
    ],
)
def test_what_ends_a_runaway(text: str, limit: str | None) -> None:
    context = {"text": "x" * 60_000}
    limits = Limits(steps=500_000, seconds=30)
    if limit is None:
        assert evaluate(text, context, limits=limits) is None
        return
    start = perf_counter()

    with pytest.raises(FeelLimitError) as caught:
        evaluate(text, context, limits=limits)

    assert caught.value.limit == limit
    assert f"limit of {limit}" in str(caught.value)
    assert perf_counter() - start < 10


def test_time_ends_what_steps_would_let_run() -> None:
    with pytest.raises(FeelLimitError, match=r"time \(0\.05 s\)"):
        evaluate(LOOP, limits=Limits(steps=10**12, seconds=0.05))


def test_a_context_that_holds_itself_is_too_deep() -> None:
    loop: list[Any] = []
    loop.append(loop)

    with pytest.raises(FeelLimitError) as caught:
        evaluate("loop", {"loop": loop})

    assert (caught.value.limit, caught.value.allowed) == ("depth", DEFAULT_LIMITS.depth)


def test_a_result_counts_whole() -> None:
    limits = Limits(size=1000)

    assert len(evaluate("for i in 1..1000 return 1", limits=limits)) == 1000
    with pytest.raises(FeelLimitError):
        evaluate("for i in 1..400 return [1, 2]", limits=limits)


def test_json_of_what_is_too_deep() -> None:
    value: Any = 1
    for _ in range(300):
        value = [value]

    with pytest.raises(FeelLimitError):
        to_json(value)


@pytest.mark.parametrize(
    "text",
    [
        "10 ** 100000000",
        "1.0000001 ** 1e30",
        "exp(1e300)",
        "modulo(1e6000, 3)",
        "round up(1e-6000, 6176)",
        "product(for i in 1..10000 return i * 1e300)",
        'number(string join(for i in 1..100000 return "9"))',
        'from json(string join(for i in 1..100000 return "["))',
        '@"999999999-01-01" + @"P999999999999Y"',
    ],
)
def test_large_numbers_take_no_time(text: str) -> None:
    start = perf_counter()
    evaluate(text)

    assert perf_counter() - start < 2


def test_ordinary_expressions_are_far_from_the_limits() -> None:
    mail = {"body": "word " * 10_000, "attachments": [{"size": n} for n in range(200)]}
    limits = Limits(steps=DEFAULT_LIMITS.steps // 20)

    assert evaluate('count(split(body, " "))', mail, limits=limits) == 10_001
    assert evaluate("sum(attachments[size > 100].size)", mail, limits=limits) == 14_850


def test_one_expression_serves_many_threads_at_once() -> None:
    expression = compile_expression("count(for i in 1..n return i[item > 0])")
    found: dict[int, Any] = {}

    def work(size: int) -> None:
        found[size] = expression.evaluate({"n": size})

    threads = [threading.Thread(target=work, args=(size,)) for size in range(50, 70)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {size: size for size in range(50, 70)}


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        # Each turn keeps a copy that is larger than a turn is worth.
        (
            "for i in 1..200000 return context put(get or else(partial[-1], {}), string(i), i)",
            "steps",
        ),
        (
            'for i in 1..999 return context put(get or else(partial[-1], {}), ["a", string(i)], i)',
            "steps",
        ),
        (f"for i in 1..200000 return [{'0,' * 5000}0]", "steps"),
        (f"for i in 1..200000 return {{{','.join(f'a{n}:0' for n in range(3000))}}}", "steps"),
        (f"for i in 1..200000 return function() [{'x in 1,' * 4000}0]", "steps"),
        ("context merge(for i in 1..5000 return entries)", "steps"),
        # A short number may have thousands of digits once it is written.
        ("for i in 1..1000 return 1e6144", "size"),
        ("string(for i in 1..1000 return 1e-6100)", "size"),
        ("to json({a: for i in 1..1000 return 1e6144})", "size"),
    ],
)
def test_steps_and_size_bound_memory(text: str, limit: str) -> None:
    context = {"entries": {str(n): n for n in range(5000)}}

    with pytest.raises(FeelLimitError) as caught:
        evaluate(text, context, limits=Limits(seconds=30))

    assert caught.value.limit == limit


@pytest.mark.parametrize("function", ["distinct values", "duplicate values", "union", "mode"])
def test_numbers_chosen_to_share_a_hash_take_no_time(function: str) -> None:
    # Python hashes numbers modulo this prime, which is no secret.
    numbers = ",".join(str((2**61 - 1) * n) for n in range(1, 15_001))
    start = perf_counter()

    found = evaluate(f"count({function}(from json(text)))", {"text": f"[{numbers}]"})

    assert found == (0 if function == "duplicate values" else 15_000)
    assert perf_counter() - start < 2


@pytest.mark.parametrize(
    "pattern",
    [
        "(?:(?:(?:(?:){1000}){1000}){1000}){1000}",
        "(?:(?=(?:(?=a)){900})){900}",
        "(?:(?=(?:a{100}){90})){1000}",
    ],
)
def test_patterns_that_multiply_take_no_time(pattern: str) -> None:
    start = perf_counter()
    evaluate("matches(text, pattern)", {"text": "a", "pattern": pattern})

    assert perf_counter() - start < 1


def test_what_a_pattern_remembers_is_charged() -> None:
    context = {"text": "a" * 1_000_000, "pattern": "(?=b[ab]*c|)" * 300}

    with pytest.raises(FeelLimitError) as caught:
        evaluate("matches(text, pattern)", context)

    assert caught.value.limit == "steps"


def test_a_long_text_is_no_range() -> None:
    entries = ",".join(f"a b{n}:a b{n}" for n in range(3000))
    start = perf_counter()

    assert evaluate("range(text)", {"text": f"{{{entries}}}"}) is None
    assert perf_counter() - start < 1


@pytest.mark.parametrize(
    "text",
    [
        "remove([1], 1e6000)",
        "sublist([1], -1e6000)",
        "insert before([1], 1e6000, 2)",
        "list replace([1], 1e6000, 2)",
    ],
)
def test_a_position_far_outside_is_null(text: str) -> None:
    assert evaluate(text) is None


def test_patterns_that_are_kept_are_small() -> None:
    texts = [f"(?:a{{1000}}){{9}}{n}" for n in range(10)]
    tracemalloc.start()
    for text in texts:
        evaluate("matches(text, text)", {"text": text})
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 4_000_000
