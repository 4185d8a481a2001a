"""Which words make one name: the names that a scope knows, longest first.

DMN 1.5, 10.3.1.4: a name may hold spaces, keywords and the symbols ``. / - ' + *``. The text alone
does not say where such a name ends; the scope does, and the longest known name wins.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from shared.feel.errors import FeelSyntaxError

from .tokens import Kind, Token, tokenize

STOP_WORDS = frozenset(
    ("and", "or", "in", "between", "instance", "then", "else", "return", "satisfies")
)
"""Words that end a name which no scope knows."""

KEYWORDS = STOP_WORDS | {"if", "for", "some", "every", "function", "true", "false", "null"}
"""Words that are no variable's name by themselves."""


@lru_cache(maxsize=1024)
def words_of(name: str) -> tuple[str, ...]:
    """Split a name into the tokens it is written with; empty where it cannot be written plainly."""
    try:
        tokens = tokenize(name)
    except FeelSyntaxError:
        return ()
    if tokens[0].kind is not Kind.NAME:
        return ()
    plain = (Kind.NAME, Kind.NUMBER, Kind.SYMBOL, Kind.END)
    if any(token.kind not in plain for token in tokens):
        return ()
    return tuple(token.text for token in tokens[:-1])


class KnownNames:
    """The names of the scopes around the parser's place.

    Only names of several tokens are kept: a single word needs nobody to know it.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._by_word: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Make a name known from here on."""
        words = words_of(name)
        if len(words) > 1:
            self._by_word.setdefault(words[0], []).append((words, name))

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Forget, on leaving, what was added inside."""
        before = {word: list(entries) for word, entries in self._by_word.items()}
        try:
            yield
        finally:
            self._by_word = before

    def longest(self, tokens: list[Token], index: int) -> tuple[str, int] | None:
        """Return the longest known name at a token and its number of tokens."""
        entries = self._by_word.get(tokens[index].text)
        if entries is None:
            return None
        best: tuple[str, int] | None = None
        # The newest scope comes last, so an equal length from further in wins.
        for words, name in entries:
            size = len(words)
            if best is not None and size < best[1]:
                continue
            texts = tuple(token.text for token in tokens[index : index + size])
            plain = all(
                token.kind not in (Kind.STRING, Kind.TEMPORAL, Kind.QUOTED_NAME)
                for token in tokens[index : index + size]
            )
            if texts == words and plain:
                best = (name, size)
        return best
