from datetime import timedelta

import pytest

from shared.domain.errors import SettingsError
from shared.settings import SETTINGS, Settings, schedule

STORAGE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}


def test_the_storage_alone_is_enough() -> None:
    """Everything else has a default."""
    settings = Settings.from_environment(STORAGE)

    assert settings.graph_endpoint == "https://graph.microsoft.com"
    assert settings.page_size == 100
    assert settings.recovery_after == timedelta(minutes=5)
    assert settings.ledger_retention == timedelta(days=90)
    assert settings.plain_http_hosts == ()
    assert settings.storage == STORAGE
    assert settings.secrets == {}


def test_settings_are_read() -> None:
    """Each as what it is; other variables of the environment are none of our business."""
    settings = Settings.from_environment(
        {
            "AzureWebJobsStorage__accountName": "store",
            "AzureWebJobsStorage__credential": "managedidentity",
            "M365_TENANT_ID": " contoso.example ",
            "GRAPH_ENDPOINT": "https://graph.microsoft.us",
            "PLAIN_HTTP_HOSTS": "localhost, tickets.internal",
            "TARGET_TIMEOUT": "PT45S",
            "PAGE_SIZE": "50",
            "SECRETS__MAIL_APP": "hunter2",
            "PATH": "/bin",
        }
    )

    assert settings.m365_tenant_id == "contoso.example"
    assert settings.graph_endpoint == "https://graph.microsoft.us"
    assert settings.plain_http_hosts == ("localhost", "tickets.internal")
    assert settings.target_timeout == timedelta(seconds=45)
    assert settings.page_size == 50
    assert settings.secrets == {"MAIL_APP": "hunter2"}
    assert set(settings.storage) == {
        "AzureWebJobsStorage__accountName",
        "AzureWebJobsStorage__credential",
    }


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_an_empty_setting_is_an_absent_one(name: str) -> None:
    """Templates leave settings empty."""
    settings = Settings.from_environment({**STORAGE, name: "  "})

    assert getattr(settings, name.lower()) == SETTINGS[name].default


def test_graphs_endpoint_has_no_slash_at_its_end() -> None:
    """It would double in addresses, and be another scope to Entra ID."""
    settings = Settings.from_environment(
        {**STORAGE, "GRAPH_ENDPOINT": "https://graph.microsoft.us/"}
    )

    assert settings.graph_endpoint == "https://graph.microsoft.us"


def test_all_problems_are_reported_at_once() -> None:
    """Named one by one, with what is allowed, without the values: they may be secrets."""
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment(
            {
                "GRAPH_ENDPOINT": "hunter2",
                "PAGE_SIZE": "0",
                "LEASE_TIME": "PT1S",
                "TARGET_TIMEOUT": "PT4M",
                "LEDGER_RETENTION": "PT1H",
            }
        )

    told = [problem.split()[0] for problem in raised.value.problems]
    assert sorted(told) == [
        "AzureWebJobsStorage",
        "GRAPH_ENDPOINT",
        "LEASE_TIME",
        "LEDGER_RETENTION",
        "PAGE_SIZE",
        "TARGET_TIMEOUT",
    ]
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("environment", [{}, {"AzureWebJobsStorage": ""}])
def test_the_storage_is_asked_for(environment: dict[str, str]) -> None:
    """Missing or empty."""
    with pytest.raises(SettingsError, match="AzureWebJobsStorage is missing"):
        Settings.from_environment(environment)


def test_timers_run_without_a_setting() -> None:
    """Every ten seconds for polls; the platform would refuse a name that it cannot look up."""
    assert schedule("POLL_SCHEDULE", {}) == "*/10 * * * * *"
    assert schedule("RECOVERY_SCHEDULE", {"RECOVERY_SCHEDULE": " "}) == "0 */5 * * * *"


def test_timers_run_as_the_setting_says() -> None:
    """The binding names the setting, so that the platform sees a change of it."""
    assert schedule("POLL_SCHEDULE", {"POLL_SCHEDULE": "0 * * * * *"}) == "%POLL_SCHEDULE%"


def test_a_key_vault_reference_that_was_not_resolved_is_no_secret() -> None:
    """Everybody can read the reference: what it signs would be signed with nothing."""
    reference = "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/signing)"
    storage = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}

    with pytest.raises(SettingsError, match="DOCUMENT_SIGNING_SECRET: Azure has not resolved"):
        Settings.from_environment({**storage, "DOCUMENT_SIGNING_SECRET": reference})
    assert Settings.from_environment({**storage, "SECRETS__SIGN": reference}).secrets == {}
