"""How built-in functions are declared, and how a call finds the right form of one.

A form is declared by its signature, as the standard prints them:

    @builtin("substring(string: string, start position: number, [length: number])")

Types are the language's, `|` between alternatives, `?` behind one that may be null; an argument in
brackets may be left out; `...` marks the last one as any number of them. What may be null or of any
type is `any`. An implementation is called with the arguments by place, and raises `UnfitError`
where they have no result.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

from shared.feel.diagnostics import UnfitError, WarningKind
from shared.feel.records import Record
from shared.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from shared.feel.values import Function, Range, Value, kind_of

Implementation = Callable[..., Value]
Invoke = Callable[[Any, Sequence[Value]], Value]
_F = TypeVar("_F", bound=Implementation)

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (Decimal,),
    "boolean": (bool,),
    "list": (list,),
    "context": (dict,),
    "function": (Function,),
    "range": (Range,),
    "date": (Date,),
    "time": (Time,),
    "date and time": (DateTime,),
    "days and time duration": (DaysDuration,),
    "years and months duration": (MonthsDuration,),
    "duration": (DaysDuration, MonthsDuration),
}
_SIGNATURE: Final = re.compile(r"([^(]+)\((.*)\)")
_FAILURE: Final = WarningKind.FUNCTION_INVOCATION_FAILURE
_SCAN_SHIFT: Final = 6
"""Looking through 64 characters costs a step, as looking at one element does."""


class Parameter(Record):
    """One parameter of a form; `accepts` is None where anything does."""

    name: str
    kind: str
    accepts: frozenset[type] | None
    optional: bool = False

    def take(self, value: Value) -> Value:
        """Return the argument as one of this type, converted as 10.3.2.9.4 allows.

        Raises:
            UnfitError: It is none.
        """
        accepts = self.accepts
        if accepts is None or type(value) in accepts:
            return value
        if type(value) is list and len(value) == 1 and type(value[0]) in accepts:
            return value[0]
        if list in accepts and value is not None:
            return [value]
        raise UnfitError(f"'{self.name}' takes a {self.kind}, not a {kind_of(value)}", _FAILURE)


class Form(Record):
    """One signature of a function, and what runs it."""

    text: str
    parameters: tuple[Parameter, ...]
    variadic: bool
    run: Implementation
    wants_runtime: bool

    def places(self, count: int, names: Sequence[str]) -> "tuple[Parameter, ...] | None":
        """Return the parameter of each argument, or None where the arguments cannot be these."""
        if names:
            return self._named(names)
        required = sum(not parameter.optional for parameter in self.parameters)
        if self.variadic:
            extra = count - len(self.parameters)
            return None if extra < 0 else self.parameters + self.parameters[-1:] * extra
        return self.parameters[:count] if required <= count <= len(self.parameters) else None

    def _named(self, names: Sequence[str]) -> "tuple[Parameter, ...] | None":
        known = {parameter.name: parameter for parameter in self.parameters}
        if len(set(names)) != len(names) or not known.keys() >= set(names):
            return None
        if any(p.name not in names for p in self.parameters if not p.optional):
            return None
        return tuple(known[name] for name in names)

    def in_order(self, names: Sequence[str], arguments: Sequence[Value]) -> list[Value]:
        """Return arguments given by name in the parameters' order, null for those left out."""
        given = dict(zip(names, arguments, strict=True))
        return [given.get(parameter.name) for parameter in self.parameters]


class Builtin:
    """A built-in function with all its forms."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.forms: list[Form] = []

    def bind(self, count: int, names: Sequence[str] = ()) -> Invoke:
        """Return what calls the function with that many arguments, or with those names.

        What can be known without the arguments is decided here, once.
        """
        suited = [
            (tuple(place.accepts for place in places), places, form)
            for form in self.forms
            if (places := form.places(count, names)) is not None
        ]

        def invoke(rt: Any, arguments: Sequence[Value]) -> Value:
            for accepts, _, form in suited:
                for value, kinds in zip(arguments, accepts, strict=True):
                    if kinds is not None and type(value) not in kinds:
                        break
                else:
                    return _run(form, rt, arguments, names)
            return self._coerced(suited, rt, arguments, names)

        return invoke

    def _coerced(
        self, suited: Sequence[Any], rt: Any, arguments: Sequence[Value], names: Sequence[str]
    ) -> Value:
        problem = UnfitError(self._misuse(len(arguments), names), _FAILURE)
        for _, places, form in suited:
            try:
                taken = [place.take(value) for place, value in zip(places, arguments, strict=True)]
            except UnfitError as error:
                problem = error
                continue
            return _run(form, rt, taken, names)
        raise problem

    def _misuse(self, count: int, names: Sequence[str]) -> str:
        given = f"arguments named {', '.join(names)}" if names else f"{count} arguments"
        return f"no form takes {given}; there are {', '.join(form.text for form in self.forms)}"


def _run(form: Form, rt: Any, arguments: Sequence[Value], names: Sequence[str]) -> Value:
    cost = 1
    for value in arguments:
        kind = type(value)
        if kind is list or kind is dict:
            cost += len(value)
        elif kind is str:
            cost += len(value) >> _SCAN_SHIFT
    rt.charge(cost)
    if names:
        arguments = form.in_order(names, arguments)
    result = form.run(rt, *arguments) if form.wants_runtime else form.run(*arguments)
    return rt.made(result)


FUNCTIONS: Final[dict[str, Builtin]] = {}
"""All built-in functions by name, filled by the modules of the families."""


def builtin(*signatures: str) -> Callable[[_F], _F]:
    """Declare a function as the implementation of these forms."""

    def declare(run: _F) -> _F:
        wants_runtime = run.__code__.co_varnames[:1] == ("rt",)
        for text in signatures:
            name, parameters, variadic = _parse(text)
            entry = FUNCTIONS.setdefault(name, Builtin(name))
            entry.forms.append(Form(text, parameters, variadic, run, wants_runtime))
        return run

    return declare


def _parse(text: str) -> tuple[str, tuple[Parameter, ...], bool]:
    match = _SIGNATURE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    name, inner = match.groups()
    parts = [part.strip() for part in inner.split(",")] if inner else []
    variadic = bool(parts) and parts[-1].startswith("...")
    return name, tuple(_parameter(part.removeprefix("...")) for part in parts), variadic


def _parameter(text: str) -> Parameter:
    optional = text.startswith("[")
    name, kind = text.strip("[]").split(": ")
    if kind == "any":
        return Parameter(name, kind, None, optional)
    nullable = kind.endswith("?")
    types = [member for part in kind.rstrip("?").split("|") for member in _TYPES[part]]
    accepts = frozenset((*types, type(None)) if nullable else types)
    return Parameter(name, kind, accepts, optional)
