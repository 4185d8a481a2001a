"""The arithmetic of numbers: 34 digits, half-even, as IEEE 754 decimal128 (DMN 1.5, 10.3.2.3.1)."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

DIGITS: Final = 34
MAX_EXPONENT: Final = 6144

# No trap: a result that is not finite is seen in the value, by whoever can name the operation.
NUMBERS: Final = Context(
    prec=DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=1 - MAX_EXPONENT,
    Emax=MAX_EXPONENT,
    traps=[],
)

EXACT: Final = Context(prec=4 * MAX_EXPONENT, Emin=-(10**6), Emax=10**6, traps=[])
"""Room for every digit, where rounding in between would show."""

ZERO: Final = Decimal(0)


def identity(number: Decimal) -> str:
    """Return a text that equal numbers share, and no others, to look numbers up by.

    Python's hash of a number is no secret, so numbers could be chosen to share one; that of a text
    is random.
    """
    return str(number.normalize(NUMBERS)) if number else "0"


def plain(number: Decimal) -> str:
    """Write a number as FEEL does: all digits, no exponent, the scale kept (`1.50`)."""
    return format(number.copy_abs() if number.is_zero() else number, "f")
