"""`python3 dev.py start`: the app on this machine, against a real tenant, with your settings."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azure.data.tables.aio import TableServiceClient
from rich.console import Console

from localdev.app_process import ROOT, AppProcess
from localdev.azurite import Azurite, AzuriteError

SETTINGS = ROOT / "local.settings.json"
EMULATOR = "UseDevelopmentStorage=true"
DATA = ROOT / ".local" / "azurite"
PORTS = {"blob_port": 10000, "queue_port": 10001, "table_port": 10002}
"""Where UseDevelopmentStorage=true looks for the emulator."""


class StartError(Exception):
    """What keeps the app from starting, for a person."""


def main() -> int:
    """Runs the app until Ctrl+C."""
    parser = argparse.ArgumentParser(prog="python3 dev.py start", description=__doc__)
    parser.add_argument("--rows", type=Path, help="JSON list of subscription rows to write first")
    parser.add_argument("--port", type=int, default=7071, help="of the app's HTTP functions")
    parser.add_argument("--host", choices=("embedded", "func"), default="embedded")
    options = parser.parse_args()
    console = Console()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_start(options, console))
    except (StartError, AzuriteError, FileNotFoundError) as error:
        console.print(str(error), style="red", markup=False)
        return 2
    return 0


async def _start(options: argparse.Namespace, console: Console) -> None:
    settings = read_settings(SETTINGS)
    rows = [] if options.rows is None else read_rows(options.rows)
    log = ROOT / ".local" / "app.log"
    DATA.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        if settings.get("AzureWebJobsStorage") == EMULATOR:
            azurite = await stack.enter_async_context(Azurite(DATA, **PORTS))
            settings["AzureWebJobsStorage"] = azurite.connection_string
            console.print(f"Storage emulator, data in {DATA.relative_to(ROOT)}")
        if rows:
            names = await write_rows(settings["AzureWebJobsStorage"], rows)
            console.print(f"Subscriptions written: {', '.join(names)}", markup=False)
        app = AppProcess(settings, log, host=options.host, port=options.port, loopback_only=False)
        await stack.enter_async_context(app)
        console.print(f"Health    http://127.0.0.1:{options.port}/api/health")
        console.print(f"Log       {log.relative_to(ROOT)}")
        console.print("Ctrl+C ends it.")
        ended = asyncio.create_task(app.wait())
        stop = asyncio.Event()
        if sys.platform != "win32":
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if ended.done():
            lines = log.read_text(errors="replace").splitlines()[-10:]
            raise StartError("\n".join(("The app ended. The last lines of its log:", *lines)))
        ended.cancel()


def read_settings(path: Path) -> dict[str, str]:
    """The values of a `local.settings.json`.

    Raises:
        StartError: it is missing, or no JSON of that form.
    """
    if not path.exists():
        raise StartError(
            f"There is no {path.name}. Copy local.settings.example.json to {path.name}, and fill"
            " in tenant, app and signing secret."
        )
    try:
        values: Mapping[str, Any] = json.loads(path.read_text())["Values"]
        return {name: str(value) for name, value in values.items() if not name.startswith("//")}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise StartError(f"{path.name} cannot be read: JSON with an object `Values`.") from error


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of the table `subscriptions` from a file.

    Raises:
        StartError: the file is no JSON list of rows with PartitionKey and RowKey.
    """
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text())
        _names(rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartError(
            f"{path}: a JSON list of rows is wanted, each with PartitionKey and RowKey."
        ) from error
    return rows


async def write_rows(storage: str, rows: list[dict[str, Any]]) -> list[str]:
    """Writes rows of the table `subscriptions`; gives their names."""
    async with TableServiceClient.from_connection_string(storage) as service:
        table = await service.create_table_if_not_exists("subscriptions")
        for row in rows:
            await table.upsert_entity(row)
    return _names(rows)


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return [f"{row['PartitionKey']}/{row['RowKey']}" for row in rows]


if __name__ == "__main__":
    sys.exit(main())
