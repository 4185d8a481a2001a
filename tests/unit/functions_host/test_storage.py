import pytest

from localdev.functions_host import HostError
from localdev.functions_host.storage import StorageAccounts


@pytest.mark.parametrize(
    "settings",
    [
        {"Mail": "UseDevelopmentStorage=true"},
        {"Mail__queueServiceUri": "https://account.queue.core.windows.net"},
        {"Mail__accountName": "account", "Mail__clientId": "id"},
        {"AzureWebJobsMail": "UseDevelopmentStorage=true"},
    ],
)
async def test_opens_a_connection_by_string_or_by_identity(settings: dict[str, str]) -> None:
    """In each of the forms that the platform takes."""
    async with StorageAccounts(settings) as accounts:
        assert (await accounts.queue("Mail", "emails")).name == "emails"


async def test_a_connection_that_is_not_set_is_an_error() -> None:
    """It names the settings that would do."""
    async with StorageAccounts({}) as accounts:
        with pytest.raises(HostError, match="neither the app setting Mail nor Mail__queue"):
            await accounts.queue("Mail", "emails")
