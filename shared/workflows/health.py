"""Health: whether the connector can work, and if not, why; for monitors and people."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.errors import ConnectorError, MailboxError
from shared.domain.source import SourceState
from shared.domain.subscription import Credential, InvalidSubscription
from shared.ports import Ports
from shared.workflows.mailbox_access import REMEDY, SCOPED, of_the_settings, undone
from shared.workflows.registry import Configuration, Registry

FAILURES_ILL = 3
"""Polls that fail in a row before a source counts as ill: one throttled poll is no illness."""

LATE = timedelta(minutes=5)
CREDENTIALS_ASKED = 20


@dataclass(frozen=True, slots=True)
class Health:
    """The answer.

    Args:
        reasons: why it is ill, each a sentence that says what to do; empty where it is well.
        details: figures and notes; JSON.
    """

    reasons: tuple[str, ...]
    details: Mapping[str, Any]


async def check_health(ports: Ports, registry: Registry, mailbox_access: str = "") -> Health:
    """Asks storage, tokens and the last polls.

    Args:
        ports: what is asked.
        registry: the subscriptions.
        mailbox_access: the setting MAILBOX_ACCESS.
    """
    broken = await ports.health.storage()
    if broken:
        return Health((f"storage: {broken}",), {})
    try:
        configuration = await registry.current()
        states = await ports.sources.all()
    except ConnectorError as error:
        return Health((f"storage: {error}",), {})
    credentials = {source.polling.credential for source in configuration.sources.values()}
    some = sorted(credentials, key=repr)[:CREDENTIALS_ASKED]
    refusals = await asyncio.gather(*(ports.health.token(one) for one in some))
    reasons = [f"token: {why}" for why in refusals if why]
    if mailbox_access == SCOPED:
        reasons += await _undone_scopes(ports, some)
    reasons += _late_or_failing(configuration, states, registry.known_since, ports)
    return Health(tuple(reasons), _details(configuration, states))


async def _undone_scopes(ports: Ports, credentials: Iterable[Credential]) -> list[str]:
    found = []
    for credential in of_the_settings(credentials):
        # without a token there is nothing to see; whether one is needed, its user says
        with contextlib.suppress(MailboxError, TimeoutError):
            if why := undone(await ports.health.mail_roles(credential)):
                found.append(f"access: {why}; {REMEDY}")
    return list(dict.fromkeys(found))


def _late_or_failing(
    configuration: Configuration,
    states: Mapping[str, SourceState],
    since: Mapping[str, datetime],
    ports: Ports,
) -> list[str]:
    now = ports.clock.now()
    found = []
    for source in configuration.sources.values():
        state = states.get(source.id)
        names = ", ".join(source.subscriptions)
        if state is None:
            if since[source.id] + LATE < now:
                found.append(f"{names}: never polled. Is the timer running?")
        elif state.failures >= FAILURES_ILL:
            found.append(f"{names}: {state.failures} polls failed in a row: {state.error}")
        elif state.next_poll_at + LATE < now and state.lease_until < now:
            found.append(
                f"{names}: due since {state.next_poll_at.isoformat()} and not polled. Is the timer"
                " running, or is one instance too few?"
            )
    return found


def _details(configuration: Configuration, states: Mapping[str, SourceState]) -> Mapping[str, Any]:
    invalid = [
        {"subscription": one.name, "problems": list(one.problems)}
        for one in configuration.subscriptions.values()
        if isinstance(one, InvalidSubscription)
    ]
    polled = [states[one].polled_at for one in configuration.sources if one in states]
    return {
        "sources": len(configuration.sources),
        "lastPoll": max(polled).isoformat() if polled else None,
        "invalidSubscriptions": invalid,
    }
