"""What the pages say of the infrastructure is so."""

import re
from collections import Counter

import pytest

from infra.draw import PAGE, page
from infra.estimate import (
    LOG_ALERTS,
    METRIC_ALERTS,
    PRICES,
    PRIVATE_ENDPOINTS,
    QUEUES,
    Assumptions,
    estimate,
    table,
)
from infra.template import INFRA, MAIN, read
from localdev.functions_host.functions import load_app, read_functions
from localdev.package.build import UNPACKED
from localdev.package.sbom import APP

DOCS = INFRA.parent / "docs"
DEPLOY = (DOCS / "deploy.md").read_text()
OPERATIONS = (DOCS / "operations.md").read_text()
SECURITY = (DOCS / "security.md").read_text()


def test_the_drawing_is_up_to_date() -> None:
    """If not: ``python -m infra.draw``."""
    assert PAGE.read_text() == page()


def test_the_drawing_names_every_function_of_the_app() -> None:
    """As the platform's index has them."""
    [section] = re.findall(r"^## Functions of the app\n(.*?)^## ", page(), re.DOTALL | re.MULTILINE)
    named = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)

    assert named == [one.name for one in read_functions(load_app(INFRA.parent), {})]


def test_the_cost_on_the_page_is_what_the_estimate_says() -> None:
    """For 1,000 mailboxes, with the assumptions that are the defaults."""
    assert table(estimate(Assumptions())) in OPERATIONS


def test_the_estimate_counts_what_the_templates_make() -> None:
    """Alerts and private endpoints have prices of their own; each queue is looked at all day."""
    functions = read_functions(load_app(INFRA.parent), {})
    alerts = read(INFRA / "modules" / "alerts.bicep").variables
    network = read(INFRA / "modules" / "network.bicep").variables

    assert Counter(one["every"] for one in alerts["searches"]) == LOG_ALERTS
    assert len(alerts["metrics"]) == METRIC_ALERTS
    assert len(network["endpoints"]) == PRIVATE_ENDPOINTS
    assert sum(one.kind == "queueTrigger" for one in functions) == QUEUES
    assert read(MAIN).parameters["instanceMemoryMB"].default == Assumptions().memory


CHANGES = {
    "instances of 512 MB": Assumptions(memory=512),
    "polling once a minute, timer every 30 s (`POLL_SCHEDULE`)": Assumptions(interval=60, tick=30),
    "100 mailboxes, 50 mails a day each, 512 MB": Assumptions(
        mailboxes=100, mails=50, memory=512, failing=1
    ),
    "100 mailboxes of 1,000 that cannot be polled": Assumptions(failing=100),
    "the private network, with its public address": Assumptions(private=True),
}


@pytest.mark.parametrize(("change", "assumptions"), CHANGES.items(), ids=list(CHANGES))
def test_what_changes_the_bill_is_on_the_page(change: str, assumptions: Assumptions) -> None:
    """With the sum that the estimate comes to."""
    dollars = sum(one.dollars for one in estimate(assumptions))

    assert f"| {change} | ${dollars:,.2f} |" in OPERATIONS


@pytest.mark.parametrize(
    ("dearer", "what"),
    [
        (Assumptions(mailboxes=2000), "table operations, 10,000"),
        (Assumptions(mails=200), "queue operations, 10,000"),
        (Assumptions(memory=4096), "execution, GB-second"),
        (Assumptions(private=True), "NAT gateway, hour"),
        (Assumptions(failing=20), "further series of such an alert"),
    ],
)
def test_more_costs_more(dearer: Assumptions, what: str) -> None:
    """Where one would look for it."""

    def of(assumptions: Assumptions) -> float:
        return sum(one.dollars for one in estimate(assumptions) if one.what == what)

    assert of(dearer) > of(Assumptions())
    assert all(one.dollars >= 0 for one in estimate(dearer))


def test_a_small_connector_stays_within_the_free_executions() -> None:
    """Ten mailboxes pay for little but alerts."""
    bill = {
        one.what: one.dollars for one in estimate(Assumptions(mailboxes=10, mails=20, memory=512))
    }

    assert bill["executions, million"] < 0.1
    assert set(bill) <= set(PRICES)


def test_the_pages_name_parameters_and_outputs_that_exist() -> None:
    """In commands as well."""
    main = read(MAIN)
    named = set(re.findall(r"\b(?:CONNECTOR|AZURE)_[A-Z_]+\b", DEPLOY + OPERATIONS + SECURITY))
    environment = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text()))
    given = set(re.findall(r"--parameters ([^\n`]*)", DEPLOY))
    parameters = {one for line in given for one in re.findall(r"\b(\w+)=", line)}

    others = {"AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_AUTHORITY_HOST"}
    assert named <= {*main.outputs, *environment, *others}
    assert parameters <= set(main.parameters)


def test_every_way_that_is_shown_deploys_what_was_built() -> None:
    """Tools have Azure install Python's libraries anew, without hashes, unless told not to."""
    commands = [
        *re.findall(r"^```sh\n(.*?)^```", DEPLOY, re.DOTALL | re.MULTILINE),
        *re.findall(r"^\| .+ \| `(.+)`", DEPLOY, re.MULTILINE),
    ]
    published = [one for one in commands if "func azure functionapp publish" in one]

    assert [one for one in commands if "config-zip" in one or "--build remote" in one] == []
    assert published
    assert all(f"cd .local/package/{UNPACKED} " in one and "--no-build" in one for one in published)
    assert all("RemoteBuild=false" in one for one in commands if "host/api/publish" in one)
    assert any(f".local/package/{APP}.zip" in one for one in commands)


def test_what_only_azure_can_prove_has_a_command_that_proves_it() -> None:
    """Each row of the list ends in one."""
    [section] = re.findall(r"^## What only Azure can prove\n(.*)", DEPLOY, re.DOTALL | re.MULTILINE)
    rows = re.findall(r"^\| (?!what|---)(.+) \|$", section, re.MULTILINE)

    assert len(rows) > 10
    assert [row for row in rows if "`" not in row.rpartition(" | ")[2]] == []
