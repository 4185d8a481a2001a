"""Faults on demand: drawn from a seed at a rate, or told for the very next requests."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from localdev.graph_simulator.errors import GraphError
from localdev.graph_simulator.exchange import Request
from localdev.graph_simulator.metrics import Metrics

Kind = Literal["429", "429-fractional", "429-bare", "500", "502", "503", "504", "drop"]
ALL_KINDS: tuple[Kind, ...] = (
    "429",
    "429-fractional",
    "429-bare",
    "500",
    "502",
    "503",
    "504",
    "drop",
)
Match = str | Callable[[Request], bool]

_ERRORS = {
    429: ("TooManyRequests", "Too Many Requests"),
    500: ("InternalServerError", "An internal server error occurred."),
    502: ("BadGateway", "Failed to connect to the backend service."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
    504: ("GatewayTimeout", "The request timed out at the gateway."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Latency, and the share of requests that fail.

    Attributes:
        latency: Seconds that every (inner) request takes.
        rate: Share of requests that fail, 0 to 1.
        seed: The same seed draws the same faults for the same sequence of requests.
        kinds: What can happen. `429` asks for whole seconds, `429-fractional` for a fraction,
            `429-bare` for nothing; `drop` closes the connection, never inside a batch.
        after_effect: Share of the faults that strike after the operation took effect.
        retry_after: Seconds asked for by 429s.
    """

    latency: float = 0.0
    rate: float = 0.0
    seed: int = 0
    kinds: tuple[Kind, ...] = ALL_KINDS
    after_effect: float = 0.0
    retry_after: float = 1.0


class Dropped(Exception):
    """The connection is to be closed without an answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what is answered, and whether the operation takes effect all the same."""

    error: GraphError | Dropped
    after_effect: bool


@dataclass(slots=True)
class _Told:
    match: Match
    fault: Fault
    left: int


class FaultInjector:
    """Decides which requests fail.

    Args:
        faults: Latency and rate.
        metrics: Where faults are counted.
    """

    def __init__(self, faults: Faults, metrics: Metrics) -> None:
        self.faults = faults
        self._metrics = metrics
        self._random = Random(faults.seed)
        self._told: list[_Told] = []

    def fail_next(self, match: Match, fault: Fault, times: int) -> None:
        """Let the next requests that match fail, before anything is drawn."""
        self._told.append(_Told(match, fault, times))

    def draw(self, request: Request, operation: str, *, in_batch: bool = False) -> Fault | None:
        """Return the fault that strikes a request, or None."""
        fault = self._told_fault(request, operation) if self._told else None
        if fault is None:
            fault = self._drawn_fault(in_batch=in_batch)
        if fault is not None:
            self._metrics.faults += 1
        return fault

    def _told_fault(self, request: Request, operation: str) -> Fault | None:
        for told in self._told:
            if _matches(told.match, request, operation):
                told.left -= 1
                if told.left <= 0:
                    self._told.remove(told)
                return told.fault
        return None

    def _drawn_fault(self, *, in_batch: bool) -> Fault | None:
        faults = self.faults
        if not faults.rate or self._random.random() >= faults.rate:
            return None
        kinds = [kind for kind in faults.kinds if not (in_batch and kind == "drop")]
        if not kinds:
            return None
        kind = self._random.choice(kinds)
        after_effect = self._random.random() < faults.after_effect
        return Fault(_error(kind, faults.retry_after), after_effect)


def status_error(status: int | str, retry_after: float | str | None) -> GraphError | Dropped:
    """Return what is answered for a status, or for `"drop"`."""
    if status == "drop":
        return Dropped()
    code, message = _ERRORS.get(int(status), ("UnknownError", "Injected fault."))
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return GraphError(int(status), code, message, headers)


def _error(kind: Kind, retry_after: float) -> GraphError | Dropped:
    if kind == "429":
        return status_error(429, math.ceil(retry_after))
    if kind == "429-fractional":
        return status_error(429, f"{retry_after + 0.128:.3f}")
    return status_error(kind.removesuffix("-bare"), None)


def _matches(match: Match, request: Request, operation: str) -> bool:
    if callable(match):
        return match(request)
    return match == operation or match in f"{request.method} {request.target}"
