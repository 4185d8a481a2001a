"""When a timer trigger fires: NCRONTAB expressions and intervals."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

from localdev.functions_host.errors import HostError

# The next time after the one given.
Schedule = Callable[[datetime], datetime]

_TIMESPAN = re.compile(
    r"(?:(?P<days>\d+)\.)?(?P<hours>\d+):(?P<minutes>[0-5]?\d):(?P<seconds>[0-5]?\d)"
    r"(?:\.(?P<fraction>\d{1,7}))?"
)
_HOURS_OF_A_DAY = 24

# What cronsim understands beyond NCRONTAB: L, LW, # and 7 for Sunday.
_ITEM = r"(?:\*|[0-9A-Z]+(?:-[0-9A-Z]+)?)(?:/[0-9]+)?"
_FIELD = re.compile(rf"{_ITEM}(?:,{_ITEM})*")
_NO_NCRONTAB = re.compile(r"\b(?:L|LW|[0-9A-Z]*[0-9]L)\b")
_SUNDAY_AS_SEVEN = re.compile(r"(?<!/)\b7\b")


def parse_schedule(expression: str) -> Schedule:
    """Read a timer trigger's schedule.

    NCRONTAB with or without seconds, in UTC, or a TimeSpan: see
    https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
    """
    if ":" in expression:
        interval = parse_timespan(expression)
        if interval <= timedelta(0):
            raise HostError(f"the interval {expression!r} is not positive")
        return lambda after: after + interval
    _check_ncrontab(expression)

    def next_time(after: datetime) -> datetime:
        cron = CronSim(expression, after)
        # Day of month and day of week must both match, unlike in cron.
        cron.day_and = True
        return next(cron)

    return next_time


def _check_ncrontab(expression: str) -> None:
    fields = expression.upper().split()
    ok = all(_FIELD.fullmatch(field) and not _NO_NCRONTAB.search(field) for field in fields)
    if not ok or not fields or _SUNDAY_AS_SEVEN.search(fields[-1]):
        raise HostError(f"{expression!r} is no NCRONTAB expression")
    try:
        CronSim(expression, datetime(2000, 1, 1))  # noqa: DTZ001 - only parsed
    except CronSimError as error:
        raise HostError(f"{expression!r} is no NCRONTAB expression: {error}") from error


def parse_timespan(text: str) -> timedelta:
    """Read a .NET TimeSpan: `[d.]hh:mm:ss[.fffffff]`; 24 hours or more are taken for days.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#timespan
    """
    match = _TIMESPAN.fullmatch(text.strip())
    if match is None:
        raise HostError(f"{text!r} is no time span like 00:00:10")
    hours, minutes, seconds = (int(match[part]) for part in ("hours", "minutes", "seconds"))
    if match["days"] is None and hours >= _HOURS_OF_A_DAY:
        return timedelta(days=hours, hours=minutes, minutes=seconds)
    fraction = float(f"0.{match['fraction'] or 0}")
    return timedelta(
        days=int(match["days"] or 0), hours=hours, minutes=minutes, seconds=seconds + fraction
    )
