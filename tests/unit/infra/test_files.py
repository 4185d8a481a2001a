"""Workflows, image, compose file, Kubernetes and azd: of the right form, and about this app."""

import importlib.resources
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.template import INFRA, MAIN, read
from localdev.functions_host.functions import load_app, read_functions
from localdev.package.build import UNPACKED
from shared.settings import SCHEDULES, SETTINGS
from shared.telemetry.export import ROLE_NAMES
from tests.unit.infra.test_app_settings import PLATFORM

ROOT = INFRA.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
APP = {"function_app.py", "host.json", "shared"}
MODULES = "shared/**/*.py"


def published(name: str) -> Any:
    """A schema that check-jsonschema carries."""
    folder = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    return json.loads((folder / name).read_text())


def yaml_of(path: Path) -> Any:
    """A file, with GitHub's `on` as a word."""
    return yaml.load(path.read_text(), yaml.BaseLoader)  # noqa: S506 - makes strings only


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_one(path: Path) -> None:
    """By GitHub's published schema."""
    document = yaml.safe_load(path.read_text().replace("\non:\n", '\n"on":\n'))

    jsonschema.validate(document, published("github-workflows.json"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_pinned_actions_few_rights_and_an_end(path: Path) -> None:
    """By commit, with its version beside it; no secret, for it signs in by a token of the run."""
    workflow, text = yaml_of(path), path.read_text()
    jobs = workflow["jobs"].values()
    uses = [step["uses"] for job in jobs for step in job.get("steps", []) if "uses" in step]

    assert [one for one in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one)] == []
    assert len(re.findall(r"uses: \S+@\S+ # v\d+\.\d+\.\d+$", text, re.MULTILINE)) == len(uses)
    assert workflow["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in jobs if "steps" in job)
    assert "secrets." not in text
    assert "pull_request_target" not in text


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_person_types_is_no_code(path: Path) -> None:
    """An expression within a script is text that somebody else wrote."""
    jobs = yaml_of(path)["jobs"].values()
    scripts = [step["run"] for job in jobs for step in job.get("steps", []) if "run" in step]

    assert [one for one in scripts if "${{" in one] == []


@pytest.mark.parametrize("job", ["preview", "deploy"])
def test_the_deployment_gives_azd_what_the_parameters_file_asks_for(job: str) -> None:
    """All of it, with the same answers for what nobody has set; preview and deployment alike."""
    given = yaml_of(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"][job]["env"]
    asked = re.findall(r"\$\{(\w+)=?(\w*)\}", (INFRA / "main.parameters.json").read_text())

    for name, default in asked:
        otherwise = f" || '{default}'" if default else ""
        value = given[name].replace(" || inputs.environment", "")
        assert value == f"${{{{ vars.{name}{otherwise} }}}}"


def test_one_deployment_does_not_cancel_the_checks_of_another() -> None:
    """Only a newer push to a pull request makes a run idle."""
    ci = yaml_of(ROOT / ".github" / "workflows" / "ci.yml")

    assert "github.event_name == 'pull_request' && github.ref" in ci["concurrency"]["group"]
    assert "|| github.run_id" in ci["concurrency"]["group"]


def test_the_compose_file_is_one() -> None:
    """By its published schema."""
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())

    jsonschema.validate(compose, published("compose-spec.json"))


def test_azd_deploys_this_folder_as_a_function_app() -> None:
    """Its schema, Azure/azure-dev schemas/v1.0/azure.yaml.json, asks for no more."""
    azd = yaml.safe_load((ROOT / "azure.yaml").read_text())

    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", azd["name"])
    connector = azd["services"]["connector"]
    assert (connector["project"], connector["language"], connector["host"]) == (
        *(".", "python", "function"),
    )
    assert ROOT / azd["infra"]["path"] / f"{azd['infra']['module']}.bicep" == MAIN


def test_azd_deploys_the_package_and_builds_nothing_in_azure() -> None:
    """By a version that can, here and in the workflow; the package is built anew each time."""
    azd = yaml.safe_load((ROOT / "azure.yaml").read_text())
    connector = azd["services"]["connector"]
    steps = yaml_of(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"]["deploy"]["steps"]
    [version] = [one["with"]["version"] for one in steps if "setup-azd@" in one.get("uses", "")]

    assert azd["requiredVersions"]["azd"] == ">= 1.23.5"
    assert tuple(map(int, version.split("."))) >= (1, 23, 5)
    assert connector["remoteBuild"] is False
    assert connector["dist"] == f".local/package/{UNPACKED}"
    for system in ("posix", "windows"):
        run = connector["hooks"]["prepackage"][system]["run"]
        assert re.fullmatch(r"python3? dev\.py package", run)


def test_the_same_is_deployed_in_every_way() -> None:
    """Into the image and to Azure by name, so that nothing else is that lies in the folder."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = {
        one.removeprefix("./")
        for line in re.findall(r"^COPY (.+) \S+$", dockerfile, re.MULTILINE)
        for one in line.split()
    }
    docker, func = (
        re.findall(r"^!?/?(\S+)$", (ROOT / name).read_text(), re.MULTILINE)
        for name in (".dockerignore", ".funcignore")
    )

    assert copied == APP | {"requirements.lock"}
    assert docker[0] == func[0] == "*"
    # some builders do not look into a folder that is left out, whatever of it is let in again
    inside = {"shared/**/*.*", MODULES, "**/__pycache__"}
    assert set(docker[1:]) == APP | {"requirements.lock"} | inside
    assert {one.strip("/") for one in func[1:]} >= APP | {"requirements.txt", "LICENSE", MODULES}


def test_every_way_runs_the_same_python() -> None:
    """Image, plan and workflows."""
    app = read(INFRA / "modules" / "functionapp.bicep").resources["app"].body["properties"]
    version = app["functionAppConfig"]["runtime"]["version"]
    pythons = {
        step["with"]["python-version"]
        for path in WORKFLOWS
        for job in yaml_of(path)["jobs"].values()
        for step in job.get("steps", [])
        if "setup-python@" in step.get("uses", "")
    }

    assert f"4-python{version}" in (ROOT / "Dockerfile").read_text()
    assert pythons == {version}


def test_containers_share_timers_locks_and_function_keys() -> None:
    """By an id that does not follow from the machine; such a one is a part of a blob's name."""
    [host_id] = re.findall(
        r"AzureFunctionsWebHost__hostid=(\S+)", (ROOT / "Dockerfile").read_text()
    )
    pages = (INFRA / "kubernetes" / "README.md", ROOT / "docs" / "deploy.md")

    assert re.fullmatch(r"[a-z0-9](-?[a-z0-9]){0,31}", host_id)
    assert all(f"{host_id}/host.json" in page.read_text() for page in pages)


def kubernetes(kind: str) -> Any:
    """The one object of a kind."""
    objects = yaml.safe_load_all((INFRA / "kubernetes" / "connector.yaml").read_text())
    [found] = [one for one in objects if one["kind"] == kind]
    return found


def test_pods_are_scaled_by_what_one_of_them_works_on() -> None:
    """The concurrency of host.json, on queues that the app reads; one pod stays for the timers."""
    queues = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]
    scaled = kubernetes("ScaledObject")["spec"]
    lengths = {
        one["metadata"]["queueName"]: int(one["metadata"]["queueLength"])
        for one in scaled["triggers"]
    }
    read_queues = {
        one.trigger["queueName"]
        for one in read_functions(load_app(ROOT), {})
        if one.kind == "queueTrigger"
    }

    assert lengths["emails"] == queues["batchSize"] + queues["newBatchThreshold"]
    assert set(lengths) <= read_queues
    assert scaled["minReplicaCount"] == 1
    assert "cooldownPeriod" not in scaled  # which is for the way to zero


def test_pods_have_settings_that_somebody_reads() -> None:
    """And come to the storage, and to Application Insights, by identity."""
    [container] = kubernetes("Deployment")["spec"]["template"]["spec"]["containers"]
    names = {one["name"] for one in container["env"]}

    storage = {one for one in names if one.startswith("AzureWebJobsStorage__")}
    assert names - storage <= {*SETTINGS, *SCHEDULES, *PLATFORM, ROLE_NAMES[0]}
    assert PLATFORM - {"AZURE_AUTHORITY_HOST"} | {ROLE_NAMES[0]} <= names
    assert {"AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId"} < storage


@pytest.mark.parametrize("path", sorted(INFRA.glob("*.json")), ids=lambda path: path.stem)
def test_json_is_json(path: Path) -> None:
    """With two spaces, so that a change shows as one."""
    text = path.read_text()

    assert json.loads(text)
    assert "\t" not in text


def test_the_workbook_has_a_tile_for_each_query_and_a_range_of_time() -> None:
    """As the portal reads it; names are what a person can refer to, and are so once."""
    workbook = json.loads((INFRA / "workbook.json").read_text())
    names = [one["name"] for one in workbook["items"]]
    tiles = [one["content"] for one in workbook["items"] if one["type"] == 3]

    assert workbook["version"] == "Notebook/1.0"
    assert len(set(names)) == len(names)
    assert all(one["timeContextFromParameter"] == "range" for one in tiles)
    assert all(one["crossComponentResources"] == ["__WORKSPACE__"] for one in tiles)


def test_the_compiler_refuses_what_the_tests_cannot_see() -> None:
    """The Graph extension is pinned; the linter's rules about secrets are errors."""
    config = json.loads((INFRA / "bicepconfig.json").read_text())
    rules = config["analyzers"]["core"]["rules"]

    assert re.search(r":\d+\.\d+\.\d+$", config["extensions"]["microsoftGraphV1"])
    for name in ("outputs-should-not-contain-secrets", "secure-secrets-in-params"):
        assert rules[name] == {"level": "error"}
