"""Runs the poll timer of function_app a few times. Prints time, memory and what each tick did."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from typing import Any

import function_app  # noqa: TID251 - the platform knows them, and this plays the platform
from localdev.peak_memory import peak_mb
from shared.composition import connector
from shared.telemetry import LOGGER


class _Ticks(logging.Handler):
    """Keeps what the app logs at the end of each tick."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[str, Any] = {}

    def emit(self, record: logging.LogRecord) -> None:
        line = json.loads(record.getMessage())
        if line["event"] == "tick":
            self.last = line
        elif record.levelno >= logging.WARNING:
            print(record.getMessage())


async def _main() -> None:
    ticks = _Ticks()
    logging.getLogger(LOGGER).addHandler(ticks)
    for _ in range(int(sys.argv[2])):
        began, cpu = time.perf_counter(), time.process_time()
        await function_app.on_tick(None)
        figures = {
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - cpu,
            "peak_mb": peak_mb(),
            "sources": ticks.last["sources"],
            "due": ticks.last["due"],
            "handed_over": ticks.last["handed_over"],
        }
        print(json.dumps(figures), flush=True)
    await connector().close()


if __name__ == "__main__":
    asyncio.run(_main())
