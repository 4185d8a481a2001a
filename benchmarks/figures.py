"""Figures: what was measured, beside its budget, and what that means for the exit code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rich.markup import escape
from rich.table import Table


class Verdict(Enum):
    """How a figure stands to its budget."""

    HELD = "held"
    BROKEN = "BROKEN"
    WITHIN = "within"
    ABOVE = "above"
    NONE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table. Every budget is an upper limit.

    Args:
        what: what was measured, in words.
        value: the figure; None where it could not be had.
        unit: of the figure and its budget.
        budget: the most it may be; None where there is no budget.
        binding: whether a budget that is exceeded fails the run. That is for counts and ratios:
            a time says as much about the machine and its other work as about the connector.
        how: the definition, or the command.
    """

    what: str
    value: float | None
    how: str
    unit: str = ""
    budget: float | None = None
    binding: bool = False

    @property
    def verdict(self) -> Verdict:
        """How the figure stands to its budget; one that could not be had breaks a binding one."""
        if self.budget is None or (self.value is None and not self.binding):
            return Verdict.NONE
        good = self.value is not None and self.value <= self.budget
        if self.binding:
            return Verdict.HELD if good else Verdict.BROKEN
        return Verdict.WITHIN if good else Verdict.ABOVE

    def to_json(self) -> dict[str, Any]:
        """The figure for `--json`."""
        return {
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "budget": self.budget,
            "binding": self.binding,
            "verdict": self.verdict.value,
            "how": self.how,
        }


def failed(what: str, why: str) -> Figure:
    """The figure of a measurement that came to no end."""
    return Figure(what=what, value=None, how=why, budget=0, binding=True)


def is_good(figures: Iterable[Figure]) -> bool:
    """Whether no binding budget is broken."""
    return all(figure.verdict is not Verdict.BROKEN for figure in figures)


_COLOURS = {Verdict.HELD: "green", Verdict.BROKEN: "bold red", Verdict.ABOVE: "yellow"}


def table(figures: Iterable[tuple[str, Figure]]) -> Table:
    """The figures for a person.

    Args:
        figures: each with the name of its question, whose figures stand together.
    """
    shown = Table(title="What the connector costs", show_lines=False)
    for column in ("what", "measured", "budget", "verdict", "how"):
        shown.add_column(column, justify="right" if column in {"measured", "budget"} else "left")
    last = ""
    for question, figure in figures:
        if last and question != last:
            shown.add_section()
        last = question
        verdict = figure.verdict
        shown.add_row(
            escape(figure.what),
            text(figure.value, figure.unit),
            "" if figure.budget is None else text(figure.budget, figure.unit),
            f"[{_COLOURS[verdict]}]{verdict.value}" if verdict in _COLOURS else verdict.value,
            escape(figure.how),
        )
    return shown


def text(value: float | None, unit: str = "") -> str:
    """A figure with as many digits as it deserves."""
    if value is None:
        return "-"
    if value == int(value):
        number = f"{value:,.0f}"
    else:
        digits = next(d for limit, d in ((10, 3), (100, 1), (float("inf"), 0)) if value < limit)
        number = f"{value:,.{digits}f}"
    return f"{number} {unit}".rstrip()
