"""Runs functions: arguments, time limit, output bindings, and a tally of how they ended."""

import asyncio
import contextvars
import functools
import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import azure.functions as func
from azure.functions.queue import QueueMessageOutConverter

from localdev.functions_host.context import InvocationContext
from localdev.functions_host.functions import RETURN, LoadedFunction

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """How a function's invocations ended, and how many run."""

    succeeded: int = 0
    failed: int = 0
    running: int = 0


class SendOutput(Protocol):
    """Puts one message into the queue that an output binding names."""

    async def __call__(self, binding: Mapping[str, Any], text: str) -> None:
        """Send it."""


class _OutputValue(func.Out[Any]):
    """What a function sets an output binding to."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        self._value = val

    def get(self) -> Any:
        return self._value


class Runner:
    """Runs functions on this event loop, synchronous ones on threads.

    Args:
        functions: all that may be run.
        directory: the app's, for the context.
        timeout: seconds that an invocation may take, or None. The platform ends the whole
            worker then; here the invocation is cancelled, or left on its thread, and failed.
        threads: for synchronous functions.
        send: how queue outputs are sent.
    """

    def __init__(
        self,
        functions: Sequence[LoadedFunction],
        *,
        directory: str,
        timeout: float | None,
        threads: int | None,
        send: SendOutput,
    ) -> None:
        self.tallies = {function.name: Tally() for function in functions}
        self.started = 0
        self.finished = 0
        self._directory = directory
        self._timeout = timeout
        self._send = send
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="function")
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def run(self, function: LoadedFunction, trigger_value: object) -> Any:
        """Run a function, send its outputs and return its result.

        Raises whatever the function raises, which is logged here, or TimeoutError.
        """
        tally = self.tallies[function.name]
        tally.running += 1
        self.started += 1
        self._quiet.clear()
        succeeded = False
        try:
            async with asyncio.timeout(self._timeout):
                result = await self._call(function, trigger_value)
            succeeded = True
        except Exception:
            logger.exception("Function %s failed", function.name)
            raise
        else:
            return result
        finally:
            tally.running -= 1
            tally.succeeded += succeeded
            tally.failed += not succeeded
            self.finished += 1
            if self.started == self.finished:
                self._quiet.set()

    async def quiet(self) -> None:
        """Return once nothing runs."""
        await self._quiet.wait()

    def close(self) -> None:
        """Take no more synchronous functions; those that run are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, function: LoadedFunction, trigger_value: object) -> Any:
        arguments: dict[str, Any] = {function.trigger["name"]: trigger_value}
        if function.wants_context:
            arguments["context"] = InvocationContext(function.name, self._directory)
        queues = [binding for binding in function.outputs if binding["type"] == "queue"]
        for binding in queues:
            if binding["name"] != RETURN:
                arguments[binding["name"]] = _OutputValue()
        result = await self._await(function, arguments)
        for binding in queues:
            value = result if binding["name"] == RETURN else arguments[binding["name"]].get()
            for text in encode_output(value):
                await self._send(binding, text)
        return result

    async def _await(self, function: LoadedFunction, arguments: dict[str, Any]) -> Any:
        if not function.is_async:
            call = functools.partial(
                contextvars.copy_context().run, functools.partial(function.call, **arguments)
            )
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        try:
            return await function.call(**arguments)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and not task.cancelling():
                # Nobody asked for it: a failure like any other, and no reason to end the host.
                raise RuntimeError(f"function {function.name} cancelled itself") from error
            raise


def encode_output(value: Any) -> list[str]:
    """Return the queue messages that an output binding's value stands for; None for none.

    The converter takes text, bytes, messages, and lists of them.
    """
    if value is None:
        return []
    datum = QueueMessageOutConverter.encode(value, expected_type=None)
    if datum.type == "bytes":
        return [datum.value.decode()]
    if datum.type == "json" and isinstance(items := json.loads(datum.value), list):
        return [item if isinstance(item, str) else item["body"] for item in items]
    if datum.type == "json":
        return [json.loads(datum.value)["body"]]
    return [datum.value]
