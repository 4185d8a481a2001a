"""Dates, times and durations, with the years, zones and nanoseconds that Python's own lack.

Each value is equal to the `datetime` object that means the same, where there is one.
"""

from .dates import Date, DateTime, Time
from .durations import DaysDuration, MonthsDuration
from .zones import Offset, Region, Zone

__all__ = [
    "Date",
    "DateTime",
    "DaysDuration",
    "MonthsDuration",
    "Offset",
    "Region",
    "Time",
    "Zone",
]
