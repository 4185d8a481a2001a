"""Time zones: an offset from UTC, or a region by its IANA name."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from shared.feel.records import Record

from .calendar import NANOS, from_day

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

MAX_OFFSET: Final = 18 * 3600
"""The largest offset either side of UTC, in seconds."""

_REFERENCE_DAY: Final = 20_089
"""2025-01-01: a time of day in a region has no date, so its standard offset of this day is used."""

# The names of the database are plain paths; nothing else is looked up.
_REGION_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,3}")
_OFFSET: Final = re.compile(r"([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")
_MINUTES: Final = 60
_LONGEST_NAME: Final = 64


class Offset(Record):
    """A fixed distance from UTC, in seconds east."""

    seconds: int

    def at_local(self, _day: int, _nanos: int) -> int:
        """Return the offset at a local date and time."""
        return self.seconds

    def at_utc(self, _day: int, _nanos: int) -> int:
        """Return the offset at a date and time in UTC."""
        return self.seconds

    def of_day(self) -> int:
        """Return the offset of a time that has no date."""
        return self.seconds

    def __str__(self) -> str:
        if not self.seconds:
            return "Z"
        minutes, seconds = divmod(abs(self.seconds), 60)
        hours, minutes = divmod(minutes, 60)
        sign = "-" if self.seconds < 0 else "+"
        tail = f":{seconds:02}" if seconds else ""
        return f"{sign}{hours:02}:{minutes:02}{tail}"


class Region(Record):
    """A region with its history of offsets."""

    name: str

    def at_local(self, day: int, nanos: int) -> int:
        """Return the offset in seconds at a local date and time; the earlier one in an overlap."""
        return _offset(_stand_in(day, nanos).replace(tzinfo=_load(self.name)))

    def at_utc(self, day: int, nanos: int) -> int:
        """Return the offset in seconds at a date and time in UTC."""
        from datetime import UTC  # noqa: PLC0415 - loaded by the first region, not by the package

        moment = _stand_in(day, nanos).replace(tzinfo=UTC)
        return _offset(moment.astimezone(_load(self.name)))

    def of_day(self) -> int:
        """Return the standard offset in seconds, for a time that has no date."""
        moment = _stand_in(_REFERENCE_DAY, 0).replace(tzinfo=_load(self.name))
        summer = moment.dst()
        return _offset(moment) - (int(summer.total_seconds()) if summer else 0)

    def __str__(self) -> str:
        return f"@{self.name}"


Zone: TypeAlias = Offset | Region

UTC: Final = Offset(0)


def _offset(moment: "datetime") -> int:
    offset = moment.utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _stand_in(day: int, nanos: int) -> "datetime":
    """Return a `datetime` at that place of the 400-year cycle, with the rules of its own age."""
    from datetime import datetime  # noqa: PLC0415 - as above

    year, month, day_of_month = from_day(day)
    if year > 9500:  # noqa: PLR2004 - away from Python's last year, as an offset may pass it
        year = year % 400 + 9200
    elif year < 500:  # noqa: PLR2004 - and from its first
        year = year % 400 + 400
    seconds = nanos // NANOS
    return datetime(  # noqa: DTZ001 - the caller sets the zone
        year, month, day_of_month, seconds // 3600, seconds // 60 % 60, seconds % 60
    )


@lru_cache(maxsize=256)
def _load(name: str) -> "ZoneInfo":
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - as above

    return ZoneInfo(name)


def parse_zone(text: str) -> Zone | None:
    """Read `Z`, `+hh:mm`, `+hh:mm:ss` or `@Region/Name`; None where it is no zone."""
    if text in ("Z", "z"):
        return UTC
    if text.startswith("@"):
        return region(text[1:])
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = int(match[2]), int(match[3]), int(match[4] or 0)
    total = hours * 3600 + minutes * 60 + seconds
    if minutes >= _MINUTES or seconds >= _MINUTES or total > MAX_OFFSET:
        return None
    return Offset(-total if match[1] == "-" else total)


def region(name: str) -> Region | None:
    """Return a region of the IANA database, or None where it has none of that name."""
    # What is too long for a name is not kept either: it may come from a mail.
    if len(name) > _LONGEST_NAME or _REGION_NAME.fullmatch(name) is None:
        return None
    return _known_region(name)


@lru_cache(maxsize=1024)
def _known_region(name: str) -> Region | None:
    try:
        _load(name)
    except (ValueError, OSError, LookupError):
        return None
    return Region(name)
