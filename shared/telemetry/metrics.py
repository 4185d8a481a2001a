"""Metrics: mail by subscription, the queue, requests to Graph. Recorded where they are exported.

A mail is found once for each subscription that it is for; then each of these accepts it, or is left
without it (dead), or turns out not to want it (unmatched). So, but for mail that an operator has
replayed: found = accepted + dead + unmatched + waiting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from shared.domain.delivery import Delivery, State
from shared.telemetry.tracing import served

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

DISTINCT = 200
"""Values of one attribute that are told apart; each costs its own series, at every export."""

OTHER = "other"

SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 4 * 3600, 24 * 3600)
"""Bounds of the histograms: from at once to a target that was away for a day."""

THROTTLED = 429


class Metrics:
    """The instruments; each attribute has a bounded number of values."""

    def __init__(self, meter: Meter) -> None:
        self._known: dict[str, set[str]] = {}
        self.found = meter.create_counter("mails.found", "{mail}", "taken in, by subscription")
        self.accepted = meter.create_counter("deliveries.accepted", "{mail}", "by the target")
        self.dead = meter.create_counter("deliveries.dead", "{mail}", "never accepted")
        self.unmatched = meter.create_counter("deliveries.unmatched", "{mail}", "not activated")
        self.polls_failed = meter.create_counter("polls.failed", "{poll}", "by subscription")
        self.requests = meter.create_counter("graph.requests", "{request}", "answered by Graph")
        self.throttled = meter.create_counter("graph.throttled", "{request}", "answered with 429")
        self.age = meter.create_histogram(
            "delivery.age",
            "s",
            "receipt to acceptance",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self.delay = meter.create_histogram(
            "queue.delay", "s", "due to taken up", explicit_bucket_boundaries_advisory=SECONDS
        )

    def bounded(self, **attributes: str) -> Mapping[str, str]:
        """Attributes; a value too many is :data:`OTHER`."""
        return {name: self._bounded(name, value) for name, value in attributes.items()}

    def _bounded(self, name: str, value: str) -> str:
        known = self._known.setdefault(name, set())
        if value not in known:
            if len(known) >= DISTINCT:
                return OTHER
            known.add(value)
        return value


class _Recording:
    """Where metrics are recorded; None: nowhere."""

    metrics: Metrics | None = None


_recording = _Recording()


def record_metrics(meter: Meter | None) -> None:
    """Has all metrics from now on recorded; None ends that."""
    _recording.metrics = None if meter is None else Metrics(meter)


def mails_found(deliveries: Iterable[Delivery]) -> None:
    """Mails were taken in."""
    if (to := _recording.metrics) is None:
        return
    for delivery in deliveries:
        for name in delivery.subscriptions:
            to.found.add(1, to.bounded(subscription=name))


def poll_failed(subscriptions: Iterable[str]) -> None:
    """The poll that feeds these did not succeed."""
    if (to := _recording.metrics) is None:
        return
    for name in subscriptions:
        to.polls_failed.add(1, to.bounded(subscription=name))


def taken_up(delivery: Delivery, late: float) -> None:
    """A delivery is worked on, so many seconds after it could have been; before it ended."""
    if (to := _recording.metrics) is None or delivery.state.is_final:
        return
    for name in delivery.subscriptions:
        to.delay.record(max(0.0, late), to.bounded(subscription=name))


def delivery_saved(before: Delivery, after: Delivery) -> None:
    """The ledger has a new state of a delivery, in place of that which was read from it."""
    if (to := _recording.metrics) is None:
        return
    for name in after.accepted_by:
        if name not in before.accepted_by:
            of = to.bounded(subscription=name)
            to.accepted.add(1, of)
            to.age.record((after.updated_at - after.received_at).total_seconds(), of)
    if not after.state.is_final:
        return
    # `before` has all whom the mail was claimed for, `after` those whom it activates
    for name in before.subscriptions:
        if name not in after.accepted_by:
            is_dead = after.state is State.DEAD and name in after.subscriptions
            (to.dead if is_dead else to.unmatched).add(1, to.bounded(subscription=name))


def graph_answered(operation: str, status: int) -> None:
    """Graph answered a request, alone or in a batch; a batch itself is the operation `batch`.

    It is counted once: for the subscriptions that the span around it names, together.
    """
    if (to := _recording.metrics) is None:
        return
    whom = {"subscription": names} if (names := served.get()) else {}
    to.requests.add(1, to.bounded(operation=operation, status=f"{status // 100}xx", **whom))
    if status == THROTTLED:
        to.throttled.add(1, to.bounded(operation=operation, **whom))
