"""The filter language: what parses, what it means, and what is refused."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from localdev.graph_simulator import GraphError
from localdev.graph_simulator.odata.predicates import (
    Property,
    Schema,
    compile_predicate,
    requires,
)
from localdev.graph_simulator.odata.syntax import parse_filter


@dataclass
class Item:
    """Something to filter."""

    name: str | None = "Ada"
    size: int = 3
    done: bool = False
    at: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    labels: tuple[str, ...] = ("red", "blue")


SCHEMA: Schema[Item] = Schema(
    "Item",
    {
        "name": Property(str, lambda item: item.name.casefold() if item.name else None),
        "size": Property(int, lambda item: item.size),
        "done": Property(bool, lambda item: item.done),
        "at": Property(datetime, lambda item: item.at),
    },
    {"labels": lambda item: item.labels},
)


def holds(source: str, item: Item) -> bool:
    return compile_predicate(parse_filter(source).root, SCHEMA)(item)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("name eq 'ada'", True),
        ("name ne 'ada'", False),
        ("'ada' eq name", True),
        ("2 lt size", True),
        ("size ge 3 and size le 3", True),
        ("size gt 3 or done", False),
        ("not done", True),
        ("NOT (done eq true)", True),
        ("done eq false AND size eq 3", True),
        ("size eq 1 or size eq 3 and done eq true", False),
        ("(size eq 1 or size eq 3) and done eq false", True),
        ("at ge 2025-01-01", True),
        ("at gt 2025-01-01T00:00:00Z", False),
        ("at lt 2025-01-01T01:00:00+02:00", False),
        ("name eq null", False),
        ("name ne null", True),
        ("contains(name,'D') eq true", True),
        ("contains(name,'D') eq false", False),
        ("labels/any()", True),
        ("labels/any(l:l eq 'Blue')", True),
        ("labels/any(l:l eq 'green' or startswith(l,'gr'))", False),
    ],
)
def test_a_filter_means_what_it_says(source: str, *, expected: bool) -> None:
    """And binds closer than or, not closer than both; text has no case."""
    assert holds(source, Item()) is expected


def test_nothing_compares_with_what_is_missing() -> None:
    """A missing value passes no comparison but the one with null."""
    missing = Item(name=None)

    assert not holds("name eq 'ada'", missing)
    assert not holds("contains(name,'a')", missing)
    assert holds("name eq null", missing)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "name",
        "name eq",
        "name eq 'open",
        "name like 'x'",
        "(name eq 'x'",
        "name eq 'x')",
        "name eq 'x' name eq 'y'",
        "colour eq 'x'",
        "size eq '3'",
        "done gt true",
        "at eq 'yesterday'",
        "at ge 2025-13-01T00:00:00Z",
        "length(name) eq 3",
        "soundslike(name,'x')",
        "contains(size,'x')",
        "colours/any(c:c eq 'x')",
        "labels/any(l:l/name eq 'x')",
        "name/any/x('y')",
        "name eq ;",
        "(" * 200 + "done" + ")" * 200,
        "not " * 200 + "done",
    ],
)
def test_nonsense_is_refused(source: str) -> None:
    """Whatever does not parse or does not fit is a 400 and nothing worse."""
    with pytest.raises(GraphError) as caught:
        holds(source, Item())

    assert caught.value.status == 400


def test_properties_are_known_in_order() -> None:
    """The order in the text is what Graph's rule on `$orderby` is about."""
    parsed = parse_filter("at ge 2025-01-01 and (done or name eq 'x') and labels/any(l:l eq 'y')")

    assert parsed.paths == ("at", "done", "name", "labels")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("done eq false", True),
        ("size eq 1 and done ne true", True),
        ("size eq 1 or done eq false", False),
        ("done eq true", False),
        ("not (done eq false)", False),
    ],
)
def test_what_a_filter_requires_is_seen(source: str, *, expected: bool) -> None:
    """Only what stands in a conjunction is required."""
    assert requires(parse_filter(source).root, "done", value=False) is expected
