"""Lists a mailbox once as msgraph-sdk's documentation shows it. Prints CPU and time."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

from azure.identity.aio import ClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient


async def _main() -> None:
    started, mailbox = float(sys.argv[1]), sys.argv[2]
    environment = os.environ
    credential = ClientSecretCredential(
        environment["M365_TENANT_ID"],
        environment["M365_CLIENT_ID"],
        environment["M365_CLIENT_SECRET"],
    )
    async with credential:
        provider = AzureIdentityAuthenticationProvider(
            credential,
            scopes=["https://graph.microsoft.com/.default"],
            allowed_hosts=["127.0.0.1"],
        )
        adapter = GraphRequestAdapter(provider)
        adapter.base_url = f"{environment['GRAPH_ENDPOINT']}/v1.0"
        inbox = GraphServiceClient(request_adapter=adapter).users.by_user_id(mailbox).mail_folders
        page = await inbox.by_mail_folder_id("inbox").messages.get()
        mails = len(page.value or ()) if page else 0
        figures = {"cpu": time.process_time(), "seconds": time.time() - started, "mails": mails}
        print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(_main())
