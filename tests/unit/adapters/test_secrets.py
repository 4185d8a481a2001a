import pytest

from shared.adapters.secrets import SecretStore
from shared.domain.errors import SecretNotFound


async def test_a_secret_is_found_by_its_name() -> None:
    """A hyphen of the reference is an underscore where a platform has no hyphens."""
    store = SecretStore({"MAIL-APP": "one", "TICKET_TOKEN": "two"})

    assert await store.get("MAIL-APP") == "one"
    assert await store.get("TICKET-TOKEN") == "two"


async def test_blanks_around_a_secret_are_dropped() -> None:
    """A secret that was uploaded as a file ends with a line break."""
    assert await SecretStore({"A": " hunter2\n"}).get("A") == "hunter2"


@pytest.mark.parametrize("settings", [{}, {"MAIL": ""}, {"MAIL": "\n"}, {"mail": "hunter2"}])
async def test_a_secret_that_is_not_there_is_named(settings: dict[str, str]) -> None:
    """With the app setting that would hold it."""
    with pytest.raises(
        SecretNotFound, match=r"'MAIL' is not known\. Add the app setting SECRETS__MAIL"
    ):
        await SecretStore(settings).get("MAIL")
