"""`python3 -m localdev.functions_host`: runs the app in a directory until it is told to stop."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

from localdev.functions_host.errors import HostError
from localdev.functions_host.functions import LoadedFunction
from localdev.functions_host.host import HIDDEN_FOR, MAX_POLLING_INTERVAL, FunctionsHost
from localdev.functions_host.settings import read_settings_file
from localdev.functions_host.web import AccessKeys

logger = logging.getLogger("localdev.functions_host")


def main() -> int:
    """Run the app; 0 after a stop that was asked for, 1 if it cannot be run."""
    options = _parse_arguments()
    logging.basicConfig(level=options.log_level, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    try:
        if options.settings is not None:
            # Functions read their settings from the environment, which goes first.
            for name, value in read_settings_file(options.settings).items():
                os.environ.setdefault(name, value)
        asyncio.run(_run(options))
    except HostError as error:
        logger.error("%s", error)  # noqa: TRY400 - the text says all
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m localdev.functions_host", description=__doc__)
    parser.add_argument("--app-dir", type=Path, default=Path(), help="with function_app.py")
    parser.add_argument("--address", default="127.0.0.1", help="to listen at")
    parser.add_argument("--port", type=int, default=7071, help="to listen at; 0 for any")
    parser.add_argument("--settings", type=Path, help="in the format of local.settings.json")
    parser.add_argument("--function-key", help="checked if given")
    parser.add_argument("--master-key", help="checked if given")
    parser.add_argument(
        "--hidden-seconds",
        type=float,
        default=HIDDEN_FOR.total_seconds(),
        help="after which a message comes back whose host died",
    )
    parser.add_argument(
        "--max-polling-seconds",
        type=float,
        default=MAX_POLLING_INTERVAL.total_seconds(),
        help="that an empty queue is left alone, if host.json allows more",
    )
    parser.add_argument(
        "--stop-with-stdin",
        action="store_true",
        help="stop when standard input closes, as a pipe does when the process at its end is gone",
    )
    parser.add_argument("--stop-within", type=float, default=30.0, help="seconds")
    parser.add_argument("--log-level", default="INFO")
    return parser.parse_args()


async def _run(options: argparse.Namespace) -> None:
    host = FunctionsHost(
        options.app_dir,
        address=options.address,
        port=options.port,
        keys=AccessKeys(function=options.function_key, master=options.master_key),
        hidden_for=timedelta(seconds=options.hidden_seconds),
        max_polling_interval=timedelta(seconds=options.max_polling_seconds),
        stop_within=options.stop_within,
    )
    stop = asyncio.Event()
    if sys.platform != "win32":  # there, Ctrl+C cancels this coroutine
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
    if options.stop_with_stdin:
        loop = asyncio.get_running_loop()
        threading.Thread(target=_wait_for_end_of_stdin, args=(loop, stop), daemon=True).start()
    async with host:
        for function in host.functions:
            logger.info("%s: %s", function.name, _describe(function))
        logger.info("Listening at %s", host.url)
        await stop.wait()
        logger.info("Stopping")


def _wait_for_end_of_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # not sys.stdin, whose lock would be held while the interpreter ends
    while os.read(0, 1024):
        pass
    with contextlib.suppress(RuntimeError):  # the loop has ended first
        loop.call_soon_threadsafe(stop.set)


def _describe(function: LoadedFunction) -> str:
    trigger = function.trigger
    if function.kind == "timerTrigger":
        return f"timer {trigger['schedule']}"
    if function.kind == "queueTrigger":
        return f"queue {trigger['queueName']}"
    return f"[{','.join(map(str, trigger.get('methods') or ['any']))}] {trigger['route']}"


if __name__ == "__main__":
    sys.exit(main())
