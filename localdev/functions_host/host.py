"""The embedded functions host: loads an app and drives its triggers."""

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import azure.functions as func
from aiohttp import web

from localdev.functions_host.admin import add_admin_routes, host_status
from localdev.functions_host.clock import Clock, SystemClock
from localdev.functions_host.functions import LoadedFunction, load_app, read_functions
from localdev.functions_host.hostfile import HostFile
from localdev.functions_host.queue_message import encode_text
from localdev.functions_host.queues import QueueListener
from localdev.functions_host.runner import Runner, Tally
from localdev.functions_host.storage import StorageAccounts
from localdev.functions_host.timers import ScheduleMonitor, TimerListener
from localdev.functions_host.web import AccessKeys, build_server

# How long the platform hides a message whose function runs.
HIDDEN_FOR = timedelta(minutes=10)

# How long an empty queue is left alone at most: less than in the cloud, where polls cost money.
MAX_POLLING_INTERVAL = timedelta(seconds=2)

# What cancelled functions get to clean up.
_CANCEL_SECONDS = 5.0

logger = logging.getLogger(__name__)


class FunctionsHost:
    """Runs a function app on this event loop, inside an `async with` block.

    Args:
        app: the app, or the directory of its `function_app.py` and `host.json`.
        settings: what bindings refer to; the environment if not given. Functions read the
            environment, which is the caller's to prepare.
        host_json: the content of host.json, instead of the file.
        address: where to listen.
        port: 0 for any free one.
        keys: the access keys to check; none are by default.
        hidden_for: how long a fetched message is hidden, so how soon it comes back after a
            crash. Renewed at half of it.
        max_polling_interval: how long an empty queue is left alone, if host.json allows more.
        stop_within: seconds that running functions get to finish before they are cancelled.
        clock: what schedules, polls and renewals go by.
        monitor: when each timer fired last, for timers that a restart makes past due.
    """

    def __init__(
        self,
        app: func.FunctionApp | Path | str,
        settings: Mapping[str, str] | None = None,
        *,
        host_json: Mapping[str, Any] | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
        keys: AccessKeys | None = None,
        hidden_for: timedelta = HIDDEN_FOR,
        max_polling_interval: timedelta = MAX_POLLING_INTERVAL,
        stop_within: float = 30.0,
        clock: Clock | None = None,
        monitor: ScheduleMonitor | None = None,
    ) -> None:
        self._app = app
        self._directory = Path.cwd() if isinstance(app, func.FunctionApp) else Path(app)
        self._settings = os.environ if settings is None else settings
        self._host_json = host_json
        self._address = address
        self._port = port
        self._keys = keys or AccessKeys()
        self._hidden_for = hidden_for
        self._max_polling_interval = max_polling_interval
        self._stop_within = stop_within
        self._clock = clock or SystemClock()
        self._monitor: ScheduleMonitor = {} if monitor is None else monitor
        self._state = "Stopped"
        self._accounts = StorageAccounts(self._settings)
        self._timers: dict[str, TimerListener] = {}
        self._queues: list[tuple[tuple[str, str], QueueListener]] = []
        self._listening: list[asyncio.Task[None]] = []
        self._runner: Runner | None = None
        self._server: web.AppRunner | None = None
        self.functions: list[LoadedFunction] = []

    @property
    def port(self) -> int:
        """The port that HTTP triggers are served at."""
        return self._port

    @property
    def url(self) -> str:
        """The address that HTTP triggers are served at, without a slash at the end."""
        return f"http://{self._address}:{self._port}"

    @property
    def invocations(self) -> Mapping[str, Tally]:
        """How the invocations of each function ended so far."""
        return {} if self._runner is None else self._runner.tallies

    def status(self) -> dict[str, Any]:
        """Return what `/admin/host/status` answers."""
        return host_status(self._state, self.invocations)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Load the app and start its triggers.

        Raises:
            HostError: the app, its settings or host.json cannot be run.
        """
        host_file = self._read_host_file()
        app = self._app if isinstance(self._app, func.FunctionApp) else load_app(self._directory)
        self.functions = read_functions(app, self._settings)
        self._runner = self._build_runner(host_file)
        try:
            await self._build_triggers(host_file, self._runner)
            await self._serve(host_file, self._runner)
        except BaseException:
            await self.stop()
            raise
        for listener in self._listeners():
            task = asyncio.create_task(listener.listen())
            task.add_done_callback(_report)
            self._listening.append(task)
        self._state = "Running"

    async def stop(self) -> None:
        """Stop triggers, let functions finish within the deadline, cancel the rest."""
        self._state = "Stopping"
        for listener in self._listeners():
            listener.stop()
        closing = [] if self._server is None else [asyncio.create_task(self._server.cleanup())]
        pending = {*self._listening, *closing}
        try:
            if pending:
                await asyncio.wait(pending, timeout=self._stop_within)
        finally:
            for task in self._listening:
                task.cancel()
            if pending:
                await asyncio.wait(pending, timeout=_CANCEL_SECONDS)
            if self._runner is not None:
                self._runner.close()
            await self._accounts.__aexit__()
            self._listening.clear()
            self._timers.clear()
            self._queues.clear()
            self._server = None
            self._state = "Stopped"

    async def idle(self, seconds: float = 30.0) -> None:
        """Return once no function runs and each queue was seen empty.

        Messages that are hidden (delayed, or held by someone else) are not seen. Timers may
        fire right after.

        Raises:
            TimeoutError: not within so many seconds; the text names what still runs.
        """
        if self._runner is None:
            return
        try:
            async with asyncio.timeout(seconds):
                while True:
                    before = (self._runner.started, self._runner.finished)
                    await asyncio.gather(*(listener.drained() for _, listener in self._queues))
                    await self._runner.quiet()
                    # What ran meanwhile may have filled a queue that was seen empty before.
                    if before == (self._runner.started, self._runner.finished):
                        return
        except TimeoutError as error:
            busy = {name: tally for name, tally in self.invocations.items() if tally.running}
            raise TimeoutError(f"not idle after {seconds} s; running: {busy}") from error

    async def run_timer(self, name: str) -> None:
        """Run a timer function now, as a manual run on the platform does."""
        await self._timers[name].fire()

    def _listeners(self) -> list[TimerListener | QueueListener]:
        return [*self._timers.values(), *(listener for _, listener in self._queues)]

    def _read_host_file(self) -> HostFile:
        if self._host_json is not None:
            host_file = HostFile.parse(self._host_json)
        elif isinstance(self._app, func.FunctionApp):
            host_file = HostFile()
        else:
            host_file = HostFile.read(self._directory / "host.json")
        longest = min(host_file.queues.max_polling_interval, self._max_polling_interval)
        queues = replace(host_file.queues, max_polling_interval=longest)
        return replace(host_file, queues=queues)

    def _build_runner(self, host_file: HostFile) -> Runner:
        timeout = host_file.function_timeout
        # https://learn.microsoft.com/azure/azure-functions/functions-app-settings#python_threadpool_thread_count
        threads = self._settings.get("PYTHON_THREADPOOL_THREAD_COUNT")

        async def send(binding: Mapping[str, Any], text: str) -> None:
            address = _queue_address(binding)
            queue = await self._accounts.queue(*address)
            await queue.send(encode_text(text, host_file.queues.message_encoding))
            for listened, listener in self._queues:
                if listened == address:
                    listener.wake()

        return Runner(
            self.functions,
            directory=str(self._directory),
            timeout=None if timeout is None else timeout.total_seconds(),
            threads=int(threads) if threads else None,
            send=send,
        )

    async def _build_triggers(self, host_file: HostFile, runner: Runner) -> None:
        for function in self.functions:
            if function.kind == "timerTrigger":
                self._timers[function.name] = TimerListener(
                    function, run=runner.run, clock=self._clock, monitor=self._monitor
                )
            elif function.kind == "queueTrigger":
                connection, name = address = _queue_address(function.trigger)
                listener = QueueListener(
                    function,
                    await self._accounts.queue(connection, name),
                    await self._accounts.queue(connection, f"{name}-poison"),
                    host_file.queues,
                    run=runner.run,
                    clock=self._clock,
                    hidden_for=self._hidden_for,
                )
                self._queues.append((address, listener))

    async def _serve(self, host_file: HostFile, runner: Runner) -> None:
        http = [function for function in self.functions if function.kind == "httpTrigger"]
        server = build_server(http, prefix=host_file.route_prefix, keys=self._keys, run=runner.run)
        add_admin_routes(
            server,
            self.functions,
            keys=self._keys,
            status=self.status,
            timers={name: timer.fire for name, timer in self._timers.items()},
        )
        self._server = web.AppRunner(server, access_log=None, shutdown_timeout=self._stop_within)
        await self._server.setup()
        await web.TCPSite(self._server, self._address, self._port).start()
        self._port = int(self._server.addresses[0][1])


def _queue_address(binding: Mapping[str, Any]) -> tuple[str, str]:
    """Return the connection and the name of a binding's queue."""
    return binding.get("connection") or "AzureWebJobsStorage", binding["queueName"]


def _report(task: asyncio.Task[None]) -> None:
    """Tell of a listener that ended for a reason that nobody foresaw."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.critical("A trigger has stopped working", exc_info=error)
