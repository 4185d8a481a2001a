"""Parsing types (DMN 1.5, 10.3.1.2)."""

from shared.feel.types import (
    ANY,
    ContextType,
    FeelType,
    FunctionType,
    ListType,
    NamedType,
    RangeType,
)

from .stream import TokenStream
from .tokens import Kind

_LONG_NAMES = (
    ("days", "and", "time", "duration"),
    ("years", "and", "months", "duration"),
    ("date", "and", "time"),
)


class TypeParser(TokenStream):
    """The part of the parser that reads types."""

    def parse_type(self) -> FeelType:
        """Take a type; a name that the standard does not have is taken as it is."""
        with self.nested():
            if self.at("list") and self._generic():
                item = self.parse_type()
                self.expect(">")
                return ListType(item)
            if self.at("range") and self._generic():
                item = self.parse_type()
                self.expect(">")
                return RangeType(item)
            if self.at("context") and self._generic():
                return self._context_type()
            if self.at("function") and self._generic():
                return self._function_type()
            return self._named_type()

    def _generic(self) -> bool:
        if self.tokens[self.index + 1].text != "<":
            return False
        self.advance()
        self.advance()
        return True

    def _context_type(self) -> FeelType:
        entries: list[tuple[str, FeelType]] = []
        while not self.at(">"):
            name = self.read_name_until(":")
            self.expect(":")
            entries.append((name, self.parse_type()))
            if not self.accept(","):
                break
        self.expect(">")
        return ContextType(tuple(entries))

    def _function_type(self) -> FeelType:
        parameters: list[FeelType] = []
        while not self.at(">"):
            parameters.append(self.parse_type())
            if not self.accept(","):
                break
        self.expect(">")
        return FunctionType(tuple(parameters), self.parse_type() if self.accept("->") else ANY)

    def _named_type(self) -> FeelType:
        for words in _LONG_NAMES:
            ahead = self.tokens[self.index : self.index + len(words)]
            if tuple(token.text for token in ahead) == words:
                self.move_to(self.index + len(words))
                return NamedType(" ".join(words))
        if self.token.kind not in (Kind.NAME, Kind.QUOTED_NAME):
            raise self.unexpected("the name of a type")
        return NamedType(self.advance().text)
