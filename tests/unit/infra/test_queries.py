"""Every query of alerts, workbook and pages, as Microsoft's own parser of Kusto reads it."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from localdev.azurite import find_node
from tests.unit.infra.test_alerts import ROOT, queries

SCRIPT = Path(__file__).with_name("kusto.js")
KUSTO = re.compile(r"```kusto\n(.*?)```", re.DOTALL)

COMMON = (
    "TimeGenerated:datetime, OperationId:string, AppRoleName:string, AppRoleInstance:string,"
    " ItemCount:int, Properties:dynamic"
)
DONE = (
    f"({COMMON}, Name:string, Success:bool, ResultCode:string, DurationMs:real, Properties:dynamic)"
)
TABLES = {
    "AppTraces": f"({COMMON}, Message:string, OperationName:string)",
    "AppRequests": DONE,
    "AppDependencies": DONE,
    "AppMetrics": f"({COMMON}, Name:string, Sum:real, Min:real, Max:real)",
}
"""Columns of a workspace's tables that queries may use; see Azure Monitor's table reference."""

PARAMETERS = "let app = 'app';\nlet age = 30m;\n"
"""What the template puts before each query of an alert."""


def documented() -> dict[str, str]:
    """Queries that pages show."""
    pages = sorted((ROOT / "docs").glob("*.md"))
    return {
        f"{page.name} {number}": query
        for page in pages
        for number, query in enumerate(
            re.findall(r"```kusto\n(.*?)```", page.read_text(), re.DOTALL)
        )
    }


def problems(texts: Sequence[str]) -> list[list[str]]:
    """What is wrong with each."""
    ended = subprocess.run(  # noqa: S603 - the project's own script
        [find_node(), str(SCRIPT)],
        input=json.dumps({"tables": TABLES, "queries": texts}),
        env={"NODE_PATH": str(ROOT / "node_modules")},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: list[list[str]] = json.loads(ended.stdout)
    return found


def test_every_query_is_one_and_names_columns_that_exist() -> None:
    """The platform does not check a query before there are logs."""
    texts = {name: PARAMETERS + query for name, query in (queries() | documented()).items()}
    found = dict(zip(texts, problems(list(texts.values())), strict=True))

    assert len(found) > 25
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_a_query_that_is_wrong_is_found() -> None:
    """Else the check above could not fail."""
    wrong = [
        "AppTraces | where Massage == ''",
        "AppTraces | extend last = 1 | where last",
        "AppTrace | take 1",
        "AppTraces | summarize by",
    ]

    assert all(problems(wrong))
