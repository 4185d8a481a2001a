"""A source is what is polled: subscriptions that agree in their polling properties share one."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from shared.domain.odata import BEGINNING
from shared.domain.subscription import InvalidSubscription, Polling, Subscription


@dataclass(frozen=True, slots=True)
class Source:
    """What is polled, and for whom.

    Args:
        id: stable as long as the polling properties are; `deduplicationId` where one is given.
        subscriptions: names of the enabled subscriptions, sorted.
        predecessors: what its subscriptions were fed by before their polling properties changed;
            mail that these have in the ledger is not new.
    """

    id: str
    polling: Polling
    subscriptions: tuple[str, ...]
    predecessors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What the connector remembers of a source between polls.

    Args:
        watermark: all mail received before it was claimed, but for late arrivals (see `swept_at`).
        swept_at: when the whole folder was last compared with the ledger.
        sweep_position: how far a comparison that did not fit into one poll has come.
        purged_at: when deliveries that ended long ago were last forgotten.
        next_poll_at: when the source is due.
        lease_until: until when one worker has the source for itself.
        folder_id: Graph's id of the folder, once found.
        predecessors: see :class:`Source`.
        failures: polls that failed in a row.
        error: why the last poll failed, for a person; empty where it did not.
        version: the storage's ETag; empty where the source was never stored.
    """

    id: str
    watermark: datetime = BEGINNING
    swept_at: datetime = BEGINNING
    sweep_position: datetime = BEGINNING
    purged_at: datetime = BEGINNING
    next_poll_at: datetime = BEGINNING
    lease_until: datetime = BEGINNING
    polled_at: datetime = BEGINNING
    folder_id: str = ""
    mailbox: str = ""
    subscriptions: tuple[str, ...] = ()
    predecessors: tuple[str, ...] = ()
    failures: int = 0
    error: str = ""
    version: str = ""

    def is_due(self, now: datetime) -> bool:
        """Whether the source is to be polled and nobody has it."""
        return self.next_poll_at <= now and self.lease_until <= now


def group_sources(
    subscriptions: Iterable[Subscription],
) -> tuple[list[Source], list[InvalidSubscription]]:
    """The sources of the enabled subscriptions, and those that contradict their own group."""
    groups: defaultdict[str, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        if subscription.enabled:
            groups[source_id(subscription)].append(subscription)
    sources, contradictions = [], []
    for identity, members in groups.items():
        found = differing(member.polling for member in members)
        if found:
            contradictions += [_contradiction(member, members, found) for member in members]
        else:
            names = tuple(sorted(member.name for member in members))
            sources.append(Source(identity, members[0].polling, names))
    return sources, contradictions


def source_id(subscription: Subscription) -> str:
    """The identity of the source that a subscription is fed by; usable as a table key."""
    if subscription.deduplication_id:
        return f"manual-{subscription.deduplication_id}"
    polling = _comparable(subscription.polling)
    canonical = json.dumps(_without_empty(asdict(polling)), sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:24]


def _comparable(polling: Polling) -> Polling:
    """Addresses and names of folders are the same in any case; all else counts as written."""
    folder = replace(polling.folder, path=polling.folder.path.casefold())
    return replace(polling, mailbox=polling.mailbox.lower(), folder=folder)


def _without_empty(value: Any) -> Any:
    """Drops what is empty, so that a property that a later version adds changes no identity."""
    if isinstance(value, dict):
        return {name: _without_empty(one) for name, one in value.items() if one}
    return value


def differing(pollings: Iterable[Polling]) -> list[str]:
    """The properties in which some do not agree with the first."""
    first, *others = (_comparable(polling) for polling in pollings)
    return [
        name
        for name in Polling.__dataclass_fields__
        if any(getattr(other, name) != getattr(first, name) for other in others)
    ]


def _contradiction(
    one: Subscription, members: list[Subscription], found: list[str]
) -> InvalidSubscription:
    others = ", ".join(sorted(member.name for member in members if member is not one))
    problem = (
        f"deduplicationId {one.deduplication_id!r} is shared with {others}, but"
        f" {', '.join(found)} differ. Subscriptions with one deduplicationId must agree in"
        " mailbox, credential, folder, filter, postProcess, onDead, bodyFormat and"
        " pollingInterval or schedule."
    )
    return InvalidSubscription(one.name, (problem,))
