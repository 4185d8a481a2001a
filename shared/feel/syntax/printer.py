"""Tree to text: what parses to the same tree again, on one line."""

from collections.abc import Callable
from typing import Any, Final

from shared.feel.text import quote

from . import tree
from .names import KEYWORDS
from .primaries import COMPARISONS
from .tokens import is_word

# How closely a form binds; a part that binds looser than its place needs stands in parentheses.
_CLAUSE, _OR, _AND, _COMPARISON, _SUM, _PRODUCT, _POWER, _SIGN, _OPERAND = range(9)
_LEVELS: Final = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(COMPARISONS, _COMPARISON),
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "**": _POWER,
}


def to_source(node: tree.Node) -> str:
    """Return a tree as text.

    Names that are no plain words stand in backticks, so that the text needs no scope to be read.
    """
    return _print(node, _CLAUSE)


def _print(node: tree.Node, least: int) -> str:
    level, write = _WRITERS[type(node)]
    if level is None:
        level = _LEVELS[_operator(node)]
    text = write(node)
    return f"({text})" if level < least else text


def _operator(node: tree.Node) -> str:
    return node.operator if isinstance(node, (tree.Binary, tree.Logic)) else ""


def _name(name: str) -> str:
    return name if is_word(name) and name not in KEYWORDS else f"`{name}`"


def _key(name: str) -> str:
    return name if is_word(name) else quote(name)


def _literal(node: tree.Literal) -> str:
    if isinstance(node.value, str):
        return quote(node.value)
    return "null" if node.value is None else str(node.value).lower()


def _list(node: tree.ListLiteral) -> str:
    return f"[{', '.join(map(to_source, node.items))}]"


def _context(node: tree.ContextLiteral) -> str:
    return f"{{{', '.join(f'{_key(key)}: {to_source(value)}' for key, value in node.entries)}}}"


def _range(node: tree.RangeLiteral) -> str:
    left, right = "[" if node.start_included else "(", "]" if node.end_included else ")"
    return f"{left}{to_source(node.start)}..{to_source(node.end)}{right}"


def _test(node: tree.UnaryTest) -> str:
    return f"{node.operator} {_print(node.operand, _SUM)}"


def _in_list(node: tree.Node) -> str:
    return _test(node) if isinstance(node, tree.UnaryTest) else to_source(node)


def _negation(node: tree.Negation) -> str:
    return f"-{_print(node.operand, _SIGN)}"


def _binary(node: tree.Binary) -> str:
    level = _LEVELS[node.operator]
    return f"{_print(node.left, level)} {node.operator} {_print(node.right, level + 1)}"


def _logic(node: tree.Logic) -> str:
    level = _LEVELS[node.operator]
    return f" {node.operator} ".join(_print(operand, level + 1) for operand in node.operands)


def _between(node: tree.Between) -> str:
    low, high = _print(node.low, _SUM), _print(node.high, _SUM)
    return f"{_print(node.value, _COMPARISON)} between {low} and {high}"


def _in(node: tree.In) -> str:
    value = _print(node.value, _COMPARISON)
    return f"{value} in ({', '.join(map(_in_list, node.tests))})"


def _instance(node: tree.InstanceOf) -> str:
    return f"{_print(node.value, _COMPARISON)} instance of {node.type}"


def _if(node: tree.If) -> str:
    condition, consequence = to_source(node.condition), to_source(node.consequence)
    return f"if {condition} then {consequence} else {to_source(node.alternative)}"


def _iteration(node: tree.Iteration) -> str:
    end = "" if node.end is None else f"..{to_source(node.end)}"
    return f"{_name(node.name)} in {to_source(node.source)}{end}"


def _for(node: tree.For) -> str:
    return f"for {', '.join(map(_iteration, node.iterations))} return {to_source(node.body)}"


def _quantified(node: tree.Quantified) -> str:
    iterations = ", ".join(map(_iteration, node.iterations))
    return f"{node.quantifier} {iterations} satisfies {to_source(node.body)}"


def _path(node: tree.Path) -> str:
    return f"{_print(node.source, _OPERAND)}.{_name(node.name)}"


def _filter(node: tree.Filter) -> str:
    return f"{_print(node.source, _OPERAND)}[{to_source(node.condition)}]"


def _call(node: tree.Call) -> str:
    arguments = [to_source(argument) for argument in node.arguments]
    if node.names:
        pairs = zip(node.names, arguments, strict=True)
        arguments = [f"{_name(name)}: {argument}" for name, argument in pairs]
    return f"{_print(node.function, _OPERAND)}({', '.join(arguments)})"


def _definition(node: tree.FunctionDefinition) -> str:
    parameters = (
        _name(name) if kind is None else f"{_name(name)}: {kind}" for name, kind in node.parameters
    )
    external = "external " if node.external else ""
    return f"function({', '.join(parameters)}) {external}{to_source(node.body)}"


def _tests(node: tree.UnaryTests) -> str:
    tests = ", ".join(map(_in_list, node.tests)) or "-"
    return f"not({tests})" if node.negated else tests


_WRITERS: Final[dict[type[tree.Node], tuple[int | None, Callable[[Any], str]]]] = {
    tree.Literal: (_OPERAND, _literal),
    tree.NumberLiteral: (_OPERAND, lambda node: str(node.value)),
    tree.TemporalLiteral: (_OPERAND, lambda node: f"@{quote(node.text)}"),
    tree.Name: (_OPERAND, lambda node: _name(node.name)),
    tree.ListLiteral: (_OPERAND, _list),
    tree.ContextLiteral: (_OPERAND, _context),
    tree.RangeLiteral: (_OPERAND, _range),
    tree.UnaryTest: (_OPERAND, lambda node: f"({_test(node)})"),
    tree.Negation: (_SIGN, _negation),
    tree.Binary: (None, _binary),
    tree.Logic: (None, _logic),
    tree.Between: (_COMPARISON, _between),
    tree.In: (_COMPARISON, _in),
    tree.InstanceOf: (_COMPARISON, _instance),
    tree.If: (_CLAUSE, _if),
    tree.For: (_CLAUSE, _for),
    tree.Quantified: (_CLAUSE, _quantified),
    tree.Path: (_OPERAND, _path),
    tree.Filter: (_OPERAND, _filter),
    tree.Call: (_OPERAND, _call),
    tree.FunctionDefinition: (_CLAUSE, _definition),
    tree.UnaryTests: (_CLAUSE, _tests),
}
