"""The DMN Technology Compatibility Kit's FEEL cases, where their file lies beside the checkout."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.feel import convert, diagnose
from shared.feel.temporal.durations import parse_duration
from shared.feel.temporal.parsing import parse_date, parse_date_time, parse_time

CASES = Path(__file__).parents[3] / ".." / "shared" / "feel" / "dmn-tck-cases.json"

READERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "decimal": Decimal,
    "double": Decimal,
    "integer": Decimal,
    "boolean": lambda text: text == "true",
    "date": parse_date,
    "time": parse_time,
    "dateTime": parse_date_time,
    "duration": parse_duration,
}
DECLARED = {
    "string": "string",
    "number": "number",
    "boolean": "boolean",
    "time": "time",
    "dateTime": "date and time",
}


def read(typed: dict[str, Any]) -> Any:
    """Return the value that a typed value of the file means."""
    match typed["type"]:
        case "null":
            return None
        case "list":
            return [read(item) for item in typed["items"]]
        case "context":
            return {name: read(entry) for name, entry in typed["entries"].items()}
        case kind:
            return READERS[kind](typed["value"])


def alike(found: Any, wanted: Any) -> bool:
    """Compare as the kit does: numbers to a relative 1e-8, all else as values."""
    if isinstance(found, Decimal) and isinstance(wanted, Decimal):
        return abs(found - wanted) <= abs(wanted) * Decimal("1e-8")
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(alike, found, wanted))
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(alike(found[k], wanted[k]) for k in wanted)
    return type(found) is type(wanted) and bool(found == wanted)


def answer(case: dict[str, Any]) -> Any:
    """Evaluate a case, and convert the value to the type its decision declares, if it is basic."""
    context = {name: read(typed) for name, typed in case["context"].items()}
    value = diagnose(case["expression"], context).value
    declared = DECLARED.get(case.get("declared_type", ""))
    if declared is None:
        return value
    try:
        return convert(value, declared)
    except ValueError:
        return None


def misses(cases: list[dict[str, Any]]) -> list[str]:
    """Return the names of the cases that are not answered as expected."""
    missed = []
    for case in cases:
        try:
            found = answer(case)
        except Exception as error:  # noqa: BLE001 - a crash is a miss, and is shown as one
            missed.append(f"{case['case']}: {type(error).__name__}")
            continue
        if not alike(found, read(case["expected"])):
            missed.append(case["case"])
    return missed


# The extract holds expressions only. These need what the model around them defines: a type by its
# name, or the types that a decision service declares (docs/decisions/0010-feel.md).
KNOWN_MISSES = {
    "0070-feel-instance-of-test-01/context_013/context_013",
    "0070-feel-instance-of-test-01/context_014/context_014",
    "0070-feel-instance-of-test-01/context_016/context_016",
    "0070-feel-instance-of-test-01/list_013/list_013",
    "0070-feel-instance-of-test-01/list_014/list_014",
    "0070-feel-instance-of-test-01/list_014_a/list_014_a",
    "0070-feel-instance-of-test-01/list_017/list_017",
    "0070-feel-instance-of-test-01/list_018/list_018",
    "0070-feel-instance-of-test-01/list_019/list_019",
    "0070-feel-instance-of-test-01/number_013/number_013",
    "0070-feel-instance-of-test-01/string_013/string_013",
    "0082-feel-coercion-test-01/decisionService_001/decision_ds_001",
    "0082-feel-coercion-test-01/decisionService_002/decision_ds_002",
    "0082-feel-coercion-test-01/decisionService_002_b/decision_ds_002",
    "0082-feel-coercion-test-01/decision_003/decision_003",
    "0082-feel-coercion-test-01/decision_006_a/decision_006_a",
    "0082-feel-coercion-test-01/literal_004/literal_004",
}


@pytest.mark.skipif(not CASES.exists(), reason=f"the kit's cases are not at {CASES}")
def test_the_kit_is_answered_but_for_what_needs_a_model() -> None:
    cases = json.loads(CASES.read_text(encoding="utf-8"))

    missed = misses(cases)

    assert set(missed) == KNOWN_MISSES
    assert len(missed) / len(cases) < 0.01


@pytest.mark.skipif(not CASES.exists(), reason=f"the kit's cases are not at {CASES}")
def test_where_the_kit_expects_an_error_there_is_a_warning() -> None:
    cases = json.loads(CASES.read_text(encoding="utf-8"))

    silent = [
        case["case"]
        for case in cases
        if case.get("error")
        and not case.get("declared_type")
        and not diagnose(
            case["expression"], {name: read(typed) for name, typed in case["context"].items()}
        ).warnings
    ]

    assert set(silent) <= KNOWN_MISSES
