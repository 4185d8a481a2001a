"""A simulator of Microsoft Graph for mail, with Graph's rules and not kinder ones.

    simulator = GraphSimulator(faults=Faults(latency=0.05, rate=0.1, seed=1))
    simulator.add_mailbox("support@contoso.example")
    message_id = simulator.deliver("support@contoso.example", eml_bytes)
    async with simulator.serve() as running:
        ...  # talk to f"{running.graph_url}/v1.0" with tokens from running.authority_url
    assert simulator.messages("support@contoso.example", "Archive")[0].is_read
    assert simulator.metrics.round_trips <= 2

Alone: `python3 -m localdev.graph_simulator --help`.

`GraphSimulator`
    `add_mailbox`, `deliver`, `attach_reference`, `add_app`, `issue_token`, `fail_next`, `serve`;
    `message`, `messages`, `sent`, `metrics`, `prerender`; `faults`, `throttling` and `quirks` may
    be replaced while it runs. `add_user` adds somebody who can sign in; `sign_ins` revokes and
    expires sign-ins, refuses with any AADSTS number, and leaves consent to administrators.
`RunningSimulator`
    `graph_url`, `authority_url`, `ca_file`, `identity_endpoint`, `identity_header`, `environment`.
`Message`
    `id` (immutable), `mutable_id`, `folder` (`path`), `subject`, `internet_message_id`, `is_read`,
    `categories`, `received`, `content` (body, addresses, attachments), `mime`.

Inside, from the wire inwards: `server` (HTTP), `identity` (tokens), `sign_ins` (people, with
`sign_in_pages` and `id_tokens`), `batch`, `engine` (limits, faults, errors), `operations` (the
table of operations), `routes` (a module for each kind of resource), `odata` (the query language),
`message_type` (a message as JSON), `directory`, `mailbox`, `message` (what is kept), `mime` and
`compose` (mail in and out).
"""

from localdev.graph_simulator.directory import SentMail
from localdev.graph_simulator.errors import GraphError
from localdev.graph_simulator.faults import ALL_KINDS, Faults
from localdev.graph_simulator.identity import App
from localdev.graph_simulator.mailbox import Folder, Mailbox
from localdev.graph_simulator.message import Message
from localdev.graph_simulator.metrics import Metrics
from localdev.graph_simulator.operations import Quirks
from localdev.graph_simulator.sign_ins import SignIns, User
from localdev.graph_simulator.simulator import (
    CLIENT_ID,
    MANAGED_IDENTITY_ID,
    SECRET,
    TENANT_ID,
    GraphSimulator,
    RunningSimulator,
)
from localdev.graph_simulator.throttling import Throttling

__all__ = [
    "ALL_KINDS",
    "CLIENT_ID",
    "MANAGED_IDENTITY_ID",
    "SECRET",
    "TENANT_ID",
    "App",
    "Faults",
    "Folder",
    "GraphError",
    "GraphSimulator",
    "Mailbox",
    "Message",
    "Metrics",
    "Quirks",
    "RunningSimulator",
    "SentMail",
    "SignIns",
    "Throttling",
    "User",
]
