"""Alerts and the workbook ask for what the app really logs, and somebody knows what to do."""

import ast
import functools
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from infra.template import INFRA, Expression, read
from localdev.functions_host.functions import load_app, read_functions
from shared.settings import SCHEDULES

ROOT = INFRA.parent
ALERTS = read(INFRA / "modules" / "alerts.bicep")
MAIN_PARAMETERS = read(INFRA / "main.bicep").parameters
PAGE = (ROOT / "docs" / "operations.md").read_text()

# https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/metrics-index
METRICS = {
    ("Microsoft.Storage/storageAccounts", "Availability"),
    ("Microsoft.Storage/storageAccounts/queueServices", "QueueMessageCount"),
    ("Microsoft.KeyVault/vaults", "Availability"),
}
RESERVED = re.compile(
    r"\b(and|as|asc|between|by|contains|date|desc|find|first|has|in|invoke|kind|last|latest|of|or"
    r"|print|project|sample|search|set|time|title|to|toscalar|union|where) = "
)
"""Words that Kusto takes for its own: as names of columns they are errors, found by its parser."""

MINUTES = {"PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60, "PT2H": 120, "PT6H": 360, "P1D": 1440}
"""Durations that Azure takes, of those that it does."""

EVENTS = {"dead-letters", "poison-queue", "sends-failed", "api-failures", "invalid-rows"}
"""What happens once. All else lasts, and ends."""

LATEST_LINE = 10
"""Minutes after which a line of the log has arrived, mostly."""

SEARCHES = ALERTS.variables["searches"]
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
def test_a_query_names_no_column_as_the_language_names_its_own(name: str) -> None:
    """Such a rule is deployed, and never fires: queries are not validated before there are logs."""
    bare = re.sub(r'"[^"\n]*"', "", queries()[name])

    assert RESERVED.findall(bare) == []


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
    assert alert["every"] in MINUTES
    assert set(windows(alert)) <= set(MINUTES)


def windows(alert: dict[str, Any]) -> list[str]:
    """The windows that an alert may have: one, or those of a parameter."""
    if alert["window"] == _expression("timerStoppedAfter", {"timerStoppedAfter"}):
        allowed: list[str] = MAIN_PARAMETERS["timerStoppedAfter"].decorators["allowed"]
        return allowed
    return [alert["window"]]


def _expression(text: str, names: set[str]) -> Expression:
    return Expression(text, frozenset(names))


@pytest.mark.parametrize("alert", SEARCHES, ids=lambda one: one["name"])
def test_what_happens_once_is_not_hidden_by_what_happened_before(alert: dict[str, Any]) -> None:
    """After a message there is silence; what came in it is still in the window at its end."""
    is_event = alert["name"] in EVENTS

    assert bool(alert["remind"]) == is_event
    if is_event:
        silence = MINUTES[alert["remind"]] + MINUTES[alert["every"]]
        assert MINUTES[alert["window"]] > silence + LATEST_LINE


def test_an_alert_ends_by_itself_or_is_silent_for_a_while() -> None:
    """Azure refuses both: 'Auto mitigation must be disabled when action suppression is set'."""
    rule = ALERTS.resources["searchAlerts"].body["properties"]

    assert rule["autoMitigate"].text == "empty(search.remind)"
    assert rule["muteActionsDuration"].text == "empty(search.remind) ? null : search.remind"


def test_a_state_that_many_can_be_in_is_told_of_each() -> None:
    """Or the first mailbox, account, app or function that fails would hide the next for days."""
    dimensions = {one["name"]: one["dimensions"] for one in SEARCHES if one["dimensions"]}

    assert dimensions == {
        "token-failures": ["registration"],
        "account-sign-ins": ["account"],
        "poll-failures": ["mailbox", "source"],
        "function-failures": ["Name"],
    }
    for name, columns in dimensions.items():
        query = queries()[name]
        assert all(re.search(rf"\b{one} = |by .*\b{one}\b", query) for one in columns)


def test_a_sign_in_that_failed_is_told_by_its_kind() -> None:
    """Not by words of the reason; one person's wakes nobody who can help all."""
    by_name = {one["name"]: one for one in SEARCHES}

    assert "reason has" not in "".join(queries().values())
    for name, severity, whose in (
        ("token-failures", 1, "isempty(account)"),
        ("account-sign-ins", 2, "isnotempty(account)"),
    ):
        assert by_name[name]["severity"] == severity
        assert f'why == "sign-in" and {whose}' in by_name[name]["query"]
    assert 'why != "sign-in" and failures >= 3' in by_name["poll-failures"]["query"]


def test_a_timer_of_which_every_run_fails_is_told_of() -> None:
    """Recovery runs every five minutes: it never has as many failures as a busy queue."""
    alert = next(one for one in SEARCHES if one["name"] == "function-failures")
    window = MINUTES[alert["window"]]

    assert "failures == runs and runs > 2" in alert["query"]
    assert SCHEDULES["RECOVERY_SCHEDULE"] == "0 */5 * * * *"
    assert window / 5 > 2


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
        value.text
        for name, value in app.variables["ownSettings"].items()
        if name.endswith("excludedTypes")
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


@functools.cache
def metrics_of_code() -> tuple[set[str], set[str]]:
    """Every metric that the code has, and the attributes of all of them."""
    calls = _calls(ROOT / "shared" / "telemetry" / "metrics.py")
    made = [one for one in calls if _level(one) in {"create_counter", "create_histogram"}]
    names = {str(one.args[0].value) for one in made if isinstance(one.args[0], ast.Constant)}
    bounded = [one for one in calls if _level(one) == "bounded"]
    return names, {key.arg for one in bounded for key in one.keywords if key.arg}


def test_the_workbook_shows_every_metric_by_the_name_that_the_code_gives_it() -> None:
    """And no other, by attributes that they have."""
    tiles = [query for query in queries().values() if query.startswith("AppMetrics")]
    named = {name for tile in tiles for name in re.findall(r'"(\w+\.\w+)"', tile)}
    attributes = {name for tile in tiles for name in re.findall(r"Properties\.(\w+)", tile)}
    names, known = metrics_of_code()

    assert named == names
    assert attributes == known
