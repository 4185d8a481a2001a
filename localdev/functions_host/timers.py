"""Drives a timer trigger as the platform does.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer and, for what it
leaves open, the platform's TimerListener (azure-webjobs-sdk-extensions).
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import azure.functions as func
from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter

from localdev.functions_host.clock import Clock, Nap
from localdev.functions_host.errors import HostError
from localdev.functions_host.functions import LoadedFunction
from localdev.functions_host.schedule import parse_schedule

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScheduleStatus:
    """When a timer fired last and is due next. The platform keeps it in a blob."""

    last: datetime
    next: datetime


# By function name. Given to the next host, it tells that one which timers are past due.
ScheduleMonitor = MutableMapping[str, ScheduleStatus]


class TimerListener:
    """Fires one function on its schedule, never two of it at once.

    A time that passes while the function runs is made up for once, right after.
    """

    def __init__(
        self,
        function: LoadedFunction,
        *,
        run: Callable[[LoadedFunction, object], Awaitable[Any]],
        clock: Clock,
        monitor: ScheduleMonitor,
    ) -> None:
        try:
            self._schedule = parse_schedule(function.trigger["schedule"])
        except HostError as error:
            raise HostError(f"function {function.name}: {error}") from error
        self._function = function
        self._run = run
        self._clock = clock
        self._monitor = monitor if function.trigger.get("useMonitor", True) else None
        self._nap = Nap(clock)
        self._one_at_once = asyncio.Lock()
        self._stopping = False

    async def listen(self) -> None:
        """Fire until told to stop."""
        start = self._clock.now()
        status = self._monitor.get(self._function.name) if self._monitor is not None else None
        if status is not None and status.next < start:
            due = await self.fire(past_due=True)
        elif self._function.trigger.get("runOnStartup"):
            due = await self.fire()
        else:
            due = self._schedule(start)
        while not self._stopping:
            if (wait := (due - self._clock.now()).total_seconds()) > 0:
                await self._nap.sleep(wait)
            else:
                due = await self.fire(scheduled=due)

    def stop(self) -> None:
        """Fire no more; `listen` returns when what runs has finished."""
        self._stopping = True
        self._nap.wake()

    async def fire(self, *, past_due: bool = False, scheduled: datetime | None = None) -> datetime:
        """Run the function once and return when it is due next; a failure is only logged."""
        async with self._one_at_once:
            began = self._clock.now()
            with contextlib.suppress(Exception):  # the runner has logged it
                await self._run(self._function, self._request(past_due=past_due))
            # A timer may fire a little early: the same time is not to come twice.
            last = began if scheduled is None else max(began, scheduled)
            status = ScheduleStatus(last=last, next=self._schedule(last))
            if self._monitor is not None:
                self._monitor[self._function.name] = status
            return status.next

    def _request(self, *, past_due: bool) -> func.TimerRequest:
        status = self._monitor.get(self._function.name) if self._monitor is not None else None
        told = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status
            and {
                "Last": status.last.isoformat(),
                "Next": status.next.isoformat(),
                "LastUpdated": status.last.isoformat(),
            },
            "IsPastDue": past_due,
        }
        request: func.TimerRequest = TimerRequestConverter.decode(
            Datum(json.dumps(told), "json"), trigger_metadata=None
        )
        return request
