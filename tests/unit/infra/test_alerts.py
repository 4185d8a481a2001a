"""Alerts and the workbook ask for what the app really logs, and somebody knows what to do."""

import ast
import functools
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from infra.template import INFRA, read
from localdev.functions_host.functions import load_app, read_functions

ROOT = INFRA.parent
ALERTS = read(INFRA / "modules" / "alerts.bicep")
PAGE = (ROOT / "docs" / "operations.md").read_text()

# https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/metrics-index
METRICS = {
    ("Microsoft.Storage/storageAccounts", "Availability"),
    ("Microsoft.Storage/storageAccounts/queueServices", "QueueMessageCount"),
    ("Microsoft.KeyVault/vaults", "Availability"),
}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


@functools.cache
def logged() -> dict[str, set[str]]:
    """Every event that the code logs, and its fields."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in [*(ROOT / "shared").rglob("*.py"), ROOT / "function_app.py"]:
        for call in _calls(path):
            if _level(call) in LEVELS and call.args and isinstance(call.args[0], ast.Constant):
                event = str(call.args[0].value)
                found[event] |= {one.arg for one in call.keywords if one.arg}
    return dict(found)


@functools.cache
def context() -> set[str]:
    """The fields that a run binds to all its lines."""
    calls = [call for path in (ROOT / "shared").rglob("*.py") for call in _calls(path)]
    return {
        one.arg
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "bound"
        for one in call.keywords
        if one.arg
    }


def _calls(path: Path) -> list[ast.Call]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return [one for one in nodes if isinstance(one, ast.Call)]


def _level(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


@functools.cache
def functions() -> set[str]:
    """The app's index."""
    return {one.name for one in read_functions(load_app(ROOT), {})}


def queries() -> dict[str, str]:
    """Every query, of alerts and of the workbook, with what stands before it."""
    prelude = ALERTS.variables["prelude"]
    found = {one["name"]: prelude + one["query"] for one in ALERTS.variables["searches"]}
    items = json.loads((INFRA / "workbook.json").read_text())["items"]
    tiles = [one for one in items if "query" in one["content"]]
    return found | {f"workbook: {one['name']}": one["content"]["query"] for one in tiles}


def events_in(query: str) -> set[str]:
    """The events that a query compares with."""
    lists = re.findall(r'event in \(([^)]*)\)|event == ("[^"]+")', query)
    return {name for pair in lists for name in re.findall(r'"([^"]+)"', "".join(pair))}


@pytest.mark.parametrize("name", queries())
def test_a_query_names_events_that_are_logged(name: str) -> None:
    """A renamed event would silence an alert without a trace."""
    query = queries()[name]

    assert events_in(query) - logged().keys() == set()
    assert "lines\n|" not in query.partition(";")[2] or events_in(query)


@pytest.mark.parametrize("name", queries())
def test_a_query_reads_fields_that_its_events_have(name: str) -> None:
    """Those of the call, or of the run's context."""
    query = queries()[name]
    _, _, own = query.partition("tostring(line.reason);")
    events = events_in(query)

    known = set().union(*(logged()[event] for event in events), context(), {"event"})
    assert set(re.findall(r"\bline\.(\w+)", own)) - known == set()
    if re.search(r"\breason\b", own):
        assert all("reason" in logged()[event] for event in events)
    if re.search(r"\bsource\b", own) and "sources" not in own:
        assert "source" in known


@pytest.mark.parametrize("name", queries())
def test_a_query_names_functions_that_exist(name: str) -> None:
    """As the platform calls them in its own lines."""
    query = queries()[name]
    named = set(re.findall(r'Name [!=]= "(\w+)"', query))
    endings = set(re.findall(r'Name endswith "(\w+)"', query))

    assert named <= functions()
    assert all(any(one.endswith(end) for one in functions()) for end in endings)


@pytest.mark.parametrize("name", queries())
def test_a_query_is_well_formed(name: str) -> None:
    """As far as that shows without Kusto: quotes and brackets close, and it is about this app."""
    query = queries()[name]
    bare = re.sub(r'"[^"\n]*"', "", query)

    assert '"' not in bare
    assert bare.count("(") == bare.count(")")
    assert "AppRoleName =~" in query
    assert "${" not in query


def test_what_somebody_must_know_of_has_an_alert() -> None:
    """Every event that is logged as an error, and the failures of polls."""
    alarming = set().union(*(events_in(query) for query in queries().values()))
    errors = {
        str(call.args[0].value)
        for path in (ROOT / "shared").rglob("*.py")
        for call in _calls(path)
        if _level(call) in {"error", "exception", "critical"}
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }

    assert errors | {"poll.failed", "subscription.invalid"} <= alarming


def alerts() -> list[dict[str, Any]]:
    """Of both kinds."""
    return [*ALERTS.variables["searches"], *ALERTS.variables["metrics"]]


@pytest.mark.parametrize("alert", alerts(), ids=lambda one: one["name"])
def test_an_alert_says_what_to_do(alert: dict[str, Any]) -> None:
    """The page has a section of its name; its numbers are those that Azure takes."""
    assert f"\n### {alert['name']}\n" in PAGE
    assert alert["severity"] in range(4)
    assert alert["operator"] in {"GreaterThan", "LessThan"}
    assert alert["every"] in {"PT5M", "PT15M", "PT30M", "PT1H"}
    assert alert["window"] in {"PT5M", "PT15M", "PT30M", "PT1H"}


def test_the_page_explains_no_alert_that_is_not_there() -> None:
    """Its sections are the alerts, in any order."""
    [section] = re.findall(r"^## Alerts\n(.*?)^## ", PAGE, re.DOTALL | re.MULTILINE)

    assert set(re.findall(r"^### (\S+)$", section, re.MULTILINE)) == {
        one["name"] for one in alerts()
    }


def test_metrics_exist() -> None:
    """In the namespace that they are asked of."""
    used = {(one["namespace"], one["metric"]) for one in ALERTS.variables["metrics"]}

    assert used == METRICS


def test_alerts_see_every_line_of_the_log() -> None:
    """Unless somebody asked for sampling: one dead letter in many mails must not be left out."""
    app = read(INFRA / "modules" / "functionapp.bicep")
    [excluded] = [
        one["value"].text
        for one in app.variables["ownSettings"]
        if one["name"].endswith("excludedTypes")
    ]
    host = json.loads((ROOT / "host.json").read_text())["logging"]["applicationInsights"]

    assert excluded == "sampleLogs ? 'Request;Exception' : 'Request;Exception;Trace'"
    assert host["samplingSettings"]["excludedTypes"] in excluded
    assert read(INFRA / "main.bicep").parameters["sampleLogs"].default is False


def test_a_mail_may_wait_as_long_as_the_longest_pause_before_somebody_is_told() -> None:
    """Or every mail whose target is away would raise an alarm."""
    from shared.domain.settlement import LONGEST_DELAY  # noqa: PLC0415 - the number is what it is about

    parameter = read(INFRA / "main.bicep").parameters["queueAgeMinutes"]

    assert parameter.decorators["minValue"] > LONGEST_DELAY.total_seconds() / 60
    assert parameter.default >= parameter.decorators["minValue"]
