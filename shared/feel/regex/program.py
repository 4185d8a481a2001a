"""Pattern to program: the instructions that `matcher.py` runs."""

from typing import Any, Final

from shared.feel.diagnostics import UnfitError

from .nodes import Assertion, Chars, Choice, Group, Look, Part, Reference, Repeat, Sequence

MAX_INSTRUCTIONS: Final = 10_000

_MOST_TURNS: Final = 3


# Plain numbers, as the matcher compares them millions of times. Behind each, its two operands.
CHARS: Final = 0  # what is known of characters, what decides on the others
SPLIT: Final = 1  # where to go first, where else
JUMP: Final = 2  # where to go
SAVE: Final = 3  # the slot that the place is noted in
PLACE: Final = 4  # the name of the place
REFERENCE: Final = 5  # the group's number, whether case is ignored
LOOK: Final = 6  # the program, whether it must not match
PROGRESS: Final = 7  # the slot of a turn's beginning; skips the jump behind it after no progress
MATCH: Final = 8

Instruction = tuple[int, Any, Any]


class Program:
    """A compiled pattern.

    Attributes:
        code: The instructions.
        slots: How many places are noted: two for each group, one for each open repetition.
        prefix: The text that every match begins with.
        splits: For each instruction that chooses, the first of its numbers.
        choices: How many such numbers there are.
        turns: For a choice inside repetitions whose turns may be empty, the slots of the innermost
            ones. Whether a turn has taken something yet decides what follows, so a choice has a
            number for each case.
    """

    def __init__(self, part: Part, groups: int, spent: list[int] | None = None) -> None:
        self.code: list[Instruction] = []
        self._spent = [0] if spent is None else spent
        self.turns: dict[int, tuple[int, ...]] = {}
        self._open_turns: tuple[int, ...] = ()
        self.slots = 2 * (groups + 1)
        self.prefix = literal_prefix(part)
        self._emit(part)
        self._add(MATCH)
        self.splits: list[int] = []
        self.choices = 0
        for pc, (operation, _, _) in enumerate(self.code):
            self.splits.append(self.choices)
            if operation == SPLIT:
                self.choices += 1 << len(self.turns.get(pc, ()))

    @property
    def size(self) -> int:
        """The number of its instructions, with those of what it looks ahead for."""
        return self._spent[0]

    def _add(self, operation: int, one: Any = None, other: Any = None) -> int:
        # One count for a pattern and what it looks ahead for, as both are repeated together.
        self._spent[0] += 1
        if self._spent[0] > MAX_INSTRUCTIONS:
            raise UnfitError("the pattern's repetitions make it too large")
        if operation == SPLIT and self._open_turns:
            self.turns[len(self.code)] = self._open_turns[-_MOST_TURNS:]
        self.code.append((operation, one, other))
        return len(self.code) - 1

    def _emit(self, part: Part) -> None:
        if isinstance(part, Chars):
            self._add(CHARS, part.set.known, part.set.decide)
        elif isinstance(part, Assertion):
            self._add(PLACE, part.place)
        elif isinstance(part, Reference):
            self._add(REFERENCE, part.number, part.ignore_case)
        elif isinstance(part, Look):
            self._add(LOOK, Program(part.inner, self.slots // 2 - 1, self._spent), part.negated)
        elif isinstance(part, Sequence):
            for inner in part.parts:
                self._emit(inner)
        elif isinstance(part, Group):
            self._group(part)
        elif isinstance(part, Choice):
            self._choice(part)
        else:
            self._repeat(part)

    def _group(self, part: Group) -> None:
        if part.number is None:
            self._emit(part.inner)
            return
        self._add(SAVE, 2 * part.number)
        self._emit(part.inner)
        self._add(SAVE, 2 * part.number + 1)

    def _choice(self, part: Choice) -> None:
        ends: list[int] = []
        for inner in part.parts[:-1]:
            split = self._add(SPLIT)
            self._emit(inner)
            ends.append(self._add(JUMP))
            self.code[split] = (SPLIT, split + 1, len(self.code))
        self._emit(part.parts[-1])
        for end in ends:
            self.code[end] = (JUMP, len(self.code), None)

    def _repeat(self, part: Repeat) -> None:
        for _ in range(part.least):
            before = len(self.code)
            self._emit(part.inner)
            if len(self.code) == before:
                # Nothing a thousand times is nothing.
                break
        if part.most is None:
            self._open_repeat(part)
            return
        splits: list[int] = []
        for _ in range(part.most - part.least):
            splits.append(self._add(SPLIT))
            self._emit(part.inner)
        for split in splits:
            self._aim(split, split + 1, len(self.code), greedy=part.greedy)

    def _open_repeat(self, part: Repeat) -> None:
        split = self._add(SPLIT)
        if can_be_empty(part.inner):
            slot = self.slots
            self.slots += 1
            self._add(SAVE, slot)
            self._open_turns += (slot,)
            self._emit(part.inner)
            self._open_turns = self._open_turns[:-1]
            self._add(PROGRESS, slot)
        else:
            self._emit(part.inner)
        self._add(JUMP, split)
        self._aim(split, split + 1, len(self.code), greedy=part.greedy)

    def _aim(self, split: int, into: int, past: int, *, greedy: bool) -> None:
        first, second = (into, past) if greedy else (past, into)
        self.code[split] = (SPLIT, first, second)


def can_be_empty(part: Part) -> bool:
    """Tell whether a part may match without taking a character."""
    if isinstance(part, Chars):
        return False
    if isinstance(part, Group):
        return can_be_empty(part.inner)
    if isinstance(part, Sequence):
        return all(map(can_be_empty, part.parts))
    if isinstance(part, Choice):
        return any(map(can_be_empty, part.parts))
    return not isinstance(part, Repeat) or not part.least or can_be_empty(part.inner)


def literal_prefix(part: Part) -> str:
    """Return the text that every match begins with; empty where that varies."""
    parts = part.parts if isinstance(part, Sequence) else (part,)
    prefix = ""
    for inner in parts:
        char = inner.set.only() if isinstance(inner, Chars) else None
        if char is None:
            break
        prefix += char
    return prefix
