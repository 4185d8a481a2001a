"""Exchange's limits per application and mailbox: requests in a window and at once, bytes up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from localdev.graph_simulator.errors import throttled
from localdev.graph_simulator.metrics import Metrics

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttling:
    """The limits; the defaults are those that Microsoft documents.

    Attributes:
        concurrent: Requests at once.
        requests: Requests in a window.
        window: The window's length in seconds.
        upload_bytes: Bytes uploaded in half a window.
        retry_after: Seconds to wait that are asked of a caller over the limit of requests at once.
    """

    concurrent: int = 4
    requests: int = 10_000
    window: float = 600.0
    upload_bytes: int = 150 * MEBIBYTE
    retry_after: int = 1


@dataclass(slots=True)
class _Usage:
    window_start: float
    upload_start: float
    requests: int = 0
    uploaded: int = 0
    running: int = 0


class Throttle:
    """Keeps what each application uses of each mailbox.

    Args:
        limits: The limits; may be exchanged at any time.
        metrics: Where concurrency and uploads are counted.
        clock: Seconds that only go up.
    """

    def __init__(
        self,
        limits: Throttling,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._metrics = metrics
        self._clock = clock
        self._usages: dict[tuple[str, str], _Usage] = {}

    @contextmanager
    def admitted(self, app_id: str, mailbox: str, upload: int = 0) -> Iterator[None]:
        """Hold a place for the time of a request.

        Refused requests count against the window too, as Microsoft documents.

        Raises:
            GraphError: 429 with `Retry-After`, over any limit.
        """
        usage = self._usage(app_id, mailbox)
        usage.requests += 1
        usage.uploaded += upload
        self._metrics.uploaded_bytes += upload
        now, limits = self._clock(), self.limits
        if usage.requests > limits.requests:
            self._refuse("MailboxRequests", usage.window_start + limits.window - now)
        if usage.uploaded > limits.upload_bytes:
            self._refuse("IncomingBytes", usage.upload_start + limits.window / 2 - now)
        if usage.running >= limits.concurrent:
            self._refuse("MailboxConcurrency", limits.retry_after)
        usage.running += 1
        self._metrics.max_concurrency[mailbox] = max(
            self._metrics.max_concurrency[mailbox], usage.running
        )
        try:
            yield
        finally:
            usage.running -= 1

    def _refuse(self, limit: str, wait: float) -> None:
        raise throttled(limit, str(max(0, math.ceil(wait))))

    def _usage(self, app_id: str, mailbox: str) -> _Usage:
        now = self._clock()
        usage = self._usages.get((app_id, mailbox))
        if usage is None:
            usage = self._usages[app_id, mailbox] = _Usage(now, now)
        if now - usage.window_start >= self.limits.window:
            usage.window_start, usage.requests = now, 0
        if now - usage.upload_start >= self.limits.window / 2:
            usage.upload_start, usage.uploaded = now, 0
        return usage
