import json
from pathlib import Path

import pytest

from mailctl.doctor import why_no_secret
from mailctl.settings_file import app_settings
from shared.domain.errors import SettingsError

CLOUD = {"AzureWebJobsStorage__accountName": "account", "PAGE_SIZE": "5"}


def written(file: Path, **values: str) -> Path:
    file.write_text(json.dumps({"Values": {"//PAGE_SIZE": "text", "LEASE_TIME": "", **values}}))
    return file


def test_a_file_that_is_named_goes_before_the_environment(tmp_path: Path) -> None:
    """And names the storage alone: half of two accounts might be a third."""
    file = written(tmp_path / "any.json", AzureWebJobsStorage="connection", PAGE_SIZE="7")

    assert app_settings(file, {**CLOUD, "TICK_BUDGET": "PT5S"}) == {
        "AzureWebJobsStorage": "connection",
        "PAGE_SIZE": "7",
        "TICK_BUDGET": "PT5S",
    }


def test_the_file_that_is_just_there_goes_behind_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sets a variable means it."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "local.settings.json", AzureWebJobsStorage="emulator", M365_TENANT_ID="t")

    assert app_settings(None, CLOUD) == {**CLOUD, "M365_TENANT_ID": "t"}
    assert app_settings(None, {})["AzureWebJobsStorage"] == "emulator"


def test_without_a_file_the_environment_is_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that is set up by variables."""
    monkeypatch.chdir(tmp_path)

    assert app_settings(None, CLOUD) == CLOUD


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "JSON with an object Values is wanted"),
        ('{"Values": []}', "JSON with an object Values is wanted"),
        ('{"IsEncrypted": true, "Values": {}}', "is encrypted"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: str | None, said: str) -> None:
    """With what is wanted."""
    file = tmp_path / "any.json"
    if content is not None:
        file.write_text(content)

    with pytest.raises(SettingsError, match=said):
        app_settings(file, {})


def test_a_secret_is_known_by_its_name_with_or_without_hyphens() -> None:
    """As the app looks it up; a reference to the vault is no value."""
    secrets = {"erp_key": "value", "other": "@Microsoft.KeyVault(SecretUri=https://v/s)"}

    assert why_no_secret("erp-key", secrets) == ""
    assert why_no_secret("unknown", secrets).startswith("it is not set")
    assert "Key Vault reference" in why_no_secret("other", secrets)
