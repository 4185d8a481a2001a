"""Parsing what stands by itself: literals, names, lists, contexts, ranges, parentheses."""

from decimal import Decimal

from shared.feel.numbers import NUMBERS

from . import tree
from .clauses import ClauseParser
from .names import KEYWORDS, words_of
from .tokens import Kind, Token

COMPARISONS = ("<", "<=", ">", ">=", "=", "!=")

_OLD_FUNCTIONS = ("and", "or")
"""What `all` and `any` were called; Camunda still has them."""

_CONSTANTS = {"true": True, "false": False, "null": None}


class PrimaryParser(ClauseParser):
    """The part of the parser that reads operands (DMN 1.5, 10.3.1.2)."""

    def __init__(self, source: str, names: tuple[str, ...]) -> None:
        super().__init__(source, names)
        self.at_range_end = False
        self._clauses = {
            "if": self.if_clause,
            "for": self.for_clause,
            "some": self.quantified_clause,
            "every": self.quantified_clause,
            "function": self.function_clause,
        }
        self._brackets = {
            "(": self._parenthesis,
            "[": self._bracket,
            "]": self._open_range,
            "{": self._context,
        }

    def primary(self) -> tree.Node:
        """Take one operand, without what follows it."""
        token = self.token
        if token.kind is Kind.NAME:
            return self._word(token)
        if token.kind is Kind.SYMBOL and token.text in self._brackets:
            at_range_end, self.at_range_end = self.at_range_end, False
            node = self._brackets[token.text]()
            self.at_range_end = at_range_end
            return node
        if token.kind is Kind.NUMBER:
            return tree.NumberLiteral(self._number(self.advance()), position=token.start)
        if token.kind is Kind.STRING:
            return tree.Literal(self.advance().text, position=token.start)
        if token.kind is Kind.TEMPORAL:
            return tree.TemporalLiteral(self.advance().text, position=token.start)
        if token.kind is Kind.QUOTED_NAME:
            return tree.Name(self.read_variable(), position=token.start)
        raise self.unexpected("a value")

    def _word(self, token: Token) -> tree.Node:
        if token.text in KEYWORDS and self.names.longest(self.tokens, self.index) is None:
            if token.text in self._clauses:
                return self._clauses[token.text]()
            if token.text in _CONSTANTS:
                self.advance()
                return tree.Literal(_CONSTANTS[token.text], position=token.start)
            if token.text in _OLD_FUNCTIONS and self.tokens[self.index + 1].text == "(":
                self.advance()
                return tree.Name(token.text, position=token.start)
            raise self.unexpected("a value")
        return tree.Name(self.read_variable(), position=token.start)

    def _number(self, token: Token) -> Decimal:
        number = NUMBERS.create_decimal(token.text)
        if not number.is_finite():
            raise self.fail("this number is too large", token=token)
        return number

    def _parenthesis(self) -> tree.Node:
        position = self.advance().start
        if self.at(*COMPARISONS):
            test = self.unary_test()
            self.expect(")")
            return test
        inner = self.expression()
        if self.at(".."):
            return self._range(inner, position, start_included=False)
        self.expect(")")
        return inner

    def _bracket(self) -> tree.Node:
        position = self.advance().start
        items: list[tree.Node] = []
        if self.accept("]"):
            return tree.ListLiteral((), position=position)
        while True:
            items.append(self.expression())
            if len(items) == 1 and self.at(".."):
                return self._range(items[0], position, start_included=True)
            if not self.accept(","):
                self.expect("]", "',' or ']'")
                return tree.ListLiteral(tuple(items), position=position)

    def _open_range(self) -> tree.Node:
        position = self.advance().start
        start = self.expression()
        if not self.at(".."):
            raise self.unexpected("'..'")
        return self._range(start, position, start_included=False)

    def _range(self, start: tree.Node, position: int, *, start_included: bool) -> tree.Node:
        self.expect("..")
        before, self.at_range_end = self.at_range_end, True
        end = self.expression()
        self.at_range_end = before
        if not self.at("]", ")", "["):
            raise self.unexpected("']', ')' or '[' to end the range")
        closed = self.advance().text == "]"
        return tree.RangeLiteral(start, end, start_included, closed, position=position)

    def unary_test(self) -> tree.Node:
        """Take `< endpoint` and its kin."""
        token = self.advance()
        return tree.UnaryTest(token.text, self.operand(), position=token.start)

    def operand(self) -> tree.Node:
        """Take an expression that binds closer than a comparison."""
        raise NotImplementedError

    def _context(self) -> tree.Node:
        position = self.advance().start
        entries: list[tuple[str, tree.Node]] = []
        with self.names.scope():
            while not self.at("}"):
                key = self._key()
                entries.append((key, self.expression()))
                if words_of(key):
                    self.names.add(key)
                    # Seen from anywhere after a dot or in a filter: `{a-b: 1}.a-b`.
                    self.entry_names.add(key)
                if not self.accept(","):
                    break
        self.expect("}", "',' or '}'")
        return tree.ContextLiteral(tuple(entries), position=position)

    def _key(self) -> str:
        written = self.token.kind is Kind.STRING
        key = self.advance().text if written else self.read_name_until(":")
        self.expect(":")
        return key
