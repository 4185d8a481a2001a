"""What does a tick do to ten thousand subscriptions that are due at once?"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueClient

from benchmarks.child import run_module
from benchmarks.figures import Figure
from benchmarks.lab import Lab
from localdev.callback_receiver import CallbackReceiver
from localdev.graph_simulator import GraphSimulator
from localdev.stack import LocalStack, local_stack, new_signing_secret
from shared.domain.poll_message import decode_poll

TICK_SECONDS = 30.0
FLAT = 1.15
TICKS = 3
ROWS_A_TRANSACTION = 100
MESSAGES_A_REQUEST = 32


@dataclass(frozen=True, slots=True)
class _Ticks:
    """What some ticks of one process did.

    Args:
        ticks: the figures of each.
        queued: how many sources each message of the queue `polls` names.
        listed: how often the simulator was asked for a list.
    """

    ticks: list[dict[str, Any]]
    queued: list[int]
    listed: int


async def measure(lab: Lab) -> list[Figure]:
    """Runs ticks over few and over many subscriptions, each in a fresh process."""
    few, many = lab.sizes.sources, lab.sizes.many_sources
    lab.say(f"{TICKS} ticks over {few:,} subscriptions")
    small = await _ticks(few)
    lab.say(f"{TICKS} ticks over {many:,} subscriptions")
    large = await _ticks(many)
    ticks, first, last = large.ticks, large.ticks[0], large.ticks[-1]
    unlisted = sum(_polled(tick) for tick in ticks) - large.listed
    return [
        Figure(
            what=f"a tick over {many:,} due subscriptions",
            value=first["seconds"],
            unit="s",
            budget=TICK_SECONDS,
            how=f"the first tick of a fresh process: {_shown(first)}; {first['cpu']:.1f} s of CPU",
        ),
        Figure(
            what="the ticks after it, the longest",
            value=max(tick["seconds"] for tick in ticks[1:]),
            unit="s",
            budget=TICK_SECONDS,
            how="; then ".join(_shown(tick) for tick in ticks[1:]),
        ),
        Figure(
            what="subscriptions neither polled nor handed over",
            value=max(0, unlisted) + first["handed_over"] - sum(large.queued),
            budget=0,
            binding=True,
            how=f"{sum(large.queued):,} wait in {len(large.queued)} messages of the queue polls;"
            f" {large.listed:,} lists in {TICKS} ticks, by the simulator's count",
        ),
        Figure(
            what=f"peak memory, last tick to first, {many:,} subscriptions",
            value=last["peak_mb"] / first["peak_mb"],
            budget=FLAT,
            binding=True,
            how=f"peak resident set after each of {TICKS} ticks: "
            + ", ".join(f"{tick['peak_mb']:.0f}" for tick in ticks)
            + " MiB",
        ),
        Figure(
            what=f"peak memory, a tick over {few:,} subscriptions",
            value=small.ticks[0]["peak_mb"],
            unit="MiB",
            how=f"the first tick: {_shown(small.ticks[0])}",
        ),
        Figure(
            what=f"peak memory, a tick over {many:,} subscriptions",
            value=first["peak_mb"],
            unit="MiB",
            how="of it, what is known of a subscription: "
            f"{1024 * (first['peak_mb'] - small.ticks[0]['peak_mb']) / (many - few):.1f} KiB each",
        ),
    ]


def _polled(tick: dict[str, Any]) -> int:
    return int(tick["due"] - tick["handed_over"])


def _shown(tick: dict[str, Any]) -> str:
    return (
        f"{tick['seconds']:.1f} s for {tick['due']:,} due, {_polled(tick):,} polled,"
        f" {tick['handed_over']:,} left to others"
    )


async def _ticks(count: int) -> _Ticks:
    secret, simulator = new_signing_secret(), GraphSimulator()
    for number in range(count):
        simulator.add_mailbox(_address(number))
    with tempfile.TemporaryDirectory() as directory:
        receiver = CallbackReceiver(secret)
        async with local_stack(simulator, receiver, secret, Path(directory)) as stack:
            await _subscribe(stack, count)
            ended = await run_module("benchmarks.probes.tick", [str(TICKS)], stack.app_settings)
            queued = await _handed_over(stack.storage)
    return _Ticks(ended.lines, queued, simulator.metrics.by_operation["GET messages"])


def _address(number: int) -> str:
    return f"mailbox{number}@contoso.example"


async def _subscribe(stack: LocalStack, count: int) -> None:
    async with TableServiceClient.from_connection_string(stack.storage) as service:
        table = await service.create_table_if_not_exists("subscriptions")
        for start in range(0, count, ROWS_A_TRANSACTION):
            some = range(start, min(count, start + ROWS_A_TRANSACTION))
            await table.submit_transaction([("create", _row(stack, number)) for number in some])


def _row(stack: LocalStack, number: int) -> dict[str, Any]:
    return {
        "PartitionKey": f"team{number // 1000}",
        "RowKey": f"mailbox{number}",
        "userId": _address(number),
        "postProcess": "markAsRead",
        "target": "webhook",
        "targetUrl": stack.callbacks.hook(f"mailbox{number}"),
        "messageName": "mail-received",
    }


async def _handed_over(storage: str) -> list[int]:
    """How many sources each message of the queue `polls` names."""
    async with QueueClient.from_connection_string(storage, "polls") as queue:
        messages = queue.receive_messages(messages_per_page=MESSAGES_A_REQUEST)
        try:
            return [len(decode_poll(message.content)) async for message in messages]
        except ResourceNotFoundError:
            return []  # nothing had to be handed over, so the app has not made the queue
