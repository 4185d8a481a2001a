"""Running a program over a text, in time that grows with the text and no faster.

It backtracks, as `re` does, so it finds the same match. But it remembers each choice that it has
been at, with the place in the text: to come there again is to fail again. So every choice is made
once for each place at most. Only patterns that refer back to groups cannot be remembered so, as
what follows depends on what was captured; they are held by the steps they are charged for.
"""

from collections.abc import Callable
from typing import Final

from shared.feel.errors import FeelLimitError

from .program import (
    CHARS,
    JUMP,
    LOOK,
    PLACE,
    PROGRESS,
    REFERENCE,
    SAVE,
    SPLIT,
    Program,
)

Charge = Callable[[int], None]
Spans = tuple[int, ...]

_MAX_MEMORY: Final = 1 << 26
_LAP: Final = 256
"""Instructions between charges; a lap costs `_LAP // 8` steps."""

_GENERATIONS: Final = 255
_MEMORY_SHIFT: Final = 8
"""256 choices remembered cost a step."""


class Matcher:
    """One program over one text."""

    def __init__(self, program: Program, text: str, charge: Charge, *, remember: bool) -> None:
        self.program = program
        self.text = text
        self.charge = charge
        self.remember = remember
        size = program.choices * (len(text) + 1) if remember else 0
        if size > _MAX_MEMORY:
            raise FeelLimitError("size", _MAX_MEMORY)
        charge(size >> _MEMORY_SHIFT)
        self._seen = bytearray(size)
        self._generation = 1
        self._laps = _LAP
        self._looks: dict[int, Matcher] = {}

    def search(self, start: int) -> Spans | None:
        """Return the places of the leftmost match from a place on, or None.

        The places asked for may only grow, as they do from one match to the next.
        """
        text, prefix = self.text, self.program.prefix
        place = start
        while place <= len(text):
            if prefix:
                place = text.find(prefix, place)
                if place < 0:
                    return None
            found = self.match_at(place)
            if found is not None:
                self._release(found[1])
                return found
            place += 1
        return None

    def _release(self, end: int) -> None:
        # Of what is remembered, the choices on the way to this match did not fail. The next search
        # begins at its end, so of those it can only come to the ones made there.
        if self.remember:
            width = len(self.text) + 1
            for choice in range(self.program.choices):
                self._seen[choice * width + end] = 0

    def _forget(self) -> None:
        self._generation += 1
        if self._generation > _GENERATIONS:
            self.charge(len(self._seen) >> _MEMORY_SHIFT)
            self._seen = bytearray(len(self._seen))
            self._generation = 1

    def _lap(self) -> int:
        self.charge(_LAP // 8)
        return _LAP

    def match_at(self, start: int) -> Spans | None:  # noqa: C901, PLR0912, PLR0915 - see below
        """Return the places of the match that begins at a place, or None.

        One function, since each instruction costs less than a call would.
        """
        text, code = self.text, self.program.code
        splits, turns = self.program.splits, self.program.turns
        seen, generation = self._seen, self._generation
        remember, width, size = self.remember, len(text) + 1, len(text)
        pending: list[tuple[int, int, Spans]] = [(0, start, (-1,) * self.program.slots)]
        left = self._laps
        while pending:
            pc, place, saved = pending.pop()
            while True:
                left -= 1
                if not left:
                    left = self._lap()
                operation, one, other = code[pc]
                pc += 1
                if operation == CHARS:
                    if place == size:
                        break
                    char = text[place]
                    verdict = one.get(char)
                    if verdict is None:
                        verdict = other(char)
                    if not verdict:
                        break
                    place += 1
                elif operation == SPLIT:
                    if remember:
                        choice = splits[pc - 1]
                        if pc - 1 in turns:
                            for bit, slot in enumerate(turns[pc - 1]):
                                choice += (saved[slot] == place) << bit
                        key = choice * width + place
                        if seen[key] == generation:
                            break
                        seen[key] = generation
                    pending.append((other, place, saved))
                    pc = one
                elif operation == JUMP:
                    pc = one
                elif operation == SAVE:
                    saved = (*saved[:one], place, *saved[one + 1 :])
                elif operation == PROGRESS:
                    # A turn that took nothing is the last: past the jump back, as Java does.
                    pc += saved[one] == place
                elif operation == PLACE:
                    if not self._is_at(one, place):
                        break
                elif operation == LOOK:
                    if self._look(pc, one, place) is other:
                        break
                elif operation == REFERENCE:
                    end = self._repeat_end(saved, one, place, ignore_case=other)
                    if end is None:
                        break
                    place = end
                else:
                    self._laps = left
                    return (start, place, *saved[2:])
        self._laps = left
        return None

    def _look(self, pc: int, program: Program, place: int) -> bool:
        """Tell whether a program of its own matches at a place."""
        inner = self._looks.get(pc)
        if inner is None:
            inner = Matcher(program, self.text, self.charge, remember=self.remember)
            self._looks[pc] = inner
        if inner.match_at(place) is None:
            return False
        # It may be asked again within what it just matched, so nothing remembered is sure.
        inner._forget()
        return True

    def _is_at(self, name: str, place: int) -> bool:
        text = self.text
        if name == "start":
            return place == 0
        if name == "end":
            return place == len(text)
        if name == "line start":
            return place == 0 or (place < len(text) and text[place - 1] == "\n")
        if name == "line end":
            return place == len(text) or text[place] == "\n"
        before = place > 0 and _is_word(text[place - 1])
        after = place < len(text) and _is_word(text[place])
        return (before is not after) is (name == "word edge")

    def _repeat_end(
        self, saved: Spans, number: int, place: int, *, ignore_case: bool
    ) -> int | None:
        first, last = saved[2 * number], saved[2 * number + 1]
        # A group that took no part: XPath has it match the empty text.
        wanted = self.text[first:last] if last >= 0 else ""
        found = self.text[place : place + len(wanted)]
        self.charge(len(wanted) >> 6)
        same = found == wanted or (ignore_case and found.lower() == wanted.lower())
        return place + len(wanted) if same else None


def _is_word(char: str) -> bool:
    return char == "_" or char.isalnum()
