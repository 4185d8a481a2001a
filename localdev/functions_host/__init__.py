"""Runs `function_app.py` on one machine, where Core Tools are not at hand."""

from localdev.functions_host.clock import Clock, ManualClock, SystemClock
from localdev.functions_host.errors import HostError
from localdev.functions_host.functions import load_app
from localdev.functions_host.host import FunctionsHost
from localdev.functions_host.runner import Tally
from localdev.functions_host.timers import ScheduleMonitor, ScheduleStatus
from localdev.functions_host.web import AccessKeys

__all__ = [
    "AccessKeys",
    "Clock",
    "FunctionsHost",
    "HostError",
    "ManualClock",
    "ScheduleMonitor",
    "ScheduleStatus",
    "SystemClock",
    "Tally",
    "load_app",
]
