import asyncio
from datetime import timedelta

import azure.functions as func

from localdev.functions_host import FunctionsHost, ManualClock, ScheduleStatus

SETTINGS = {"EVERY": "*/10 * * * * *"}


class Ticks:
    """An app with a timer; each tick is remembered and may be held up."""

    def __init__(self, *, run_on_startup: bool = False, fails: bool = False) -> None:
        self.past_due: list[bool] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.app = func.FunctionApp()
        self._changed = asyncio.Condition()

        @self.app.timer_trigger(arg_name="timer", schedule="%EVERY%", run_on_startup=run_on_startup)
        async def tick(timer: func.TimerRequest) -> None:
            async with self._changed:
                self.past_due.append(timer.past_due)
                self._changed.notify_all()
            await self.gate.wait()
            if fails:
                raise RuntimeError("made up")

    async def until(self, count: int) -> None:
        """Return once it has fired so often."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: len(self.past_due) >= count)


async def test_fires_on_schedule() -> None:
    """Every ten seconds by the clock, by a setting; not at the start."""
    ticks, clock = Ticks(), ManualClock()

    async with FunctionsHost(ticks.app, SETTINGS, clock=clock):
        await clock.move(9)
        await clock.move(1)
        await ticks.until(1)
        await clock.move(10)
        await ticks.until(2)

    assert ticks.past_due == [False, False]


async def test_never_runs_twice_at_once() -> None:
    """Times that pass while it runs are made up for once."""
    ticks, clock = Ticks(), ManualClock()
    ticks.gate.clear()

    async with FunctionsHost(ticks.app, SETTINGS, clock=clock) as host:
        await clock.move(10)
        await ticks.until(1)
        await clock.move(50, sleepers=0)
        assert host.invocations["tick"].running == 1
        ticks.gate.set()
        await ticks.until(2)
        await clock.move(9)
        assert len(ticks.past_due) == 2


async def test_a_failed_timer_fires_again() -> None:
    """At its next time; both failures are counted."""
    ticks, clock = Ticks(fails=True), ManualClock()

    async with FunctionsHost(ticks.app, SETTINGS, clock=clock) as host:
        for count in (1, 2):
            await clock.move(10)
            await ticks.until(count)
        await host.idle()
        assert host.invocations["tick"].failed == 2


async def test_run_on_startup_fires_at_the_start() -> None:
    """Without waiting for the schedule, and not past due."""
    ticks = Ticks(run_on_startup=True)

    async with FunctionsHost(ticks.app, SETTINGS, clock=ManualClock()):
        await ticks.until(1)

    assert ticks.past_due == [False]


async def test_a_timer_missed_during_a_restart_is_past_due() -> None:
    """The monitor of the host before tells."""
    ticks, clock = Ticks(), ManualClock()
    before = clock.now() - timedelta(minutes=5)
    monitor = {"tick": ScheduleStatus(last=before, next=before + timedelta(seconds=10))}

    async with FunctionsHost(ticks.app, SETTINGS, clock=clock, monitor=monitor):
        await ticks.until(1)
        await clock.move(10)
        await ticks.until(2)

    assert ticks.past_due == [True, False]
    assert monitor["tick"].last == clock.now()


async def test_a_timer_can_be_run_by_hand() -> None:
    """As the platform's portal does, whatever the schedule."""
    ticks = Ticks()

    async with FunctionsHost(ticks.app, SETTINGS, clock=ManualClock()) as host:
        await host.run_timer("tick")

    assert ticks.past_due == [False]


async def test_stop_cancels_what_does_not_finish_in_time() -> None:
    """And counts it as failed."""
    ticks, clock = Ticks(), ManualClock()
    ticks.gate.clear()

    async with FunctionsHost(ticks.app, SETTINGS, clock=clock, stop_within=0.01) as host:
        await clock.move(10)
        await ticks.until(1)

    assert host.invocations["tick"].failed == 1
