"""The proleptic Gregorian calendar over any year, in days from 1970-01-01."""

from typing import Final

MAX_YEAR: Final = 999_999_999
"""DMN 1.5, 10.3.2.3: years have up to nine digits, either side of zero."""

NANOS: Final = 1_000_000_000
DAY_NANOS: Final = 86_400 * NANOS

_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY: Final = 2
_CYCLE_YEARS: Final = 400
_CYCLE_DAYS: Final = 146_097
_EPOCH_SHIFT: Final = 719_468  # days from 0000-03-01 to 1970-01-01


def is_leap(year: int) -> bool:
    """Tell whether the year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % _CYCLE_YEARS == 0)


def month_days(year: int, month: int) -> int:
    """Return the number of days of a month."""
    return 29 if month == _FEBRUARY and is_leap(year) else _MONTH_DAYS[month - 1]


def to_day(year: int, month: int, day: int) -> int:
    """Return the number of a date's day; 1970-01-01 is 0."""
    # Years that begin in March put the leap day at the end, so months have a closed form.
    shifted = year - (month <= _FEBRUARY)
    cycle, year_of_cycle = divmod(shifted, _CYCLE_YEARS)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    leap_days = year_of_cycle // 4 - year_of_cycle // 100
    return cycle * _CYCLE_DAYS + year_of_cycle * 365 + leap_days + day_of_year - _EPOCH_SHIFT


def from_day(number: int) -> tuple[int, int, int]:
    """Return year, month and day of a day's number."""
    cycle, day_of_cycle = divmod(number + _EPOCH_SHIFT, _CYCLE_DAYS)
    year_of_cycle = (
        day_of_cycle - day_of_cycle // 1460 + day_of_cycle // 36_524 - day_of_cycle // 146_096
    ) // 365
    day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle // 4 - year_of_cycle // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = (month_from_march + 2) % 12 + 1
    return cycle * _CYCLE_YEARS + year_of_cycle + (month <= _FEBRUARY), month, day


def weekday(number: int) -> int:
    """Return the day of the week, Monday 1 to Sunday 7."""
    return (number + 3) % 7 + 1


def week_of_year(number: int) -> int:
    """Return the ISO 8601 week of the year."""
    # A week belongs to the year that its Thursday is in.
    thursday = number - weekday(number) + 4
    year, _, _ = from_day(thursday)
    return (thursday - to_day(year, 1, 1)) // 7 + 1


def add_months(year: int, month: int, day: int, months: int) -> tuple[int, int, int]:
    """Move a date by months; a day that the month lacks becomes its last."""
    total = year * 12 + month - 1 + months
    year, month = total // 12, total % 12 + 1
    return year, month, min(day, month_days(year, month))
