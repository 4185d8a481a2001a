"""The script that a user would write with python-o365: list unread mail, POST each, mark it read.

What differs from a script for the real Graph stands in `simulated_account`.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import requests
from O365 import Account, MSGraphProtocol
from O365.utils import BaseTokenBackend
from standardwebhooks import Webhook


class SimulatedGraph(MSGraphProtocol):  # type: ignore[misc]  # it has no types
    """Graph at another address."""

    _protocol_url = os.environ["GRAPH_ENDPOINT"] + "/"


class GivenToken(BaseTokenBackend):  # type: ignore[misc]  # the same
    """A token that is there already, so that none has to be asked for."""

    has_data = True

    def get_access_token(self, **_: str | None) -> dict[str, str]:
        """The token, whoever is asked for."""
        return {"secret": os.environ["GRAPH_TOKEN"]}


def simulated_account() -> Account:
    """An account on the simulator; without the pause of 200 ms that it makes between requests."""
    return Account(
        ("client-id", "client-secret"),
        auth_flow_type="credentials",
        tenant_id="tenant-id",
        protocol=SimulatedGraph(),
        token_backend=GivenToken(),
        requests_delay=0,
    )


def main() -> None:
    """Hands every unread mail to the webhook."""
    mailbox = simulated_account().mailbox(resource=os.environ["MAILBOX"])
    webhook = Webhook(os.environ["WEBHOOK_SIGNING_SECRET"])
    session = requests.Session()
    for mail in mailbox.inbox_folder().get_messages(limit=None, query="isRead eq false"):
        message = {
            "messageId": mail.object_id,
            "messageName": "mail-received",
            "variables": {
                "email": {
                    "id": mail.object_id,
                    "internetMessageId": mail.internet_message_id,
                    "subject": mail.subject,
                    "from": mail.sender.address,
                    "receivedDateTime": mail.received.isoformat(),
                    "body": mail.body,
                }
            },
        }
        body, now = json.dumps(message), datetime.now(UTC)
        answer = session.post(
            os.environ["WEBHOOK_URL"],
            data=body,
            headers={
                "Content-Type": "application/json",
                "webhook-id": mail.object_id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": webhook.sign(mail.object_id, now, body),
            },
            timeout=30,
        )
        answer.raise_for_status()
        mail.mark_as_read()


if __name__ == "__main__":
    main()
