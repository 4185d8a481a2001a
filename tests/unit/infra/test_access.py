"""Who gets at what: by role only, over TLS only, and nothing by key."""

import re
from typing import Any

import pytest

from infra.draw import role_and_scope
from infra.template import INFRA, Expression, Output, Resource, Template, read, templates

ROOT = INFRA.parent
MODULES = INFRA / "modules"

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLES = {
    "blobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "blobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "queueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "tableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "vaultSecretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
    "vaultSecretsOfficer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "metricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
}
ASSIGNMENTS = {
    ("appPrincipalId", "blobDataOwner", "storage"),
    ("appPrincipalId", "queueDataContributor", "storage"),
    ("appPrincipalId", "tableDataContributor", "storage"),
    ("appPrincipalId", "vaultSecretsUser", "vault"),
    ("appPrincipalId", "metricsPublisher", "component"),
    ("operatorPrincipalId", "blobDataContributor", "containers[i]"),
    ("operatorPrincipalId", "queueDataContributor", "storage"),
    ("operatorPrincipalId", "tableDataContributor", "storage"),
    ("operatorPrincipalId", "vaultSecretsOfficer", "vault"),
}


def assignments() -> list[Resource]:
    """Every role assignment of every template."""
    return [
        one
        for template in templates()
        for one in template.resources.values()
        if one.type == "Microsoft.Authorization/roleAssignments"
    ]


def test_the_roles_are_those_and_no_others() -> None:
    """Each on one resource; none on a group or subscription, none that manages access."""
    found = {
        (one.body["properties"]["principalId"].text, *role_and_scope(one)) for one in assignments()
    }

    assert found == ASSIGNMENTS
    assert read(MODULES / "roles.bicep").variables["roles"] == ROLES


@pytest.mark.parametrize("assignment", assignments(), ids=lambda one: one.symbol)
def test_an_assignment_is_named_by_what_it_says(assignment: Resource) -> None:
    """So deploying again finds it, and another scope, principal or role is another one."""
    role, scope = role_and_scope(assignment)
    principal = assignment.body["properties"]["principalId"].text

    assert assignment.body["name"].text == f"guid({scope}.id, {principal}, roles.{role})"


def test_an_operator_has_roles_only_where_one_is_named() -> None:
    """Else each assignment would have an empty principal."""
    roles = read(MODULES / "roles.bicep")
    reached = roles.variables["reachedContainers"].text
    operators = [one for one in assignments() if "operatorPrincipalId" in one.names]

    conditions = [
        reached if one.loop == "reachedContainers" else one.condition for one in operators
    ]
    assert len(operators) == 4
    assert all(one.startswith("!empty(operatorPrincipalId)") for one in conditions)


def test_an_operator_comes_to_blobs_only_if_that_is_asked_for() -> None:
    """And then to those with mail: not to the deployed code, nor to the host's keys."""
    roles = read(MODULES / "roles.bicep")

    assert roles.resources["containers"].loop == "mailContainers"
    assert roles.variables["reachedContainers"].text == (
        "!empty(operatorPrincipalId) && operatorMayReachBlobs ? mailContainers : []"
    )
    assert read(INFRA / "main.bicep").parameters["operatorMayReachBlobs"].default is False


def test_the_containers_with_mail_are_those_of_the_connector() -> None:
    """By the names that its code uses; the deployed package lies in another one."""
    code = "".join(path.read_text() for path in (ROOT / "shared/adapters/storage").glob("*.py"))
    named = set(re.findall(r'(?:Container\(\w+, |^CONTAINER = )"(\w+)"', code, re.MULTILINE))
    variables = read(INFRA / "connector.bicep").variables

    assert set(variables["mailContainers"]) == named
    assert variables["deploymentContainer"] not in named
    assert read(MODULES / "storage.bicep").resources["mail"].loop == "mailContainers"


def test_the_storage_has_no_key_and_no_public_blob() -> None:
    """TLS 1.2 at least, HTTPS only, Entra ID only."""
    properties = read(MODULES / "storage.bicep").resources["account"].body["properties"]

    assert properties["allowSharedKeyAccess"] is False
    assert properties["allowBlobPublicAccess"] is False
    assert properties["allowCrossTenantReplication"] is False
    assert properties["defaultToOAuthAuthentication"] is True
    assert properties["minimumTlsVersion"] == "TLS1_2"
    assert properties["supportsHttpsTrafficOnly"] is True


def test_containers_are_private() -> None:
    """All that the templates make."""
    containers = [
        one
        for template in templates()
        for one in template.resources.values()
        if one.type.endswith("/containers") and not one.existing
    ]

    assert [one.body["properties"]["publicAccess"] for one in containers] == ["None", "None"]


def test_the_app_speaks_https_and_is_deployed_by_identity() -> None:
    """No password for FTP or the deployment site, no connection string for the package."""
    resources = read(MODULES / "functionapp.bicep").resources
    app = resources["app"].body["properties"]
    storage = app["functionAppConfig"]["deployment"]["storage"]

    assert app["httpsOnly"] is True
    assert app["siteConfig"]["minTlsVersion"] == "1.2"
    assert app["siteConfig"]["scmMinTlsVersion"] == "1.2"
    assert storage["authentication"]["type"] == "UserAssignedIdentity"
    for name in ("noFtpPassword", "noScmPassword"):
        assert resources[name].body["properties"] == {"allow": False}


def test_the_vault_goes_by_roles_and_keeps_what_is_deleted() -> None:
    """No access policy; purge protection is on unless somebody says otherwise."""
    properties = read(MODULES / "vault.bicep").resources["vault"].body["properties"]
    default = read(INFRA / "main.bicep").parameters["purgeProtection"].default

    assert properties["enableRbacAuthorization"] is True
    assert properties["enableSoftDelete"] is True
    assert properties["enablePurgeProtection"].text == "purgeProtection ? true : null"
    assert default is True


def test_telemetry_is_taken_by_role_only() -> None:
    """Whoever learns the connection string can write nothing."""
    resources = read(MODULES / "monitoring.bicep").resources

    assert resources["component"].body["properties"]["DisableLocalAuth"] is True
    assert resources["workspace"].body["properties"]["features"]["disableLocalAuth"] is True


@pytest.mark.parametrize("template", templates(), ids=lambda one: one.path.stem)
def test_no_template_reads_a_key_or_makes_a_secret(template: Template) -> None:
    """Neither as a call, nor as a resource, nor as a parameter."""
    text = template.path.read_text()

    assert re.findall(r"\blist(Keys|Secrets|AccountSas|ServiceSas)?\s*\(", text) == []
    assert re.findall(r"getSecret\(|newGuid\(|passwordCredentials|keyCredentials", text) == []
    assert [one.type for one in template.resources.values() if "secrets" in one.type.lower()] == []
    assert [one.name for one in template.parameters.values() if "secure" in one.decorators] == []


OUTPUTS = [one for template in templates() for one in template.outputs.values()]


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda one: one.name)
def test_an_output_is_a_name_an_id_or_an_address(output: Output) -> None:
    """Deployments keep their outputs, readable for all who may read the group."""
    text = output.value.text if isinstance(output.value, Expression) else str(output.value)
    allowed = (
        r"(\.(id|name|appId|clientId|principalId|tenantId|vaultUri|ConnectionString)|Endpoints\.\w+"
        r"|defaultHostName}'|location|redirectUri|outputs\.\w+|'')$"
    )

    assert re.search(allowed, text.rstrip(") "))


def test_nothing_is_reached_from_outside_with_the_private_network() -> None:
    """Storage and vault; the network has a door for each service that the app uses."""
    doors = [one["group"] for one in read(MODULES / "network.bicep").variables["endpoints"]]

    assert doors == ["blob", "queue", "table", "vault"]
    for name, symbol in (("storage", "account"), ("vault", "vault")):
        properties = read(MODULES / f"{name}.bicep").resources[symbol].body["properties"]
        assert properties["publicNetworkAccess"].text == "private ? 'Disabled' : 'Enabled'"
        assert properties["networkAcls"] == {
            "bypass": "None",
            "defaultAction": _expression("private ? 'Deny' : 'Allow'", {"private"}),
        }


def _expression(text: str, names: set[str]) -> Any:
    return Expression(text, frozenset(names))
