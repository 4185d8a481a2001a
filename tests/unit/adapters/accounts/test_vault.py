import base64
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.adapters.accounts.vault import KeyVault
from shared.domain.errors import SettingsError

FIRST, SECOND = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))


def test_what_is_sealed_opens_again() -> None:
    """And does not show what it is; twice the same text looks different."""
    vault = KeyVault(FIRST, "")
    sealed = vault.seal("ada", "0.refresh-token")

    assert vault.open("ada", sealed) == "0.refresh-token"
    assert "refresh" not in sealed
    assert vault.seal("ada", "0.refresh-token") != sealed


def test_it_opens_only_for_what_it_was_sealed_for() -> None:
    """A row that is copied over another opens nothing."""
    vault = KeyVault(FIRST, "")

    with pytest.raises(SettingsError, match="moved from another account"):
        vault.open("bob", vault.seal("ada", "token"))


@pytest.mark.parametrize("place", [-1, -20, 20])
def test_what_was_changed_does_not_open(place: int) -> None:
    """Not by a single character."""
    sealed = list(KeyVault(FIRST, "").seal("ada", "a longer token"))
    sealed[place] = "A" if sealed[place] != "A" else "B"

    with pytest.raises(SettingsError):
        KeyVault(FIRST, "").open("ada", "".join(sealed))


def test_keys_are_changed_in_steps() -> None:
    """The first encrypts; those behind it still open; one that is gone is named as such."""
    old = KeyVault(FIRST, "").seal("ada", "token")
    both = KeyVault(f"{SECOND}, {FIRST}", "")

    assert both.open("ada", old) == "token"
    assert not both.is_current(old)
    new = both.seal("ada", "token")
    assert both.is_current(new)
    assert KeyVault(SECOND, "").open("ada", new) == "token"
    with pytest.raises(SettingsError, match="not among the keys"):
        KeyVault(SECOND, "").open("ada", old)


@pytest.mark.parametrize("keys", ["hunter2", FIRST[:-4], f"{FIRST},hunter2", ",", "é" * 40])
def test_what_is_no_key_is_refused_and_not_shown(keys: str) -> None:
    """When it is needed: an app without accounts needs none."""
    vault = KeyVault(keys, "")

    with pytest.raises(SettingsError, match="32 random bytes") as refused:
        vault.seal("ada", "token")
    assert "hunter2" not in str(refused.value)


def test_no_key_at_all_says_which_setting() -> None:
    """Both ways are named."""
    with pytest.raises(SettingsError, match=r"ACCOUNT_KEY is missing.*ACCOUNT_KEY_FILE"):
        KeyVault("", "").seal("ada", "token")


def test_a_missing_key_file_is_made_for_its_owner_only(tmp_path: Path) -> None:
    """And used by the next process."""
    file = tmp_path / "new" / "account.key"
    sealed = KeyVault("", str(file)).seal("ada", "token")

    assert KeyVault("", str(file)).open("ada", sealed) == "token"
    assert [one.name for one in file.parent.iterdir()] == ["account.key"]
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600


def test_processes_that_make_a_key_file_at_once_have_one_key(tmp_path: Path) -> None:
    """Whoever is slower takes the other's."""
    file = str(tmp_path / "account.key")
    vaults = [KeyVault("", file) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda vault: vault.seal("ada", "token"), vaults))

    assert {KeyVault("", file).open("ada", one) for one in sealed} == {"token"}


def test_keys_of_a_file_are_changed_in_steps_too(tmp_path: Path) -> None:
    """A key a line, the first encrypts."""
    file = tmp_path / "account.key"
    file.touch(0o600)
    file.write_text(f"{SECOND}\n\n{FIRST}\n")
    old = KeyVault(FIRST, "").seal("ada", "token")

    assert KeyVault("", str(file)).open("ada", old) == "token"


@pytest.mark.skipif(os.name != "posix", reason="modes are a matter of POSIX")
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """It says what to do."""
    file = tmp_path / "account.key"
    file.write_text(FIRST)
    file.chmod(0o644)

    with pytest.raises(SettingsError, match="chmod 600"):
        KeyVault("", str(file)).seal("ada", "token")


def test_a_key_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """By its name, not by its whole path."""
    (tmp_path / "file").touch()

    with pytest.raises(
        SettingsError, match=r"ACCOUNT_KEY_FILE: account.key cannot be read or made"
    ):
        KeyVault("", str(tmp_path / "file" / "account.key")).seal("ada", "token")
