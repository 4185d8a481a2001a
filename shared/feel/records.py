"""Small immutable records, declared as dataclasses are.

Dataclasses write and compile the code of each class; sixty of them take thirty milliseconds of each
cold start. These share one implementation, and so cost nothing to declare.
"""

from typing import Any, ClassVar, NoReturn, dataclass_transform


def hidden(*, default: Any, kw_only: bool) -> Any:  # noqa: ARG001 - read by type checkers
    """Declare a field that is given by name and is no part of what makes records equal."""
    return default


@dataclass_transform(frozen_default=True, field_specifiers=(hidden,))
class Record:
    """The base of records: annotated names are fields, in order, with defaults as written.

    Records are equal where they are of one class and their fields are.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _hidden: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = tuple(
            name
            for name in cls.__annotations__
            if not name.startswith("_") and name not in cls._hidden
        )
        cls._fields = cls._fields + own

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self._fields
        state = self.__dict__
        state.update(zip(fields, values, strict=False))
        state.update(named)
        if len(values) > len(fields) or len(state) < len(fields):
            self._check(len(values))

    def _check(self, given: int) -> None:
        fields = self._fields
        lacking = [name for name in fields if not hasattr(self, name)]
        if given > len(fields) or lacking:
            kind = type(self).__name__
            raise TypeError(f"{kind} takes {', '.join(fields)}; not given: {', '.join(lacking)}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._fields)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self._fields)))

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({', '.join(shown)})"


def fields_of(record: Record) -> tuple[str, ...]:
    """Return the names of a record's fields, in order, without hidden ones."""
    return record._fields
