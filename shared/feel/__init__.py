"""FEEL, the Friendly Enough Expression Language of DMN 1.5, with what Camunda's engine adds.

    >>> evaluate('if count(attachments) > 0 then "yes" else "no"', {"attachments": ["a.pdf"]})
    'yes'

Compile once what is evaluated often: `compile_expression(text).evaluate(context)`. The language is
described in `docs/feel.md`. Nothing in it reaches Python, the file system or the network, and
every evaluation ends within its `Limits`.
"""

from .diagnostics import EvaluationWarning, Result, WarningKind
from .errors import FeelAssertionError, FeelError, FeelLimitError, FeelSyntaxError
from .expression import (
    Expression,
    compile_expression,
    compile_unary_tests,
    convert,
    diagnose,
    evaluate,
)
from .json_values import to_json
from .limits import DEFAULT_LIMITS, Limits
from .temporal import Date, DateTime, DaysDuration, MonthsDuration, Offset, Region, Time
from .text import to_text
from .values import Function, Range

__all__ = [
    "DEFAULT_LIMITS",
    "Date",
    "DateTime",
    "DaysDuration",
    "EvaluationWarning",
    "Expression",
    "FeelAssertionError",
    "FeelError",
    "FeelLimitError",
    "FeelSyntaxError",
    "Function",
    "Limits",
    "MonthsDuration",
    "Offset",
    "Range",
    "Region",
    "Result",
    "Time",
    "WarningKind",
    "compile_expression",
    "compile_unary_tests",
    "convert",
    "diagnose",
    "evaluate",
    "to_json",
    "to_text",
]
