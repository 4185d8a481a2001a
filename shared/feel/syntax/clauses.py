"""Parsing what a keyword begins: if, for, some, every, function."""

from abc import abstractmethod

from shared.feel.types import FeelType

from . import tree
from .type_parser import TypeParser


class ClauseParser(TypeParser):
    """The part of the parser that reads clauses (DMN 1.5, 10.3.1.2)."""

    @abstractmethod
    def expression(self) -> tree.Node:
        """Take an expression of any kind."""

    def if_clause(self) -> tree.Node:
        """Take `if … then … else …`."""
        position = self.advance().start
        condition = self.expression()
        self.expect("then")
        consequence = self.expression()
        self.expect("else")
        return tree.If(condition, consequence, self.expression(), position=position)

    def for_clause(self) -> tree.Node:
        """Take `for … in … return …`."""
        position = self.advance().start
        with self.names.scope():
            iterations = self._iterations()
            self.expect("return")
            return tree.For(iterations, self.expression(), position=position)

    def quantified_clause(self) -> tree.Node:
        """Take `some … in … satisfies …` or `every …`."""
        word = self.advance()
        with self.names.scope():
            iterations = self._iterations()
            self.expect("satisfies")
            body = self.expression()
            return tree.Quantified(word.text, iterations, body, position=word.start)

    def _iterations(self) -> tuple[tree.Iteration, ...]:
        iterations: list[tree.Iteration] = []
        while True:
            position = self.token.start
            name = self.read_loop_name()
            self.expect("in")
            source = self.expression()
            end = self.expression() if self.accept("..") else None
            iterations.append(tree.Iteration(name, source, end, position=position))
            # A later iteration sees the variables of those before it.
            self.names.add(name)
            if not self.accept(","):
                return tuple(iterations)

    def function_clause(self) -> tree.Node:
        """Take `function(…) body`."""
        position = self.advance().start
        self.expect("(")
        parameters: list[tuple[str, FeelType | None]] = []
        while not self.at(")"):
            name = self.read_name_until(":", ",", ")")
            parameters.append((name, self.parse_type() if self.accept(":") else None))
            if not self.accept(","):
                break
        self.expect(")", "',' or ')'")
        external = self.accept("external")
        with self.names.scope():
            for name, _ in parameters:
                self.names.add(name)
            body = self.expression()
        return tree.FunctionDefinition(tuple(parameters), body, external, position=position)
