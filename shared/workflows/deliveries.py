"""Looking through the ledger: the newest deliveries of a selection, and how many there are."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from shared.domain.delivery import Delivery, DeliveryKey, State
from shared.ports import Ledger, Ports
from shared.workflows.apply import NotThere


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which deliveries; what is empty does not count.

    Args:
        states: one of them.
        subscription: name of a subscription that gets the mail.
        source: id of the source that found it.
    """

    states: Collection[State] = ()
    subscription: str = ""
    source: str = ""


async def select(ledger: Ledger, selection: Selection) -> AsyncIterator[Delivery]:
    """The deliveries of a selection, as the table has them: by source, oldest mail first."""
    async for delivery in ledger.find(selection.states, selection.source):
        if not selection.subscription or selection.subscription in delivery.subscriptions:
            yield delivery


async def newest(ledger: Ledger, selection: Selection, limit: int) -> list[Delivery]:
    """The deliveries whose mail was received last, newest first; no more are held than that."""
    heap: list[tuple[object, str, str, Delivery]] = []
    async for one in select(ledger, selection):
        entry = (one.received_at, one.key.source, one.key.mail, one)
        if len(heap) < limit:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
    return [entry[-1] for entry in sorted(heap, reverse=True)]


async def count(ledger: Ledger, selection: Selection) -> dict[State, int]:
    """How many deliveries stand where, in the order of the states; states of none are 0."""
    counted = Counter([one.state async for one in select(ledger, selection)])
    return {state: counted[state] for state in selection.states or State}


async def waiting(ledger: Ledger) -> Counter[str]:
    """How many deliveries wait for the target of each subscription, by its name."""
    open_states = [state for state in State if not state.is_final]
    counted: Counter[str] = Counter()
    async for delivery in ledger.find(open_states):
        counted.update(delivery.waiting)
    return counted


async def sources_of(name: str, current: str, ports: Ports) -> tuple[str, ...]:
    """The sources that feed a subscription or have fed it: its mail in the ledger is theirs.

    Args:
        name: the subscription.
        current: id of the source that its columns make; empty where it is not known.
        ports: the world outside.
    """
    status = (await ports.subscriptions.statuses()).get(name)
    known = [one for one in dict.fromkeys((current, status.source if status else "")) if one]
    states = [await ports.sources.read(one) for one in known]
    return tuple(
        dict.fromkeys((*known, *(former for one in states for former in one.predecessors)))
    )


def key_text(key: DeliveryKey) -> str:
    """How an operator names a delivery: ``source/mail``."""
    return f"{key.source}/{key.mail}"


def read_key(text: str) -> DeliveryKey:
    """The key that a text names.

    Raises:
        NotThere: it cannot be one.
    """
    source, slash, mail = text.partition("/")
    if not (source and slash and mail) or "/" in mail:
        raise NotThere(f"{text!r} names no delivery: a key is SOURCE/MAIL, as the lists show it.")
    return DeliveryKey(source, mail)


async def by_key(ledger: Ledger, text: str) -> Delivery:
    """The delivery that a text names.

    Raises:
        NotThere: there is none.
    """
    delivery = await ledger.read(read_key(text))
    if delivery is None:
        raise NotThere(f"there is no delivery {text!r} in the ledger.")
    return delivery
