"""The grammar: operators by precedence, and what may follow an operand (DMN 1.5, 10.3.1.2).

A Pratt parser. From loosest to closest: or, and, comparisons with ``in``, ``between`` and
``instance of``, + -, * /, **, negation, path and filter and call.
"""

from shared.feel.errors import FeelSyntaxError
from shared.feel.types import FeelType

from . import tree
from .primaries import COMPARISONS, PrimaryParser
from .tokens import Kind

MAX_TREE_DEPTH = 200
"""Long chains (`1 + 1 + …`) nest the tree without brackets; this bounds them."""

_OR, _AND, _COMPARISON, _SUM, _PRODUCT, _POWER = range(1, 7)
_ARITHMETIC = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}
_LEVELS = {
    "or": _OR,
    "and": _AND,
    "between": _COMPARISON,
    "in": _COMPARISON,
    "instance": _COMPARISON,
    **dict.fromkeys(COMPARISONS, _COMPARISON),
    **_ARITHMETIC,
}


def parse_expression(source: str, names: tuple[str, ...] = ()) -> tree.Node:
    """Return the tree of an expression.

    Args:
        source: The text.
        names: The names of the scope; those of several words are found by them.

    Raises:
        FeelSyntaxError: The text is no expression.
    """
    parser = Parser(source, names)
    return parser.whole(parser.expression())


def parse_unary_tests(source: str, names: tuple[str, ...] = ()) -> tree.Node:
    """Return the tree of unary tests, as a decision table's cell has them.

    Raises:
        FeelSyntaxError: The text is none.
    """
    parser = Parser(source, names)
    return parser.whole(parser.unary_tests())


def parse_type(source: str) -> FeelType:
    """Return the type that a text names.

    Raises:
        FeelSyntaxError: The text is no type.
    """
    parser = Parser(source, ())
    kind = parser.parse_type()
    if parser.token.kind is not Kind.END:
        raise parser.unexpected("the end")
    return kind


class Parser(PrimaryParser):
    """The whole parser, for one text."""

    def whole(self, node: tree.Node) -> tree.Node:
        """Return the node, once nothing is left of the text."""
        if self.token.kind is not Kind.END:
            raise self.unexpected("an operator or the end")
        if tree.depth(node) > MAX_TREE_DEPTH:
            raise self.fail(f"the expression is chained more than {MAX_TREE_DEPTH} levels deep")
        return node

    def expression(self) -> tree.Node:
        """Take an expression of any kind."""
        return self._binary(_OR)

    def operand(self) -> tree.Node:
        """Take an expression that binds closer than a comparison."""
        return self._binary(_SUM)

    def _binary(self, level: int) -> tree.Node:
        with self.nested():
            left = self._prefix()
            while True:
                token = self.token
                if token.kind not in (Kind.SYMBOL, Kind.NAME):
                    return left
                operator = token.text
                found = _LEVELS.get(operator, 0)
                if found < level:
                    return left
                if found <= _AND:
                    left = self._logic(left, operator, found)
                elif operator in _ARITHMETIC or operator in COMPARISONS:
                    self.advance()
                    right = self._binary(found + 1)
                    left = tree.Binary(operator, left, right, position=token.start)
                elif operator == "between":
                    left = self._between(left)
                elif operator == "instance":
                    left = self._instance(left)
                else:
                    left = self._in(left)

    def _logic(self, first: tree.Node, operator: str, level: int) -> tree.Node:
        # All operands in one node: a list of two hundred alternatives is no deep tree.
        position = self.token.start
        operands = [first]
        while self.accept(operator):
            operands.append(self._binary(level + 1))
        return tree.Logic(operator, tuple(operands), position=position)

    def _instance(self, value: tree.Node) -> tree.Node:
        position = self.advance().start
        self.expect("of")
        return tree.InstanceOf(value, self.parse_type(), position=position)

    def _between(self, value: tree.Node) -> tree.Node:
        position = self.advance().start
        low = self.operand()
        self.expect("and")
        return tree.Between(value, low, self.operand(), position=position)

    def _in(self, value: tree.Node) -> tree.Node:
        position = self.advance().start
        tests = self._test_list() if self.at("(") else None
        if tests is None:
            tests = (self._test(),)
        return tree.In(value, tests, position=position)

    def _test(self) -> tree.Node:
        if self.at(*COMPARISONS):
            return self.unary_test()
        # Only a test that speaks of the value itself goes on to a comparison: `x in ? > 5`.
        return self._binary(_COMPARISON) if self.at("?") else self.operand()

    def _test_list(self) -> tuple[tree.Node, ...] | None:
        """Take `(test, …)`, or nothing where the parenthesis only begins an expression."""
        start = self.index
        self.advance()
        tests: list[tree.Node] = []
        while True:
            tests.append(self.unary_test() if self.at(*COMPARISONS) else self.expression())
            if not self.accept(","):
                break
        single = len(tests) == 1 and not isinstance(tests[0], tree.UnaryTest)
        goes_on = single and not self.at(")")
        if not goes_on:
            self.expect(")", "',' or ')'")
            goes_on = single and self.at("[", ".", "(", *_ARITHMETIC) and not self.at_range_end
        if goes_on:
            self.move_to(start)
            return None
        return tuple(tests)

    def _prefix(self) -> tree.Node:
        if self.at("-"):
            with self.nested():
                position = self.advance().start
                return tree.Negation(self._prefix(), position=position)
        return self._postfix(self.primary())

    def _postfix(self, node: tree.Node) -> tree.Node:
        while True:
            token = self.token
            if token.kind is Kind.SYMBOL and token.text == ".":
                self.advance()
                node = tree.Path(node, self.read_entry_name(), position=token.start)
            elif token.kind is Kind.SYMBOL and token.text == "[":
                condition = self._filter()
                if condition is None:
                    return node
                node = tree.Filter(node, condition, position=token.start)
            elif token.kind is Kind.SYMBOL and token.text == "(":
                node = self._call(node)
            else:
                return node

    def _filter(self) -> tree.Node | None:
        """Take `[condition]`, or nothing where the bracket ends a range such as `[1..2[`."""
        start = self.index
        at_range_end, self.at_range_end = self.at_range_end, False
        self.filters += 1
        self.advance()
        try:
            condition = self.expression()
            self.expect("]")
        except FeelSyntaxError:
            if not at_range_end:
                raise
            self.move_to(start)
            return None
        finally:
            self.filters -= 1
            self.at_range_end = at_range_end
        return condition

    def _call(self, function: tree.Node) -> tree.Node:
        at_range_end, self.at_range_end = self.at_range_end, False
        self.advance()
        arguments: list[tree.Node] = []
        names: list[str] = []
        named = self._names_follow()
        while not self.at(")"):
            if named:
                names.append(self.read_name_until(":"))
                self.expect(":")
            arguments.append(self.expression())
            if not self.accept(","):
                break
        self.expect(")", "',' or ')'")
        self.at_range_end = at_range_end
        return tree.Call(function, tuple(arguments), tuple(names), position=function.position)

    def _names_follow(self) -> bool:
        if self.token.kind not in (Kind.NAME, Kind.QUOTED_NAME):
            return False
        for token in self.tokens[self.index :]:
            if token.text == ":" and token.kind is Kind.SYMBOL:
                return True
            if token.kind not in (Kind.NAME, Kind.QUOTED_NAME, Kind.NUMBER):
                return False
        return False

    def unary_tests(self) -> tree.Node:
        """Take `-`, tests, or `not(tests)`."""
        position = self.token.start
        if self.at("-") and self.tokens[self.index + 1].kind is Kind.END:
            self.advance()
            return tree.UnaryTests((), position=position)
        if self.at("not") and self.tokens[self.index + 1].text == "(":
            start = self.index
            self.advance()
            self.advance()
            tests = self._tests()
            if self.accept(")") and self.token.kind is Kind.END:
                return tree.UnaryTests(tests, negated=True, position=position)
            self.move_to(start)
        return tree.UnaryTests(self._tests(), position=position)

    def _tests(self) -> tuple[tree.Node, ...]:
        tests: list[tree.Node] = []
        while True:
            tests.append(self.unary_test() if self.at(*COMPARISONS) else self.expression())
            if not self.accept(","):
                return tuple(tests)
