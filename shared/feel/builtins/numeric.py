"""Functions of numbers (DMN 1.5, 10.3.4.5)."""

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from typing import Final

from shared.feel.diagnostics import UnfitError
from shared.feel.engine.arithmetic import negate
from shared.feel.numbers import EXACT, NUMBERS, ZERO
from shared.feel.temporal import DaysDuration, MonthsDuration
from shared.feel.values import Value

from .registry import builtin

_MIN_SCALE: Final = -6111
_MAX_SCALE: Final = 6176
_ONE: Final = Decimal(1)


def _round(number: Decimal, scale: Decimal, rounding: str) -> Decimal:
    places = int(scale)
    if not _MIN_SCALE <= places <= _MAX_SCALE:
        raise UnfitError(f"the scale is outside {_MIN_SCALE} to {_MAX_SCALE}")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        return number
    rounded = number.quantize(Decimal((0, (1,), -places)), rounding=rounding, context=EXACT)
    return _finite(NUMBERS.plus(rounded))


def _finite(number: Decimal) -> Decimal:
    if not number.is_finite():
        raise UnfitError("the result is no number, or too large for one")
    return number


@builtin("decimal(n: number, scale: number)")
def _decimal(number: Decimal, scale: Decimal) -> Value:
    places = int(scale)
    # Unlike the roundings, this one also adds zeros: decimal(1.5, 2) is 1.50.
    rounded = _round(number, scale, ROUND_HALF_EVEN)
    if 0 < places <= NUMBERS.prec:
        padded = NUMBERS.quantize(rounded, Decimal((0, (1,), -places)))
        return padded if padded.is_finite() else rounded
    return rounded


@builtin("floor(n: number, [scale: number])")
def _floor(number: Decimal, scale: Decimal = ZERO) -> Value:
    return _round(number, scale or ZERO, ROUND_FLOOR)


@builtin("ceiling(n: number, [scale: number])")
def _ceiling(number: Decimal, scale: Decimal = ZERO) -> Value:
    return _round(number, scale or ZERO, ROUND_CEILING)


@builtin("round up(n: number, scale: number)")
def _round_up(number: Decimal, scale: Decimal) -> Value:
    return _round(number, scale, ROUND_UP)


@builtin("round down(n: number, scale: number)")
def _round_down(number: Decimal, scale: Decimal) -> Value:
    return _round(number, scale, ROUND_DOWN)


@builtin("round half up(n: number, scale: number)")
def _round_half_up(number: Decimal, scale: Decimal) -> Value:
    return _round(number, scale, ROUND_HALF_UP)


@builtin("round half down(n: number, scale: number)")
def _round_half_down(number: Decimal, scale: Decimal) -> Value:
    return _round(number, scale, ROUND_HALF_DOWN)


@builtin("abs(n: number|duration)")
def _abs(value: Decimal | DaysDuration | MonthsDuration) -> Value:
    if isinstance(value, Decimal):
        return value.copy_abs()
    amount = value.nanos if isinstance(value, DaysDuration) else value.months
    return negate(value) if amount < 0 else value


@builtin("modulo(dividend: number, divisor: number)")
def _modulo(dividend: Decimal, divisor: Decimal) -> Value:
    if not divisor:
        raise UnfitError("the divisor is 0")
    # The sign is the divisor's: dividend - divisor * floor(dividend / divisor).
    rest = EXACT.remainder(dividend, divisor)
    if rest and (rest < 0) is not (divisor < 0):
        rest = EXACT.add(rest, divisor)
    return _finite(NUMBERS.plus(rest))


@builtin("sqrt(number: number)")
def _sqrt(number: Decimal) -> Value:
    return _finite(NUMBERS.sqrt(number))


@builtin("log(number: number)")
def _log(number: Decimal) -> Value:
    return _finite(NUMBERS.ln(number))


@builtin("exp(number: number)")
def _exp(number: Decimal) -> Value:
    return _finite(NUMBERS.exp(number))


def _parity(number: Decimal) -> Decimal:
    if number != number.to_integral_value():
        raise UnfitError("the number is not whole")
    return EXACT.remainder(number, Decimal(2)).copy_abs()


@builtin("odd(number: number)")
def _odd(number: Decimal) -> Value:
    return _parity(number) == _ONE


@builtin("even(number: number)")
def _even(number: Decimal) -> Value:
    return _parity(number) == ZERO


@builtin("random number()")
def _random_number() -> Value:
    from random import random  # noqa: PLC0415 - few expressions ask

    return NUMBERS.create_decimal(repr(random()))  # noqa: S311 - a number, no secret
