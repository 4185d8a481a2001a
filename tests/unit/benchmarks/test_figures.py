from io import StringIO

import pytest
from rich.console import Console

from benchmarks.figures import Figure, Verdict, failed, is_good, table, text


def figure(value: float | None, budget: float | None = None, *, binding: bool = False) -> Figure:
    return Figure(what="what", value=value, budget=budget, binding=binding, how="how")


@pytest.mark.parametrize("value", [0.0, 1.049, 1.05])
def test_a_count_up_to_its_budget_holds_it(value: float) -> None:
    """A budget is the most that a figure may be."""
    held = figure(value, 1.05, binding=True)

    assert held.verdict is Verdict.HELD
    assert is_good([held])


@pytest.mark.parametrize("value", [1.051, None])
def test_a_count_that_is_too_high_or_missing_fails_the_run(value: float | None) -> None:
    """Whatever else is well."""
    broken = figure(value, 1.05, binding=True)

    assert broken.verdict is Verdict.BROKEN
    assert not is_good([figure(1, 2, binding=True), broken, figure(1)])


def test_a_time_above_its_budget_is_noted_only() -> None:
    """It may be the machine that is slow."""
    slow, quick, unknown = figure(31, 30), figure(29, 30), figure(None, 30)

    assert [one.verdict for one in (slow, quick, unknown)] == [
        Verdict.ABOVE,
        Verdict.WITHIN,
        Verdict.NONE,
    ]
    assert is_good([slow, quick, unknown])


def test_a_figure_without_a_budget_has_no_verdict() -> None:
    """As those of others, for comparison."""
    assert figure(1000).verdict is Verdict.NONE


def test_a_measurement_that_failed_fails_the_run() -> None:
    """And says why, in the table and in the JSON."""
    broken = failed("drain", "not measured: no storage emulator")

    assert not is_good([broken])
    assert broken.to_json()["how"] == "not measured: no storage emulator"
    assert broken.to_json()["verdict"] == "BROKEN"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0, "0 ms"),
        (1.0134, "1.013 ms"),
        (12.34, "12.3 ms"),
        (1234.5, "1,234 ms"),
    ],
)
def test_figures_have_the_digits_that_they_deserve(value: float | None, shown: str) -> None:
    """Ratios near 1 want three decimals, hundreds none."""
    assert text(value, "ms") == shown


def test_the_table_shows_each_figure_beside_its_budget() -> None:
    """Measured, budget, verdict and how, in one row."""
    console = Console(file=StringIO(), width=120, record=True)
    row = Figure(what="requests", value=1.1, budget=1.05, binding=True, how="as [red]counted[/red]")

    console.print(table([("requests", row)]))

    line = next(line for line in console.export_text().splitlines() if "1.100" in line)
    assert [cell.strip() for cell in line.strip("│").split("│")] == [
        "requests",
        "1.100",
        "1.050",
        "BROKEN",
        "as [red]counted[/red]",
    ]
