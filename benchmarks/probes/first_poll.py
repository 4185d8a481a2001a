"""Imports function_app and runs its poll timer once. Prints the CPU and the time that took."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import function_app  # noqa: TID251 - the platform knows them, and this plays the platform
from shared.composition import connector


async def _main() -> None:
    await function_app.on_tick(None)
    started = float(sys.argv[1])
    print(json.dumps({"cpu": time.process_time(), "seconds": time.time() - started}))
    await connector().close()


if __name__ == "__main__":
    asyncio.run(_main())
