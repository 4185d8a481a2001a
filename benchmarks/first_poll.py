"""How long does a fresh worker take until its first mails are queued?"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from azure.storage.queue.aio import QueueClient

from benchmarks.child import run_module
from benchmarks.figures import Figure
from benchmarks.lab import Lab, RunFailed
from benchmarks.mails import mails
from localdev.callback_receiver import CallbackReceiver
from localdev.graph_simulator import GraphSimulator
from localdev.stack import local_stack, new_signing_secret

SECONDS = 0.8
MAILS = 10
MAILBOX = "support@contoso.example"


async def measure(lab: Lab) -> list[Figure]:
    """Starts the app, and the SDK alone, in fresh interpreters."""
    starts = lab.sizes.starts
    lab.say(f"{starts} fresh interpreters: import of function_app and the first poll")
    polls = [await _first_poll() for _ in range(starts)]
    lab.say(f"{starts} fresh interpreters: the first list of msgraph-sdk")
    lists = [await _first_list() for _ in range(starts)]
    runs = f"median of {starts}"
    poll = (
        f"a fresh interpreter imports function_app and runs one tick, storage and token included,"
        f" until {MAILS} mails are queued; the tables and queues are made as well; {runs}"
    )
    first_list = f"the same mailbox listed with typed models by a fresh interpreter; {runs}"
    return [
        Figure(
            what="import and first poll, CPU",
            value=_median(polls, "cpu"),
            unit="s",
            budget=SECONDS,
            how=poll,
        ),
        Figure(
            what="import and first poll, time",
            value=_median(polls, "seconds"),
            unit="s",
            budget=SECONDS,
            how="the same; waits for the storage emulator, which works on the same machine",
        ),
        Figure(
            what="for comparison: msgraph-sdk's first list alone, CPU",
            value=_median(lists, "cpu"),
            unit="s",
            how=first_list,
        ),
        Figure(
            what="for comparison: msgraph-sdk's first list alone, time",
            value=_median(lists, "seconds"),
            unit="s",
            how=first_list,
        ),
    ]


def _median(figures: Sequence[dict[str, float]], name: str) -> float:
    return median(one[name] for one in figures)


async def _first_poll() -> dict[str, Any]:
    secret = new_signing_secret()
    with tempfile.TemporaryDirectory() as directory:
        simulator, receiver = _filled(), CallbackReceiver(secret)
        async with local_stack(simulator, receiver, secret, Path(directory)) as stack:
            await stack.subscribe("bench/support", userId=MAILBOX)
            ended = await run_module("benchmarks.probes.first_poll", [], stack.app_settings)
            async with QueueClient.from_connection_string(stack.storage, "emails") as queue:
                queued = (await queue.get_queue_properties()).approximate_message_count
    if queued != MAILS:
        raise RunFailed(f"{queued} mails were queued, not {MAILS}")
    figures: dict[str, Any] = ended.lines[-1]
    return figures


async def _first_list() -> dict[str, Any]:
    simulator = _filled()
    async with simulator.serve() as graph:
        settings = {
            **graph.environment,
            "M365_TENANT_ID": simulator.tenant_id,
            "M365_CLIENT_ID": simulator.client_id,
            "M365_CLIENT_SECRET": simulator.secret,
            "GRAPH_ENDPOINT": graph.graph_url,
        }
        ended = await run_module("benchmarks.probes.sdk_first_list", [MAILBOX], settings)
    figures: dict[str, Any] = ended.lines[-1]
    if figures["mails"] != MAILS:
        raise RunFailed(f"{figures['mails']} mails were listed, not {MAILS}")
    return figures


def _filled() -> GraphSimulator:
    simulator = GraphSimulator()
    simulator.add_mailbox(MAILBOX)
    for mail in mails(MAILS):
        simulator.deliver(MAILBOX, mail)
    simulator.prerender(MAILBOX, "text")
    return simulator
