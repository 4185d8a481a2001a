"""What the simulator counts, which is how budgets of requests and round trips are measured."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass
class Metrics:
    """Counters since the start or the last `reset`.

    Attributes:
        requests: Operations asked for; each inner request of a `$batch` counts one, the batch none.
        round_trips: HTTP requests to Graph; a `$batch` counts one.
        batches: Batches among the round trips.
        throttled: 429s answered, inner ones included, for a limit exceeded or as a fault.
        faults: Faults injected, of any kind.
        token_requests: Requests for a token, of any outcome.
        uploads: Parts put to upload sessions.
        uploaded_bytes: Bytes in the bodies of requests about a mailbox.
        by_operation: Requests by operation, such as `GET messages` or `PATCH message`.
        by_status: Answers by status, to operations and to batches that fail as a whole.
        max_concurrency: The most requests of any moment at once, by mailbox address.
    """

    requests: int = 0
    round_trips: int = 0
    batches: int = 0
    throttled: int = 0
    faults: int = 0
    token_requests: int = 0
    uploads: int = 0
    uploaded_bytes: int = 0
    by_operation: Counter[str] = field(default_factory=Counter)
    by_status: Counter[int] = field(default_factory=Counter)
    max_concurrency: Counter[str] = field(default_factory=Counter)

    def answered(self, status: int) -> None:
        """Count an answer."""
        self.by_status[status] += 1
        self.throttled += status == HTTPStatus.TOO_MANY_REQUESTS

    def reset(self) -> None:
        """Start to count anew."""
        vars(self).update(vars(Metrics()))
