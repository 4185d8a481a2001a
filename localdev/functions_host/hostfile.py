"""Reads host.json: the parts that this host obeys.

https://learn.microsoft.com/azure/azure-functions/functions-host-json
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

from localdev.functions_host.errors import HostError
from localdev.functions_host.schedule import parse_timespan

# What a queue receive can ask for at most.
# https://learn.microsoft.com/rest/api/storageservices/get-messages
MAX_BATCH_SIZE = 32


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`extensions.queues`, with the platform's defaults.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#hostjson-settings
    """

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta(0)
    max_polling_interval: timedelta = timedelta(minutes=1)
    message_encoding: Literal["base64", "none"] = "base64"

    @classmethod
    def parse(cls, section: Mapping[str, Any]) -> Self:
        """Read the section `extensions.queues`."""
        defaults = cls()
        batch_size = int(section.get("batchSize", defaults.batch_size))
        if not 1 <= batch_size <= MAX_BATCH_SIZE:
            raise HostError(f"host.json: batchSize is {batch_size}, allowed is 1 to 32")
        encoding = str(section.get("messageEncoding", "base64")).lower()
        if encoding not in ("base64", "none"):
            raise HostError(f"host.json: messageEncoding is {encoding}, allowed: base64, none")
        return cls(
            batch_size=batch_size,
            new_batch_threshold=int(section.get("newBatchThreshold", batch_size // 2)),
            max_dequeue_count=int(section.get("maxDequeueCount", defaults.max_dequeue_count)),
            visibility_timeout=parse_timespan(str(section.get("visibilityTimeout", "00:00:00"))),
            max_polling_interval=parse_timespan(str(section.get("maxPollingInterval", "00:01:00"))),
            message_encoding="base64" if encoding == "base64" else "none",
        )


@dataclass(frozen=True, slots=True)
class HostFile:
    """What host.json asks for. `function_timeout` None means no limit."""

    queues: QueueOptions = field(default_factory=QueueOptions)
    route_prefix: str = "api"
    function_timeout: timedelta | None = timedelta(minutes=30)

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Self:
        """Read the content of a host.json."""
        extensions = content.get("extensions", {})
        timeout = str(content.get("functionTimeout", "00:30:00"))
        return cls(
            queues=QueueOptions.parse(extensions.get("queues", {})),
            route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
            function_timeout=None if timeout == "-1" else parse_timespan(timeout),
        )

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a host.json."""
        try:
            return cls.parse(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise HostError(f"cannot read {file.name}: {error}") from error
