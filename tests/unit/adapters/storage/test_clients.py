from collections.abc import AsyncIterator, Callable, Mapping

import pytest
from azure.data.tables.aio import TableServiceClient
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

from shared.adapters.storage.clients import StorageClients
from shared.domain.errors import SettingsError

Open = Callable[[Mapping[str, str]], StorageClients]


@pytest.fixture
async def connect() -> AsyncIterator[Open]:
    opened: list[StorageClients] = []

    def connect(settings: Mapping[str, str]) -> StorageClients:
        opened.append(StorageClients(settings))
        return opened[-1]

    yield connect
    for clients in opened:
        await clients.close()


def urls(clients: StorageClients) -> list[str]:
    return [one.url.rstrip("/") for one in (clients.tables, clients.queues, clients.blobs)]


@pytest.mark.parametrize(
    "text",
    ["UseDevelopmentStorage=true", "UseDevelopmentStorage=true;", " usedevelopmentstorage=TRUE "],
)
async def test_the_emulator_has_a_short_name(connect: Open, text: str) -> None:
    assert urls(connect({"AzureWebJobsStorage": text})) == [
        "http://127.0.0.1:10002/devstoreaccount1",
        "http://127.0.0.1:10001/devstoreaccount1",
        "http://127.0.0.1:10000/devstoreaccount1",
    ]


async def test_a_connection_string_names_the_account(connect: Open) -> None:
    text = "DefaultEndpointsProtocol=https;AccountName=one;AccountKey=QQ==;EndpointSuffix=core.x"

    assert urls(connect({"AzureWebJobsStorage": text})) == [
        "https://one.table.core.x",
        "https://one.queue.core.x",
        "https://one.blob.core.x",
    ]


async def test_an_account_name_is_used_by_identity(connect: Open) -> None:
    clients = connect({"AzureWebJobsStorage__accountName": "one"})

    assert urls(clients) == [
        "https://one.table.core.windows.net",
        "https://one.queue.core.windows.net",
        "https://one.blob.core.windows.net",
    ]
    assert isinstance(clients.tables.credential, DefaultAzureCredential)
    assert clients.tables.credential is clients.queues.credential


async def test_addresses_of_the_services_go_before_the_account_name(connect: Open) -> None:
    clients = connect(
        {
            "AzureWebJobsStorage__accountName": "one",
            "AzureWebJobsStorage__tableServiceUri": "https://one.table.core.chinacloudapi.cn",
            "AzureWebJobsStorage__queueServiceUri": "https://one.queue.core.chinacloudapi.cn/",
        }
    )

    assert urls(clients) == [
        "https://one.table.core.chinacloudapi.cn",
        "https://one.queue.core.chinacloudapi.cn",
        "https://one.blob.core.windows.net",
    ]


async def test_a_managed_identity_is_used_where_it_is_named(connect: Open) -> None:
    clients = connect(
        {
            "AzureWebJobsStorage__accountName": "one",
            "AzureWebJobsStorage__credential": "managedidentity",
            "AzureWebJobsStorage__clientId": "11111111-2222-3333-4444-555555555555",
        }
    )

    assert isinstance(clients.blobs.credential, ManagedIdentityCredential)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"AzureWebJobsStorage": " "},
        {"AzureWebJobsStorage__tableServiceUri": "https://one.table.core.windows.net"},
    ],
)
def test_settings_that_name_no_account_are_refused(settings: Mapping[str, str]) -> None:
    with pytest.raises(SettingsError, match="queueServiceUri"):
        StorageClients(settings)


@pytest.mark.parametrize("text", ["nonsense", "AccountName=one"])
def test_a_connection_string_that_cannot_be_read_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(SettingsError, match="connection string") as raised:
        StorageClients({"AzureWebJobsStorage": text})

    assert text not in str(raised.value)


async def test_each_client_is_made_once(connect: Open) -> None:
    clients = connect({"AzureWebJobsStorage": "UseDevelopmentStorage=true"})

    assert isinstance(clients.tables, TableServiceClient)
    assert clients.tables is clients.tables


async def test_closing_what_was_never_used_does_nothing(connect: Open) -> None:
    await connect({"AzureWebJobsStorage": "UseDevelopmentStorage=true"}).close()
