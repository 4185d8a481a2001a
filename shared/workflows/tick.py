"""The poll timer and the queue `polls`: which sources are due, and polling them side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.domain.source import Source, SourceState
from shared.ports import Ports
from shared.telemetry import logger
from shared.workflows.concurrency import for_each
from shared.workflows.poll import PollLimits, poll_source
from shared.workflows.registry import Registry

POLLS_AT_ONCE = 16
HANDED_OVER_AT_ONCE = 4
SOURCES_A_MESSAGE = 32
QUEUED_POLL_BUDGET = timedelta(minutes=4)
"""How long one message of `polls` is worked on; the host takes it back after ten minutes."""


async def tick(ports: Ports, registry: Registry, limits: PollLimits, budget: timedelta) -> None:
    """Polls the sources that are due, and hands over to the queue `polls` what does not fit.

    Args:
        ports: the world outside.
        registry: what there is to poll.
        limits: how to poll.
        budget: how long this tick may begin new polls and new pages.
    """
    now = ports.clock.now()
    configuration = await registry.current()
    due = _due(configuration.sources.values(), await ports.sources.all(), now)
    left = await _poll_until(due, ports, limits, now + budget)
    if left:
        await _hand_over(left, ports)
    logger().info("tick", sources=len(configuration.sources), due=len(due), handed_over=len(left))


async def poll_queued(
    source_ids: Sequence[str], ports: Ports, registry: Registry, limits: PollLimits
) -> None:
    """Polls the sources of one message of the queue `polls`; what is left goes back to it."""
    configuration = await registry.current()
    sources = [configuration.sources[one] for one in source_ids if one in configuration.sources]
    left = await _poll_until(sources, ports, limits, ports.clock.now() + QUEUED_POLL_BUDGET)
    if left:
        await ports.polls.put([source.id for source in left])


def _due(sources: Iterable[Source], states: dict[str, SourceState], now: datetime) -> list[Source]:
    """The sources that are due, the one that has waited longest first."""
    due = []
    for source in sources:
        state = states.get(source.id) or SourceState(id=source.id)
        if state.is_due(now):
            due.append((state.next_poll_at, source.id, source))
    return [source for _, _, source in sorted(due, key=lambda one: one[:2])]


async def _poll_until(
    sources: Sequence[Source], ports: Ports, limits: PollLimits, until: datetime
) -> list[Source]:
    """Polls sources until a time; gives those that were not begun or not finished."""
    left: list[Source] = []

    async def poll(source: Source) -> None:
        if ports.clock.now() >= until or await poll_source(source, ports, limits, until):
            left.append(source)

    await for_each(poll, sources, POLLS_AT_ONCE)
    return left


async def _hand_over(sources: Sequence[Source], ports: Ports) -> None:
    """Queues sources for other workers, unless the last hand-over is not worked off yet.

    A source that stays due is found by the next tick: nothing is lost, and the queue cannot grow.
    """
    messages = [
        [source.id for source in sources[start : start + SOURCES_A_MESSAGE]]
        for start in range(0, len(sources), SOURCES_A_MESSAGE)
    ]
    waiting = await ports.polls.length()
    if waiting >= len(messages):
        logger().info("tick.queue_is_busy", waiting=waiting)
        return
    await for_each(ports.polls.put, messages, HANDED_OVER_AT_ONCE)
