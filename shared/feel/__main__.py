"""A playground: `python3 -m shared.feel 'substring(subject, 7)' --context mail.json`."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from . import FeelError, Result, compile_unary_tests, diagnose, to_json

EXIT_ERROR = 1


def main(arguments: list[str] | None = None) -> int:
    """Evaluate an expression, and print its value as JSON and the warnings beneath it.

    Returns:
        0 where there is a value, 1 where the expression or the context could not be used.
    """
    options = _options(arguments)
    try:
        context = _context(options.context)
        result = _evaluate(options, context)
        value = json.dumps(to_json(result.value), ensure_ascii=False, indent=2)
    except (FeelError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_ERROR
    sys.stdout.write(f"{value}\n")
    for warning in result.warnings:
        sys.stdout.write(f"warning: {warning}\n")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m shared.feel", description="Evaluate a FEEL expression."
    )
    parser.add_argument("expression", help="the expression, or - to read it from standard input")
    parser.add_argument(
        "--context", metavar="FILE", help="JSON with the variables; - for standard input"
    )
    parser.add_argument(
        "--test", action="store_true", help="read the text as unary tests over the variable '?'"
    )
    return parser.parse_args(arguments)


def _context(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    context = json.loads(text)
    if not isinstance(context, dict):
        raise ValueError(f"{name} holds no JSON object")  # noqa: TRY004 - shown, not caught by type
    return context


def _evaluate(options: argparse.Namespace, context: dict[str, Any]) -> Result:
    text = sys.stdin.read() if options.expression == "-" else options.expression
    if options.test:
        return compile_unary_tests(text, context).diagnose(context)
    return diagnose(text, context)


if __name__ == "__main__":
    sys.exit(main())
