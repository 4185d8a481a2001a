"""A page of messages as Graph lists it to the connector, and what it costs to read it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.child import run_module
from localdev.graph_simulator import GraphSimulator
from shared.domain.odata import BEGINNING, listing

MAILBOX = "support@contoso.example"


async def listed_page(mails: Sequence[bytes]) -> dict[str, Any]:
    """Graph's answer to the connector's list request, for a mailbox with these mails."""
    simulator = GraphSimulator()
    simulator.add_mailbox(MAILBOX)
    for mail in mails:
        simulator.deliver(MAILBOX, mail)
    headers = {
        "Authorization": f"Bearer {simulator.issue_token()}",
        "Prefer": 'IdType="ImmutableId", outlook.body-content-type="text"',
    }
    query = listing(BEGINNING, "isRead eq false", len(mails))
    async with simulator.serve() as running, aiohttp.ClientSession(headers=headers) as session:
        url = f"{running.graph_url}/v1.0/users/{MAILBOX}/mailFolders/inbox/messages"
        async with session.get(url, params=query) as answer:
            answer.raise_for_status()
            page: dict[str, Any] = await answer.json()
            return page


async def read_in_a_child(page: dict[str, Any]) -> dict[str, float]:
    """Milliseconds of CPU a message, in a fresh process, by way of reading it."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "page.json"
        file.write_text(json.dumps(page))
        ended = await run_module("benchmarks.probes.deserialise", [str(file)], {})
    return {way: 1000 * ended.lines[-1][way] for way in ("models", "json")}
