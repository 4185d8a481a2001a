"""The public face: compiling a text once, and evaluating it over contexts."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from .builtins import NAMES
from .diagnostics import EvaluationWarning, Result, UnfitError
from .engine.compiler import compile_tree
from .engine.conformance import conform
from .engine.runtime import Runtime
from .errors import FeelLimitError, FeelSyntaxError, locate
from .limits import DEFAULT_LIMITS, Limits
from .syntax import tree
from .syntax.parser import parse_expression, parse_type, parse_unary_tests
from .values import Range, Value

CACHE_SIZE: Final = 1024
"""Expressions kept compiled; the least recently used one goes first."""

_COMPOSITE: Final = frozenset((list, dict, Range))
_EMPTY: Final[dict[str, Any]] = {}


class Expression:
    """A compiled expression. It holds no state: any number of threads may evaluate it at once.

    Attributes:
        text: The text it was compiled from.
        tree: Its syntax tree.
    """

    __slots__ = ("_code", "_frame_size", "text", "tree")

    def __init__(self, text: str, root: tree.Node) -> None:
        self.text = text
        self.tree = root
        self._code, self._frame_size = compile_tree(root, text)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def evaluate(
        self,
        context: Mapping[str, Any] | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
        now: datetime | None = None,
    ) -> Value:
        """Return the expression's value over a context.

        What goes wrong inside makes null, as the standard has it; `diagnose` also says why.

        Args:
            context: The variables: JSON, `Decimal`, `datetime` types, or values of the language.
            limits: How much the evaluation may take.
            now: The moment that ``now()`` and ``today()`` give; that of the call if absent.

        Raises:
            FeelLimitError: It would take more.
            FeelAssertionError: The expression's own ``assert`` does not hold.
        """
        return self._run(Runtime(context or _EMPTY, limits, now, diagnose=False))

    def diagnose(
        self,
        context: Mapping[str, Any] | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
        now: datetime | None = None,
    ) -> Result:
        """Return the value as `evaluate` does, with the reasons for what became null.

        Raises:
            FeelLimitError: As `evaluate`.
            FeelAssertionError: As `evaluate`.
        """
        rt = Runtime(context or _EMPTY, limits, now, diagnose=True)
        value = self._run(rt)
        return Result(value, tuple(self._warnings(rt)))

    def _run(self, rt: Runtime) -> Value:
        frame: list[Any] = [None] * self._frame_size
        frame[0] = rt
        try:
            value = self._code(frame)
            if type(value) in _COMPOSITE:
                rt.measure(value)
        except RecursionError:
            raise FeelLimitError("depth", rt.limits.depth) from None
        return value

    def _warnings(self, rt: Runtime) -> Iterable[EvaluationWarning]:
        for kind, message, position in rt.warnings or ():
            line, column = locate(self.text, position)
            yield EvaluationWarning(kind, message, line, column)


def compile_expression(text: str, names: Iterable[str] = ()) -> Expression:
    """Compile an expression; the last `CACHE_SIZE` ones are kept.

    Args:
        text: The expression. One leading `=` is dropped, as Camunda's modeler writes it.
        names: The names of variables. Only those with spaces or symbols matter: `a-b` is one name
            where it is known, else a subtraction.

    Raises:
        FeelSyntaxError: The text is no expression.
    """
    return _compile(text, tuple(sorted(set(names))))


@lru_cache(maxsize=CACHE_SIZE)
def _compile(text: str, names: tuple[str, ...]) -> Expression:
    try:
        root = _parse(parse_expression, _without_sign(text), NAMES + names)
    except FeelSyntaxError as error:
        # Shown is the text as it was written, with its sign.
        reason, _, position, expected = error.args
        raise FeelSyntaxError(reason, text, position, expected) from None
    return Expression(text, root)


def compile_unary_tests(text: str, names: Iterable[str] = ()) -> Expression:
    """Compile unary tests, such as `> 10`, `"a", "b"` or `not(null)`; `?` is the value under test.

    Raises:
        FeelSyntaxError: The text is none.
    """
    return _compile_tests(text, tuple(sorted(set(names))))


@lru_cache(maxsize=CACHE_SIZE)
def _compile_tests(text: str, names: tuple[str, ...]) -> Expression:
    return Expression(text, _parse(parse_unary_tests, text, NAMES + names))


def _parse(parse: Any, text: str, names: tuple[str, ...]) -> tree.Node:
    try:
        node: tree.Node = parse(text, names)
    except RecursionError:
        raise FeelSyntaxError("the expression is nested too deep", text, 0) from None
    return node


def _without_sign(text: str) -> str:
    # A space in its place keeps the columns of errors and warnings.
    start = len(text) - len(text.lstrip())
    return f"{text[:start]} {text[start + 1 :]}" if text.startswith("=", start) else text


def evaluate(
    text: str, context: Mapping[str, Any] | None = None, *, limits: Limits = DEFAULT_LIMITS
) -> Value:
    """Compile an expression with the names of a context, and evaluate it over that.

    Raises:
        FeelSyntaxError: The text is no expression.
        FeelLimitError: It takes more than the limits allow.
        FeelAssertionError: Its own ``assert`` does not hold.
    """
    return compile_expression(text, _long_names(context)).evaluate(context, limits=limits)


def diagnose(
    text: str, context: Mapping[str, Any] | None = None, *, limits: Limits = DEFAULT_LIMITS
) -> Result:
    """Do as `evaluate`, and also say why what became null did.

    Raises:
        FeelSyntaxError: As `evaluate`.
        FeelLimitError: As `evaluate`.
        FeelAssertionError: As `evaluate`.
    """
    return compile_expression(text, _long_names(context)).diagnose(context, limits=limits)


def _long_names(context: Mapping[str, Any] | None) -> list[str]:
    # Plain words need not be known, and left out they let contexts share a cached expression.
    return [name for name in map(str, context or ()) if not name.isidentifier()]


def _uncharged(_: int) -> None:
    """Charge nothing: what was measured as a result is small enough to look through."""


def convert(value: Value, type_text: str) -> Value:
    """Return a value as one of a type written in FEEL, as a declared result is (10.3.2.9.4).

    Raises:
        FeelSyntaxError: The text is no type.
        ValueError: The value is none of that type.
    """
    try:
        return conform(value, parse_type(type_text), _uncharged)
    except UnfitError as error:
        raise ValueError(str(error)) from None
