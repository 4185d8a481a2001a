"""Why a value became null: warnings, and the result that carries them."""

from enum import StrEnum
from typing import Any

from .records import Record


class WarningKind(StrEnum):
    """What a warning is about; the names are those that Camunda's engine reports."""

    NO_VARIABLE_FOUND = "NO_VARIABLE_FOUND"
    NO_CONTEXT_ENTRY_FOUND = "NO_CONTEXT_ENTRY_FOUND"
    NO_PROPERTY_FOUND = "NO_PROPERTY_FOUND"
    NO_FUNCTION_FOUND = "NO_FUNCTION_FOUND"
    FUNCTION_INVOCATION_FAILURE = "FUNCTION_INVOCATION_FAILURE"
    INVALID_TYPE = "INVALID_TYPE"
    NOT_COMPARABLE = "NOT_COMPARABLE"
    OUT_OF_BOUNDS = "OUT_OF_BOUNDS"


class EvaluationWarning(Record):
    """One reason for a null.

    Attributes:
        kind: What it is about.
        message: What happened, for a person. It names values by type, never by content.
        line: Where in the expression's text, from 1.
        column: The same, in characters, from 1.
    """

    kind: WarningKind
    message: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.kind} at line {self.line}, column {self.column}: {self.message}"


class Result(Record):
    """What `Expression.diagnose` returns: the value, and why parts of it became null."""

    value: Any
    warnings: tuple[EvaluationWarning, ...]


class UnfitError(Exception):
    """Raised inside the engine where operands have no value; it becomes null and a warning.

    It never leaves the package.
    """

    def __init__(self, message: str, kind: WarningKind = WarningKind.INVALID_TYPE) -> None:
        super().__init__(message)
        self.kind = kind
