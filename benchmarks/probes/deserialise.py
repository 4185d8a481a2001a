"""Reads a page of messages with the SDK's models and with `json`. Prints the CPU a message."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from msgraph.generated.models.message_collection_response import MessageCollectionResponse

from shared.domain.mail import mail_from_graph

REPETITIONS = 5


def _main() -> None:
    page = Path(sys.argv[2]).read_bytes()
    messages = len(json.loads(page)["value"])

    def models() -> None:
        node = JsonParseNodeFactory().get_root_parse_node("application/json", page)
        answer = node.get_object_value(MessageCollectionResponse())
        if len(answer.value or ()) != messages:
            raise ValueError("the models have lost messages")

    def plain() -> None:
        [mail_from_graph(message) for message in json.loads(page)["value"]]

    figures = {"models": _cpu(models) / messages, "json": _cpu(plain) / messages}
    print(json.dumps({**figures, "messages": messages}))


def _cpu(work: Callable[[], None]) -> float:
    """Seconds of CPU, the first time left out: it imports."""
    work()
    taken = []
    for _ in range(REPETITIONS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return median(taken)


if __name__ == "__main__":
    _main()
