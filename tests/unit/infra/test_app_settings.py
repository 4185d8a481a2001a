"""App settings in the template, the code, the example and the page.

The rule: the template writes what only the deployment knows, references to secrets in the vault,
and what the parameter `settings` names. All other settings keep the defaults that the code has.
"""

import json
import re
from typing import Any

import pytest

from infra.template import CONNECTOR, INFRA, MAIN, read
from shared.settings import SCHEDULES, SECRET_PREFIX, SETTINGS, Settings

ROOT = INFRA.parent
APP = read(INFRA / "modules" / "functionapp.bicep")

STORAGE = "AzureWebJobsStorage__"
PLATFORM = {
    # https://learn.microsoft.com/azure/azure-functions/functions-app-settings
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "AzureFunctionsJobHost__logging__applicationInsights__samplingSettings__excludedTypes",
    # https://learn.microsoft.com/python/api/overview/azure/identity-readme
    "AZURE_AUTHORITY_HOST",
}
LEFT_OUT = {
    "M365_CLIENT_SECRET": "the managed identity stands for it",
    "M365_CLIENT_CERTIFICATE": "the same",
    "PUBLIC_URL": "Azure tells the app its host name",
    "ACCOUNT_CLIENT_ID": "the app registration of the template serves accounts as well",
    "ACCOUNT_KEY_FILE": "for one machine; in Azure ACCOUNT_KEY is in the vault",
    "PLAIN_HTTP_HOSTS": "empty is right: every target by https",
    "UNLIMITED_RECIPIENTS": "empty is right: the limit is for everybody",
    "MAIL_API_MAILBOXES": "empty is right: every mailbox that the app reaches",
    "MAIL_API_CALLERS": "empty is right: callers have a function key",
}
"""Settings without a default of their own that a deployment may do without."""


def own_settings() -> dict[str, Any]:
    """What the template always writes."""
    found: dict[str, Any] = APP.variables["ownSettings"]
    return found


def secret_settings() -> set[str]:
    """What it writes as a reference to the vault, when asked to."""
    return set(read(CONNECTOR).parameters["secretSettings"].decorators["allowed"])


def test_the_template_writes_only_settings_that_somebody_reads() -> None:
    """The connector, the platform, or azure-identity."""
    known = {*SETTINGS, *SCHEDULES, *PLATFORM}
    written = {name for name in own_settings() if not name.startswith(STORAGE)}

    assert written - known == set()
    assert secret_settings() <= set(SETTINGS)


def test_a_setting_with_a_default_is_written_only_if_its_value_depends_on_the_deployment() -> None:
    """A literal in the template would be a second default, and the two would part."""
    literal = {
        name: value
        for name, value in own_settings().items()
        if name in {*SETTINGS, *SCHEDULES} and isinstance(value, str)
    }

    assert literal == {}


def test_a_setting_without_a_default_is_written_or_left_out_for_a_reason() -> None:
    """A new setting without a default asks its author what a deployment gives it."""
    without = {
        name for name, one in SETTINGS.items() if not one.default and one.default is not False
    }
    numbers = {name for name in without if isinstance(SETTINGS[name].default, int)}

    assert without - numbers - own_settings().keys() - secret_settings() == set(LEFT_OUT)


def test_secrets_are_never_values_in_the_template() -> None:
    """A setting that is a secret is a reference to the vault, or not there."""
    secrets = {name for name in SETTINGS if re.search("SECRET|CERTIFICATE|PASSWORD|KEY", name)}

    assert secrets & own_settings().keys() == set()
    assert secrets - secret_settings() == {
        "M365_CLIENT_SECRET",
        "M365_CLIENT_CERTIFICATE",
        "ACCOUNT_KEY_FILE",  # a path
    }
    for name in ("settingSecrets", "rowSecrets"):
        *_, value = APP.variables[name].text.split(" => ")
        assert value.startswith("'@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/")


def test_secrets_of_rows_are_named_as_the_app_looks_for_them() -> None:
    """With the prefix that keeps them apart from all other settings."""
    name = f"'{SECRET_PREFIX}${{replace(secret, '-', '_')}}'"

    assert APP.variables["rowSecrets"].text.startswith(f"toObject(secretNames, secret => {name},")


def test_a_setting_is_written_once() -> None:
    """Who changes one that the template writes as well gets his own; a secret stays a reference."""
    site = APP.resources["app"].body["properties"]["siteConfig"]
    text = APP.path.read_text()

    assert site["appSettings"].text == "appSettings"
    assert "items(union(ownSettings, settings, settingSecrets, rowSecrets))" in text


def test_the_app_can_read_the_storage_settings() -> None:
    """All three services by address, which is right in every cloud; and no key."""
    names = {name for name in own_settings() if name.startswith(STORAGE)}
    settings = Settings.from_environment(dict.fromkeys(names, "https://example.org"))

    assert names == {
        f"{STORAGE}{one}"
        for one in (
            "blobServiceUri",
            "queueServiceUri",
            "tableServiceUri",
            "credential",
            "clientId",
        )
    }
    assert set(settings.storage) == names


def test_nothing_is_set_that_the_plan_refuses() -> None:
    """Flex Consumption has these in functionAppConfig, or not at all."""
    refused = {
        "FUNCTIONS_WORKER_RUNTIME",
        "FUNCTIONS_EXTENSION_VERSION",
        "WEBSITE_RUN_FROM_PACKAGE",
    }
    # 'The following list of 5 site configuration properties (Site.SiteConfig.FtpsState, …) for Flex
    # Consumption sites is invalid': in some regions, and in more from month to month
    refused_of_site = {
        "alwaysOn",
        "ftpsState",
        "functionAppScaleLimit",
        "functionsRuntimeScaleMonitoringEnabled",
        "linuxFxVersion",
        "minimumElasticInstanceCount",
        "netFrameworkVersion",
        "preWarmedInstanceCount",
        "use32BitWorkerProcess",
        "windowsFxVersion",
    }
    site = APP.resources["app"].body["properties"]["siteConfig"]

    assert refused & own_settings().keys() == set()
    assert refused_of_site & site.keys() == set()
    assert site.keys() == {"minTlsVersion", "scmMinTlsVersion", "appSettings"}


def test_page_and_example_know_what_the_template_writes() -> None:
    """Whoever reads one finds it in the others."""
    page = (ROOT / "docs" / "settings.md").read_text()
    example = json.loads((ROOT / "local.settings.example.json").read_text())["Values"]
    written = {*own_settings(), *secret_settings()} & SETTINGS.keys()

    assert {name for name in written if f"`{name}`" not in page} == set()
    assert written - example.keys() == set()
    assert {name for name in own_settings() if name.startswith(STORAGE)} <= set(
        re.findall(r"AzureWebJobsStorage__\w+", page)
    ) | {f"{STORAGE}{one}ServiceUri" for one in re.findall(r"__(\w+)ServiceUri", page)}


def test_the_settings_that_the_parameters_file_changes_can_be_used() -> None:
    """They exist, are no secrets, and the app takes their values."""
    parameters = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    changed = {name: str(value) for name, value in parameters["settings"]["value"].items()}

    assert changed.keys() <= {*SETTINGS, *SCHEDULES} - secret_settings()
    Settings.from_environment({"AzureWebJobsStorage": "UseDevelopmentStorage=true", **changed})


@pytest.mark.parametrize("name", ["settings", "secretSettings", "secretNames"])
def test_nothing_is_changed_unless_asked_for(name: str) -> None:
    """The defaults of the parameters are empty."""
    assert not read(MAIN).parameters[name].default


def test_the_app_knows_which_mailboxes_it_is_meant_to_reach() -> None:
    """So that doctor and health see a consent that undoes the scope."""
    parameter = read(CONNECTOR).parameters["mailboxAccess"]

    assert own_settings()["MAILBOX_ACCESS"].text == "mailboxAccess"
    for choice in parameter.decorators["allowed"]:
        assert SETTINGS["MAILBOX_ACCESS"].read(choice) == choice


def test_graph_is_that_of_the_cloud() -> None:
    """As the connector's default has it in the public one."""
    endpoints = APP.variables["graphEndpoints"]

    assert endpoints["AzureCloud"] == SETTINGS["GRAPH_ENDPOINT"].default
    assert all(one.startswith("https://") for one in endpoints.values())
