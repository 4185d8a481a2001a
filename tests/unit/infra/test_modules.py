"""Modules fit together, and ask for resource types that exist."""

import json
import re

import pytest

from infra.template import CONNECTOR, INFRA, MAIN, Module, Template, read, templates

# From Azure's own types, Azure/bicep-types-az, generated/*/…/types.json, and Microsoft Graph's,
# microsoftgraph/msgraph-bicep-types, generated/…/v1.0/1.0.0. There each property that the templates
# set was looked up as well.
API_VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Graph/appRoleAssignedTo": "v1.0",
    "Microsoft.Graph/applications": "v1.0",
    "Microsoft.Graph/applications/federatedIdentityCredentials": "v1.0",
    "Microsoft.Graph/servicePrincipals": "v1.0",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/metricAlerts": "2018-03-01",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/workbooks": "2023-06-01",
    "Microsoft.KeyVault/vaults": "2023-07-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2023-01-31",
    "Microsoft.Network/natGateways": "2024-05-01",
    "Microsoft.Network/privateDnsZones": "2020-06-01",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "2020-06-01",
    "Microsoft.Network/privateEndpoints": "2024-05-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "2024-05-01",
    "Microsoft.Network/publicIPAddresses": "2024-05-01",
    "Microsoft.Network/virtualNetworks": "2024-05-01",
    "Microsoft.OperationalInsights/workspaces": "2023-09-01",
    "Microsoft.Resources/resourceGroups": "2024-03-01",
    "Microsoft.Storage/storageAccounts": "2023-05-01",
    "Microsoft.Storage/storageAccounts/blobServices": "2023-05-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "2023-05-01",
    "Microsoft.Storage/storageAccounts/queueServices": "2023-05-01",
    "Microsoft.Storage/storageAccounts/tableServices": "2023-05-01",
    "Microsoft.Web/serverfarms": "2024-04-01",
    "Microsoft.Web/sites": "2024-04-01",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "2024-04-01",
}

CALLS = [
    pytest.param(template, module, id=f"{template.path.stem}-{module.symbol}")
    for template in templates()
    for module in template.modules.values()
]
ONLY_IN_MAIN = {"resourceGroupName"}


def test_resource_types_and_their_versions_exist() -> None:
    """Each is in the table above, and the table has no other."""
    used = {
        one.type: one.api_version for template in templates() for one in template.resources.values()
    }

    assert used == API_VERSIONS


@pytest.mark.parametrize(("caller", "module"), CALLS)
def test_a_module_gets_what_it_declares(caller: Template, module: Module) -> None:
    """All that it needs, and nothing that it does not know."""
    declared = read(module.path).parameters
    needed = {one.name for one in declared.values() if one.default is None}

    assert set(module.parameters) <= set(declared)
    assert needed <= set(module.parameters)
    if caller.path == MAIN:
        assert set(module.parameters) == set(declared)


@pytest.mark.parametrize("template", templates(), ids=lambda one: one.path.stem)
def test_everything_that_is_declared_is_used(template: Template) -> None:
    """A parameter or variable that nothing reads is a mistake."""
    text = template.path.read_text()

    unused = [
        name
        for name in (*template.parameters, *template.variables)
        if len(re.findall(rf"\b{name}\b", text)) < 2
    ]
    assert unused == []


@pytest.mark.parametrize(("caller", "module"), CALLS)
def test_outputs_that_are_read_exist(caller: Template, module: Module) -> None:
    """A caller asks a module for nothing that it does not give."""
    text = caller.path.read_text()

    asked = set(re.findall(rf"\b{module.symbol}!?\.outputs\.(\w+)", text))
    assert asked <= set(read(module.path).outputs)


def test_every_module_file_is_used() -> None:
    """None lies about."""
    used = {module.path for template in templates() for module in template.modules.values()}

    assert used == {*INFRA.glob("modules/*.bicep"), CONNECTOR}


def test_both_ways_in_take_the_same_parameters() -> None:
    """Who deploys into a resource group has the same choices as who lets it be made."""
    main, connector = read(MAIN).parameters, read(CONNECTOR).parameters

    assert set(main) - set(connector) == ONLY_IN_MAIN
    assert set(connector) <= set(main)
    for name, one in connector.items():
        if name != "location":
            assert main[name] == one


@pytest.mark.parametrize(
    ("variable", "condition"),
    [
        ("existingClientId", "registration == 'existing' && empty(mailClientId)"),
        ("tenantOfMail", "registration != 'existing' && mailTenantId != tenant().tenantId"),
    ],
)
def test_a_choice_that_would_silently_come_to_nothing_fails(variable: str, condition: str) -> None:
    """With a message that says what to give; Bicep has `fail` since 0.33."""
    connector = read(CONNECTOR)
    text = connector.variables[variable].text

    assert text.startswith(f"{condition} ? fail('")
    assert variable in str(connector.modules["app"].parameters)


def test_delegated_accounts_without_an_app_to_sign_in_to_fail() -> None:
    """With registration none there is one only if the settings name it."""
    variables = read(CONNECTOR).variables

    assert variables["hasAccountApp"].text == (
        "registration != 'none' || !empty(settings.?ACCOUNT_CLIENT_ID)"
    )
    assert "(hasAccountApp ? " in variables["redirectUri"].text
    assert ": fail('delegatedAccounts=true" in variables["redirectUri"].text


@pytest.mark.parametrize("template", templates(), ids=lambda one: one.path.stem)
def test_every_parameter_says_what_it_means(template: Template) -> None:
    """In a sentence that ends."""
    parameters = template.parameters.values()

    mute = [
        one.name
        for one in parameters
        if not str(one.decorators.get("description", "")).endswith((".", "%"))
    ]
    assert mute == []


def test_the_parameters_file_gives_what_is_required_and_nothing_unknown() -> None:
    """With values that the template allows."""
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    declared = read(MAIN).parameters

    assert {one.name for one in declared.values() if one.default is None} <= set(given)
    assert set(given) <= set(declared)
    for name, one in given.items():
        if default := re.fullmatch(r"\$\{\w+=(.+)\}", str(one["value"])):
            assert default[1] in declared[name].decorators["allowed"]


def test_azd_finds_what_it_deploys_to() -> None:
    """By tags of the group and of the app, and by the outputs that it keeps in its environment."""
    main = read(MAIN)
    app = read(INFRA / "modules" / "functionapp.bicep").resources["app"]
    azure = (INFRA.parent / "azure.yaml").read_text()

    assert main.parameters["tags"].default["azd-env-name"].text == "environmentName"
    assert "'azd-service-name': 'connector'" in app.body["tags"].text
    assert re.search(r"^services:\n  connector:\n", azure, re.MULTILINE)
    assert {"AZURE_LOCATION", "AZURE_TENANT_ID", "AZURE_RESOURCE_GROUP"} <= set(main.outputs)
    assert all(name.isupper() for name in main.outputs)


def test_names_fit_what_azure_takes() -> None:
    """The longest that can come of the parameters, with the 13 characters of uniqueString."""
    token = "x" * 13
    names = {"st": 24, "kv-": 24, "func-" + "e" * 30 + "-": 60, "vnet-": 64, "log-": 63}
    variables = read(CONNECTOR).variables

    assert {prefix for prefix, most in names.items() if len(prefix + token) > most} == set()
    assert variables["appName"].text == "'func-${shortName}-${token}'"
    assert variables["shortName"].text.endswith(", 30)")


def test_a_name_that_azd_takes_makes_a_host_name() -> None:
    """azd: 64 characters of a-z A-Z 0-9 - ( ) . _; a host name has letters, digits and hyphens."""
    name = read(MAIN).parameters["environmentName"].decorators
    replaced = re.findall(r"'(.)', '-'", read(CONNECTOR).variables["shortName"].text)

    assert (name["minLength"], name["maxLength"]) == (1, 64)
    assert set(replaced) == set("()._")
