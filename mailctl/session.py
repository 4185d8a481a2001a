"""One command's connection to the connector: made, used in one event loop, and closed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

import typer

from mailctl.output import ExitCode, complain
from mailctl.rows_file import UnusableFile
from mailctl.settings_file import app_settings, export
from shared.adapters.health import StorageWatch
from shared.adapters.storage.clients import StorageClients
from shared.composition import Connector
from shared.domain.errors import ConnectorError, SettingsError, StorageUnavailable
from shared.ports import Ports
from shared.settings import Settings
from shared.telemetry import configure_logging
from shared.workflows.apply import NotThere

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with.

    Args:
        watch: figures of the storage.
    """

    settings: Settings
    ports: Ports
    watch: StorageWatch


def run(ctx: typer.Context, work: Callable[[Session], Awaitable[T]]) -> T:
    """Runs a command's work. What goes wrong is told on the error stream, and ends the command.

    Args:
        ctx: the command's context.
        work: the work.
    """
    try:
        return asyncio.run(_run(read_settings(ctx), work))
    except (SettingsError, StorageUnavailable) as error:
        _end(ExitCode.UNUSABLE, error)
    except (NotThere, UnusableFile) as error:
        _end(ExitCode.USAGE, error)
    except ConnectorError as error:
        _end(ExitCode.FOUND, error)


def read_settings(ctx: typer.Context) -> Settings:
    """The app settings.

    Raises:
        SettingsError: some cannot be used.
    """
    file: Path | None = ctx.find_root().obj
    settings = app_settings(file, os.environ)
    export(settings)
    return Settings.from_environment(settings)


async def _run(settings: Settings, work: Callable[[Session], Awaitable[T]]) -> T:
    configure_logging()  # else libraries write their lines among what the command prints
    connector = Connector(settings)
    clients = StorageClients(settings.storage)
    try:
        return await work(Session(settings, connector.ports, StorageWatch(clients)))
    finally:
        await clients.close()
        await connector.close()


def _end(code: ExitCode, error: ConnectorError) -> NoReturn:
    complain(str(error))
    raise typer.Exit(code) from error
