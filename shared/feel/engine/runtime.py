"""One evaluation's state: the context, what is left of the limits, the warnings, the clock."""

from collections.abc import Mapping
from datetime import UTC as PY_UTC
from datetime import datetime
from decimal import Decimal
from time import monotonic
from typing import Any, Final

from shared.feel.diagnostics import WarningKind
from shared.feel.errors import FeelLimitError
from shared.feel.limits import Limits
from shared.feel.numbers import DIGITS
from shared.feel.temporal import DateTime
from shared.feel.temporal.zones import UTC
from shared.feel.values import NATIVE, Range, Value, adopt

MAX_WARNINGS: Final = 100

_STEPS_PER_LOOK: Final = 256
_MISSING: Final = object()


class Runtime:
    """What the closures of one evaluation share.

    Attributes:
        context: The variables as they came from outside.
        limits: The limits that hold.
        warnings: Kind, message and place of what became null; None where nobody asked.
        depth: FEEL functions inside each other, now.
    """

    __slots__ = (
        "_adopted",
        "_deadline",
        "_look_at",
        "_moment",
        "_now",
        "_steps",
        "context",
        "depth",
        "limits",
        "warnings",
    )

    def __init__(
        self,
        context: Mapping[str, Any],
        limits: Limits,
        now: datetime | None = None,
        *,
        diagnose: bool,
    ) -> None:
        self.context = context if type(context) is dict else dict(context)
        self.limits = limits
        self.warnings: list[tuple[WarningKind, str, int]] | None = [] if diagnose else None
        self.depth = 0
        self._adopted: dict[str, Value] = {}
        self._steps = limits.steps
        self._look_at = limits.steps - _STEPS_PER_LOOK
        self._deadline = monotonic() + limits.seconds
        self._moment = now
        self._now: DateTime | None = None

    def charge(self, steps: int = 1) -> None:
        """Take steps off what is left.

        Raises:
            FeelLimitError: Nothing is left, or the time is up.
        """
        self._steps -= steps
        if self._steps < self._look_at:
            self._look()

    def _look(self) -> None:
        if self._steps < 0:
            raise FeelLimitError("steps", self.limits.steps)
        if monotonic() > self._deadline:
            raise FeelLimitError("time", self.limits.seconds)
        self._look_at = self._steps - _STEPS_PER_LOOK

    def made(self, value: Value) -> Value:
        """Charge for a string, list or context just made, and return it.

        Raises:
            FeelLimitError: It is larger than allowed, or no steps are left for it.
        """
        kind = type(value)
        if kind is str or kind is list or kind is dict:
            size = len(value)
            if size > self.limits.size:
                raise FeelLimitError("size", self.limits.size)
            # Steps bound memory as well: sixteen characters cost as much as one element.
            self.charge(size >> 4 if kind is str else size)
        return value

    def room_for(self, size: int) -> None:
        """Raise a `FeelLimitError` if a value of this size would be too large to make."""
        if size > self.limits.size:
            raise FeelLimitError("size", self.limits.size)

    def enter(self) -> None:
        """Count one more function inside the others."""
        self.charge()
        self.depth += 1
        if self.depth > self.limits.depth:
            raise FeelLimitError("depth", self.limits.depth)

    def warn(self, kind: WarningKind, message: str, position: int) -> None:
        """Note why something became null."""
        if self.warnings is not None and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append((kind, message, position))

    def adopt(self, value: Any) -> Value:
        """Turn an object from outside into a value."""
        return value if type(value) in NATIVE else adopt(value, self.charge, self.limits.depth)

    def variable(self, name: str, default: Value = _MISSING) -> Value:
        """Return a variable of the context; the default, or `MISSING`, where there is none."""
        found = self._adopted.get(name, _MISSING)
        if found is _MISSING and name in self.context:
            found = self._adopted[name] = self.adopt(self.context[name])
        return default if found is _MISSING else found

    def now(self) -> DateTime:
        """Return the moment of this evaluation in UTC, the same each time it is asked."""
        if self._now is None:
            moment = DateTime.of((self._moment or datetime.now(PY_UTC)).astimezone(PY_UTC))
            self._now = DateTime(moment.date, type(moment.time)(moment.time.nanos, UTC))
        return self._now

    def measure(self, value: Value) -> None:
        """Check a whole result: a list that holds another one twice counts it twice.

        Raises:
            FeelLimitError: It is larger or deeper than allowed.
        """
        size = 0
        pending: list[tuple[Value, int]] = [(value, 0)]
        while pending:
            item, level = pending.pop()
            kind = type(item)
            if kind is list or kind is dict:
                if level == self.limits.depth:
                    raise FeelLimitError("depth", level)
                size += len(item)
                self.charge(len(item))
                inner = item if kind is list else item.values()
                pending.extend((part, level + 1) for part in inner)
            elif kind is Range:
                pending.extend(((item.start, level), (item.end, level)))
            elif kind is str:
                size += len(item)
            elif kind is Decimal and abs(item.adjusted()) > DIGITS:
                # Written out, it has as many zeros.
                size += abs(item.adjusted())
            if size > self.limits.size:
                raise FeelLimitError("size", self.limits.size)


MISSING: Final = _MISSING
"""What `Runtime.variable` returns for a name that the context does not have."""
