"""The expression language's speed and memory beside their budgets: `python3 -m benchmarks.feel`."""

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from shared.feel import Expression, compile_expression
from shared.feel.builtins import NAMES
from shared.feel.syntax.parser import parse_expression

CONDITION = 'contains(subject, "Invoice") and sender.address = "a@b.c" and count(attachments) > 0'
MAPPING = (
    '{order: extract(subject, "[0-9]+")[1], from: lower case(sender.address), '
    "files: for a in attachments[size > 1000] return a.name}"
)
MAIL: dict[str, Any] = {
    "subject": "Invoice 4711 of February",
    "body": "Dear all,\n" + "please find the invoice attached. " * 60,
    "sender": {"name": "Ann", "address": "a@b.c"},
    "receivedDateTime": "2026-02-27T09:30:00Z",
    "attachments": [
        {"name": "invoice.pdf", "contentType": "application/pdf", "size": 20480, "isInline": False},
        {"name": "logo.png", "contentType": "image/png", "size": 900, "isInline": True},
    ],
    "headers": {f"X-Header-{number}": "value" for number in range(30)},
}
IMPORT = "from time import perf_counter as t; s = t(); import shared.feel; print((t() - s) * 1000)"
ROUNDS = 7


def main() -> int:
    """Print a table of figures and budgets; return 1 where a budget is passed."""
    rows = [
        ("import, in ms", import_time(), 60.0),
        ("compile a typical condition, in ms", compile_time(CONDITION), 2.0),
        ("a call of the condition, compiled, in µs", call_time(CONDITION), 30.0),
        ("the same over value.…, in µs", call_time(_prefixed(CONDITION)), 30.0),
        ("a call of a mapping with a pattern and a loop, in µs", call_time(MAPPING), None),
        ("a kept expression found again, in µs", lookup_time(), None),
        ("1,000 more expressions after 4,000, in KiB", memory_growth(), 256.0),
    ]
    print(f"{'FEEL':<54}{'measured':>10}{'budget':>10}")
    for name, figure, budget in rows:
        allowed = "" if budget is None else f"{budget:10.0f}"
        verdict = "" if budget is None or figure <= budget else "  over budget"
        print(f"{name:<54}{figure:>10.2f}{allowed}{verdict}")
    return int(any(budget is not None and figure > budget for _, figure, budget in rows))


def _prefixed(text: str) -> str:
    for name in ("subject", "sender", "attachments"):
        text = text.replace(name, f"value.{name}")
    return text


def timed(action: Callable[[], object], repeats: int) -> float:
    """Return the seconds that an action takes: the median of several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        start = perf_counter()
        for _ in range(repeats):
            action()
        rounds.append((perf_counter() - start) / repeats)
    return median(rounds)


def import_time() -> float:
    """Return the milliseconds of an import in a new interpreter, with bytecode as deployed."""
    command = [sys.executable, "-c", IMPORT]
    with TemporaryDirectory() as cache:
        environment = os.environ | {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        runs = [
            subprocess.run(  # noqa: S603 - this interpreter, and a text of ours
                command,
                cwd=Path(__file__).parents[1],
                env=environment,
                capture_output=True,
                check=True,
                text=True,
            ).stdout
            for _ in range(ROUNDS + 1)
        ]
    # The first one wrote the bytecode.
    return median(map(float, runs[1:]))


def compile_time(text: str) -> float:
    """Return the milliseconds from text to closures, nothing kept from before."""
    return timed(lambda: Expression(text, parse_expression(text, NAMES)), 100) * 1e3


def call_time(text: str) -> float:
    """Return the microseconds of one evaluation of a compiled expression."""
    expression = compile_expression(text)
    context = MAIL | {"value": MAIL}
    return timed(lambda: expression.evaluate(context), 2000) * 1e6


def lookup_time() -> float:
    """Return the microseconds to come by an expression that is kept."""
    return timed(lambda: compile_expression(CONDITION), 2000) * 1e6


def memory_growth() -> float:
    """Return the KiB that 1,000 new expressions add once the cache is full."""
    tracemalloc.start()
    for number in range(4000):
        compile_expression(f"{CONDITION} and {number} > 0").evaluate(MAIL)
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(4000, 5000):
        compile_expression(f"{CONDITION} and {number} > 0").evaluate(MAIL)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / 1024


if __name__ == "__main__":
    sys.exit(main())
