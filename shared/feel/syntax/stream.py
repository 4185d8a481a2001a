"""The parser's place in the tokens: looking, taking, demanding, and reading names."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from shared.feel.errors import FeelSyntaxError

from .names import STOP_WORDS, KnownNames
from .tokens import Kind, Token, tokenize

MAX_NESTING = 64
"""Brackets, operators and clauses inside each other; also what keeps Python's stack whole."""

_WORK_PER_TOKEN = 64
"""Tokens may be read again where brackets are ambiguous, this often on average."""


class TokenStream:
    """A text's tokens, the place in them, and the names known there."""

    def __init__(self, source: str, names: Iterable[str]) -> None:
        self.source = source
        self.tokens = tokenize(source)
        self.index = 0
        self.token = self.tokens[0]
        self.names = KnownNames(names)
        self.entry_names = KnownNames(())
        self.filters = 0
        self._nesting = 0
        self._work = _WORK_PER_TOKEN * len(self.tokens)

    def fail(self, reason: str, expected: str = "", token: Token | None = None) -> FeelSyntaxError:
        """Return the error to raise at a token, this one by default."""
        return FeelSyntaxError(reason, self.source, (token or self.token).start, expected)

    def unexpected(self, expected: str) -> FeelSyntaxError:
        """Return the error to raise where the token is not what should stand here."""
        token = self.token
        if token.kind is Kind.END:
            return self.fail("the expression ends too early", expected)
        shown = self.source[token.start : min(token.end, token.start + 24)]
        return self.fail(f"{shown!r} is not expected here", expected)

    def advance(self) -> Token:
        """Take the token."""
        token = self.token
        self._work -= 1
        if not self._work:
            raise self.fail("the brackets from here on can be read in too many ways")
        self.move_to(min(self.index + 1, len(self.tokens) - 1))
        return token

    def move_to(self, index: int) -> None:
        """Go to a token by its index, forth or back."""
        self.index = index
        self.token = self.tokens[index]

    def at(self, *texts: str) -> bool:
        """Tell whether the token is one of these symbols or words."""
        token = self.token
        return token.text in texts and token.kind in (Kind.SYMBOL, Kind.NAME)

    def accept(self, text: str) -> bool:
        """Take the token if it is this symbol or word."""
        if self.at(text):
            self.advance()
            return True
        return False

    def expect(self, text: str, expected: str = "") -> Token:
        """Take the token, which has to be this symbol or word."""
        if not self.at(text):
            raise self.unexpected(expected or f"'{text}'")
        return self.advance()

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Count one level of nesting."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self.fail(f"the expression is nested more than {MAX_NESTING} levels deep")
        try:
            yield
        finally:
            self._nesting -= 1

    def read_variable(self) -> str:
        """Take a name where a value may stand: the longest known one, or adjacent words."""
        # Inside a filter the element's entries are variables too.
        scopes = (self.names, self.entry_names) if self.filters else (self.names,)
        return self._read_name(*scopes)

    def read_entry_name(self) -> str:
        """Take the name after a dot."""
        if self.token.kind not in (Kind.NAME, Kind.QUOTED_NAME):
            raise self.unexpected("the name of an entry or property")
        return self._read_name(self.names, self.entry_names)

    def _read_name(self, *scopes: KnownNames) -> str:
        if self.token.kind is Kind.QUOTED_NAME:
            return self.advance().text
        matches = [found for scope in scopes if (found := scope.longest(self.tokens, self.index))]
        known, size = max(matches, key=lambda found: found[1], default=(self.token.text, 1))
        for _ in range(size):
            self.advance()
        # Two words side by side can only be one name, so an unknown name needs no quotes.
        while self.token.kind is Kind.NAME and self.token.text not in STOP_WORDS:
            known = f"{known} {self.advance().text}"
        return known

    def read_name_until(self, *ends: str) -> str:
        """Take a name that a symbol ends, as parameters and keys are: any words and symbols."""
        first = self.token
        if first.kind is Kind.QUOTED_NAME:
            return self.advance().text
        if first.kind is not Kind.NAME:
            raise self.unexpected("a name")
        last = first
        while not self.at(*ends):
            if self.token.kind not in (Kind.NAME, Kind.NUMBER, Kind.SYMBOL):
                raise self.unexpected(" or ".join(f"'{end}'" for end in ends))
            last = self.advance()
        return " ".join(self.source[first.start : last.end].split())

    def read_loop_name(self) -> str:
        """Take the name of a loop's variable: words up to ``in``."""
        return self.read_name_until("in")
